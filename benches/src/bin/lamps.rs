//! How lamps are read where reading is hard: glare, night, heads of six pixels, regions drawn
//! beside the head and what else `fixtures::lamps` knows. One row a kind; fails below the bar.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use benches::lamps::{Outcome, UNKNOWN, WRONG, read};
use clap::Parser;
use fixtures::lamps::{Kind, Tally};
use serde::Serialize;

#[derive(Parser)]
#[command(about = "Reads synthetic lamps of every kind and counts wrong and unknown answers")]
struct Arguments {
    /// Heads of each kind.
    #[arg(long, default_value_t = 50)]
    heads: u64,
    /// The first head's seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Questions a head.
    #[arg(long, default_value_t = 40)]
    questions: usize,
    /// Only this kind, by its name in the table.
    #[arg(long)]
    kind: Option<String>,
    /// Names the heads that had wrong or unknown answers.
    #[arg(long)]
    faults: bool,
    /// Writes the figures there as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// One line of the table.
#[derive(Serialize)]
struct Row {
    kind: String,
    #[serde(flatten)]
    tally: Tally,
    wrong_share: f64,
    unknown_share: f64,
}

#[derive(Serialize)]
struct Table {
    /// Heads of each kind and the first one's seed.
    heads: u64,
    seed: u64,
    /// Mean time of one lamp in one picture on this machine, microseconds.
    look_us: f64,
    rows: Vec<Row>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let wanted = |kind: &Kind| arguments.kind.as_deref().is_none_or(|name| name == kind.name());
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(wanted).collect();
    if kinds.is_empty() {
        bail!("there is no such kind; they are {}", Kind::ALL.map(Kind::name).join(", "));
    }
    let seeds = arguments.seed..arguments.seed + arguments.heads;
    let (mut sum, mut rows) = (Outcome::default(), Vec::new());
    println!(
        "{:14} {:>7} {:>7} {:>9} {:>9} {:>9}",
        "kind", "asked", "wrong", "unknown", "wrong %", "unknown %"
    );
    for kind in kinds {
        let outcome = read(kind, seeds.clone(), arguments.questions);
        for (seed, tally) in outcome.faults.iter().filter(|_| arguments.faults) {
            println!("  seed {seed}: {} wrong, {} unknown", tally.wrong, tally.unknown);
        }
        rows.push(row(kind.name(), outcome.tally));
        sum.add(outcome);
    }
    rows.push(row("all", sum.tally));
    let look_us = sum.spent.as_secs_f64() * 1e6 / f64::from(sum.looks.max(1));
    println!("one lamp in one picture: {look_us:.0} µs");
    if let Some(path) = &arguments.json {
        let table = Table { heads: arguments.heads, seed: arguments.seed, look_us, rows };
        let mut text = serde_json::to_string_pretty(&table)?;
        text.push('\n');
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if !sum.holds() {
        bail!("below the bar: {WRONG} wrong, {UNKNOWN} unknown");
    }
    Ok(())
}

fn row(kind: &str, tally: Tally) -> Row {
    let row = Row {
        kind: kind.to_owned(),
        tally,
        wrong_share: tally.share(tally.wrong),
        unknown_share: tally.share(tally.unknown),
    };
    println!(
        "{:14} {:>7} {:>7} {:>9} {:>9.3} {:>9.2}",
        row.kind,
        tally.asked,
        tally.wrong,
        tally.unknown,
        100.0 * row.wrong_share,
        100.0 * row.unknown_share
    );
    row
}
