//! The drill of the acts: whom the rules find of those who did an act, and whom they accuse of those
//! who did not. One row an act; fails below the bar.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Parser;
use drill::{RECALL, Row, Sum, WRONG};
use serde::Serialize;

#[derive(Parser)]
#[command(
    about = "Every act and its look-alikes, as detector and tracker see them, by the thousand"
)]
struct Arguments {
    /// Violations of each act.
    #[arg(long, default_value_t = 1000)]
    violations: u64,
    /// Look-alikes of each act, in equal parts of every class.
    #[arg(long, default_value_t = 10_000)]
    lawful: u64,
    /// The first one's seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Pictures a second, or as many as the rule needs where that is more; without, 5, 10 or 25 by
    /// chance.
    #[arg(long)]
    fps: Option<u64>,
    /// Only this act.
    #[arg(long)]
    act: Option<String>,
    /// Names the seeds of wrong answers, and what was said.
    #[arg(long)]
    faults: bool,
    /// Writes the figures there as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Table<'a> {
    seed: u64,
    rows: &'a [Row],
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let Arguments { violations, lawful, seed, faults, fps, .. } = arguments;
    let only = arguments.act.as_deref();
    let rows = drill::run(only, violations, lawful, seed, fps, |row| {
        let Row { act, class, tried, accused, .. } = row;
        println!("{act:26} {class:44} {tried:>6} tried {accused:>6} accused");
        for (seed, said) in row.faults.iter().filter(|_| faults).take(200) {
            println!("  {seed}: {said}");
        }
    })?;
    if rows.is_empty() {
        bail!("there is no such act");
    }
    println!(
        "\n{:26} {:>10} {:>6} {:>8} {:>8} {:>6} {:>16}",
        "act", "violations", "found", "recall %", "lawful", "wrong", "wrong at most %"
    );
    let mut holds = true;
    for act in drill::acts(&drill::classes()) {
        let sum = Sum::of(rows.iter().filter(|row| row.act == act));
        if sum.violations + sum.lawful == 0 {
            continue;
        }
        let (recall, most) = (100.0 * sum.recall(), 100.0 * sum.at_most());
        let Sum { violations, found, lawful, wrong } = sum;
        println!(
            "{act:26} {violations:>10} {found:>6} {recall:>8.2} {lawful:>8} {wrong:>6} {most:>16.4}"
        );
        holds &= sum.holds();
    }
    if let Some(path) = &arguments.json {
        let mut text = serde_json::to_string_pretty(&Table { seed, rows: &rows })?;
        text.push('\n');
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if !holds {
        bail!("below the bar: recall {RECALL}, {WRONG} wrong");
    }
    Ok(())
}
