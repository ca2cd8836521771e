//! Replays rendered scenes through the agent and holds its events against the truth: per act how many
//! violations were found, who was accused wrongly, and how many only seemed to do it. A recording that
//! these programs have played already is not played again, so a long table may be broken off and gone
//! on with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::camera::{self, modified};
use crate::json;
use crate::process;
use crate::sheet::Sheet;
use crate::site::Site;

/// Every built-in scene of `world`.
const SCENES: [&str; 12] = [
    camera::JUNCTION,
    "stop_line",
    "wrong_way",
    "turn_ban",
    "wrong_lane",
    "solid_line",
    "no_stopping",
    "forbidden",
    "speed",
    AVERAGE_SPEED,
    "emergency_lane",
    "plates",
];
/// The scene between two cameras; its act is the law's one for speed, told apart in the table.
const AVERAGE_SPEED: &str = "average_speed";
/// The junction's weather by the seed's remainder; the other scenes have theirs from the seed alike.
const SKIES: [&str; 4] = ["night", "clear", "overcast", "rain"];
/// Least recall of every act, and least share of right plates where the plate is near enough to be read
/// by day and night.
const BAR: f64 = 0.95;
const PLATES_NEAR: &str = "red_light";
/// When the recordings are said to begin: what holds in some hours is judged by it.
const START: &str = "2026-11-28T08:00:00+07:00";

#[derive(Debug, clap::Args)]
pub struct Plan {
    /// How many seeds of every scene: of every four one is a clear day, an overcast one, rain, night.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// The first of them: 2 begins with the overcast day, and with three night is the last.
    #[arg(long, default_value_t = 2)]
    first: u64,
    /// Scenes to render and replay; all if left out.
    #[arg(long, num_args = 1.., value_parser = SCENES)]
    scenes: Vec<String>,
    /// Where the table is written as JSON, a row an act.
    #[arg(long, default_value = "benches/results/score.json")]
    json: PathBuf,
}

/// Prints a line a recording and a table of acts; fails where anybody is accused wrongly, or an act's
/// recall or the plates of who ran a red light are below the bar.
pub fn score(dir: &Path, weights: &Path, plan: &Plan) -> Result<()> {
    let site = Site::open(dir, "score")?;
    let config = site.models(weights)?;
    let since = made(&site, weights)?;
    let all = SCENES.map(str::to_owned);
    let scenes = if plan.scenes.is_empty() { &all[..] } else { &plan.scenes[..] };
    let mut sum = Table::default();
    let mut sheet = Sheet::default();
    let page = site.dir.join("acts.html");
    println!("  {:<15} seed  vehicles  violations  found  wrong  lawful", "scene");
    for seed in plan.first..plan.first + plan.seeds {
        for scene in scenes {
            let played = played(&site, &config, since, scene, seed)?;
            let [violations, found, wrong, lawful] = played.sums();
            println!(
                "  {scene:<15} {seed:>4}  {:>8}  {violations:>10}  {found:>5}  {wrong:>5}  {lawful:>6}",
                played.vehicles
            );
            for line in &played.faults {
                println!("    {line}");
            }
            sum.add(played);
            sheet.add(&format!("{scene} {seed}"), &packages(&site, scene, seed))?;
            // Who breaks it off keeps what there is.
            sum.write(&plan.json)?;
            sheet.write(&page)?;
        }
    }
    println!("\n{sum}");
    println!("{}\npictures to look at: {}", plan.json.display(), page.display());
    ensure!(
        sum.sums()[0] > 0,
        "nobody does anything forbidden in these recordings: nothing is shown"
    );
    let below: Vec<String> = sum.acts.values().flat_map(Row::below).collect();
    if !below.is_empty() {
        bail!("below the bar of {BAR} and nobody accused wrongly: {}", below.join(", "));
    }
    Ok(())
}

/// Where the agent puts what it seals of a recording.
fn packages(site: &Site, scene: &str, seed: u64) -> PathBuf {
    site.dir.join(format!("replay-{scene}-{seed}"))
}

/// When what decides about a score was made: the programs and the weights.
fn made(site: &Site, weights: &Path) -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for program in ["edge-agent", "world"] {
        newest = newest.max(modified(Path::new(site.program(program)?.get_program()))?);
    }
    for file in std::fs::read_dir(weights).with_context(|| weights.display().to_string())? {
        newest = newest.max(modified(&file?.path())?);
    }
    Ok(newest)
}

/// What the agent made of a recording, played now or by an earlier run of the same programs.
fn played(site: &Site, config: &Path, since: SystemTime, scene: &str, seed: u64) -> Result<Table> {
    let kept = site.dir.join(format!("played-{scene}-{seed}.json"));
    if modified(&kept).is_ok_and(|at| at > since) {
        let text = std::fs::read_to_string(&kept)?;
        return serde_json::from_str(&text).with_context(|| kept.display().to_string());
    }
    let table = play(site, config, scene, seed)?;
    json::write(&kept, &table)?;
    Ok(table)
}

/// One recording through the agent.
fn play(site: &Site, config: &Path, scene: &str, seed: u64) -> Result<Table> {
    let (clip, truth, geometry) = if scene == camera::JUNCTION {
        camera::render_weather(site, seed, SKIES[(seed % 4) as usize])?
    } else {
        camera::render_scene(site, scene, seed)?
    };
    let which = format!("{scene}-{seed}");
    let out = packages(site, scene, seed);
    if out.exists() {
        std::fs::remove_dir_all(&out).with_context(|| format!("empty {}", out.display()))?;
    }
    let events = site.dir.join(format!("events-{which}.jsonl"));
    let log = site.log(&format!("replay-{which}"));
    let mut replay = site.program("edge-agent")?;
    replay.args(["replay", "--json", "--start", START, "--config"]).arg(&geometry);
    replay.arg("--config").arg(config).arg("--input").arg(&clip).arg("--out").arg(&out);
    if scene == AVERAGE_SPEED {
        let (clip, _, geometry) = camera::render_further(site, scene, seed)?;
        replay.arg("--config").arg(&geometry).arg("--input").arg(&clip);
    }
    let status = replay
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&events)?)
        .stderr(std::fs::File::create(&log)?)
        .status()
        .context("run edge-agent replay")?;
    if !status.success() {
        bail!("edge-agent replay of {which} ended with {status}; {}", log.display());
    }
    let mut judge = site.program("world")?;
    judge.args(["score", "--json", "--truth"]).arg(&truth).arg("--events").arg(&events);
    let told: Told = serde_json::from_str(&process::finish(judge)?).context("world score")?;
    let seeds = BTreeSet::from([seed]);
    let named = |row: Row| {
        let act = if scene == AVERAGE_SPEED { AVERAGE_SPEED.to_owned() } else { row.act.clone() };
        (act.clone(), Row { act, seeds: seeds.clone(), ..row })
    };
    let acts = told.rows.into_iter().map(named).collect();
    let missed = told.missed.into_iter().map(|line| format!("missed: {line}"));
    let wrong = told.invented.into_iter().map(|line| format!("wrong:  {line}"));
    Ok(Table { vehicles: told.vehicles, acts, faults: missed.chain(wrong).collect() })
}

/// What `world score` tells, as far as it is needed.
#[derive(Debug, Deserialize)]
struct Told {
    vehicles: u64,
    rows: Vec<Row>,
    missed: Vec<String>,
    invented: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Row {
    act: String,
    #[serde(default)]
    seeds: BTreeSet<u64>,
    violations: u64,
    found: u64,
    wrong: u64,
    lawful: u64,
    plates_right: u64,
    look_alikes: BTreeMap<String, Seeming>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Seeming {
    lawful: u64,
    wrong: u64,
}

impl Row {
    /// What of it is below the bar, in words.
    fn below(&self) -> Vec<String> {
        let Self { act, violations, found, wrong, plates_right, .. } = self;
        let mut below = Vec::new();
        if *wrong > 0 {
            below.push(format!("{act}: {wrong} accused wrongly"));
        }
        if ratio(*found, *violations) < BAR {
            below.push(format!("{act}: {found} of {violations} found"));
        }
        if act == PLATES_NEAR && ratio(*plates_right, *found) < BAR {
            below.push(format!("{act}: {plates_right} of {found} plates right"));
        }
        below
    }
}

/// The acts of one or several recordings.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Table {
    vehicles: u64,
    acts: BTreeMap<String, Row>,
    /// Who was missed and who accused wrongly, in words.
    faults: Vec<String>,
}

impl Table {
    fn add(&mut self, other: Self) {
        self.vehicles += other.vehicles;
        for (act, row) in other.acts {
            let sum = self.acts.entry(act.clone()).or_insert_with(|| Row { act, ..Row::default() });
            sum.seeds.extend(row.seeds);
            sum.violations += row.violations;
            sum.found += row.found;
            sum.wrong += row.wrong;
            sum.lawful += row.lawful;
            sum.plates_right += row.plates_right;
            for (class, seeming) in row.look_alikes {
                let sum = sum.look_alikes.entry(class).or_default();
                sum.lawful += seeming.lawful;
                sum.wrong += seeming.wrong;
            }
        }
    }

    fn sums(&self) -> [u64; 4] {
        let sum = |of: fn(&Row) -> u64| self.acts.values().map(of).sum();
        [
            sum(|row| row.violations),
            sum(|row| row.found),
            sum(|row| row.wrong),
            sum(|row| row.lawful),
        ]
    }

    fn write(&self, path: &Path) -> Result<()> {
        json::write(path, &self.acts.values().collect::<Vec<_>>())
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "  {:<27} violations  found  wrong  lawful  plate right", "act")?;
        for Row { act, violations, found, wrong, lawful, plates_right, look_alikes, .. } in
            self.acts.values()
        {
            writeln!(
                f,
                "  {act:<27} {violations:>10}  {found:>5}  {wrong:>5}  {lawful:>6}  {plates_right:>11}"
            )?;
            for (class, Seeming { lawful, wrong }) in look_alikes {
                writeln!(f, "    {class:<25} {:>10}  {:>5}  {wrong:>5}  {lawful:>6}", "", "")?;
            }
        }
        Ok(())
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    // Counts of vehicles: far below 2^53.
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_add_up_and_are_written_a_row_an_act() {
        let row = r#"{"act":"wrong_way","violations":6,"found":5,"wrong":0,"lawful":2,
            "plates_right":4,"look_alikes":{"weaves":{"lawful":2,"wrong":0}}}"#;
        let one = |seed| {
            let row = Row { seeds: BTreeSet::from([seed]), ..serde_json::from_str(row).unwrap() };
            let acts = BTreeMap::from([(row.act.clone(), row)]);
            Table { vehicles: 18, acts, faults: Vec::new() }
        };
        let mut sum = Table::default();
        sum.add(one(3));
        sum.add(one(4));
        assert_eq!((sum.vehicles, sum.sums()), (36, [12, 10, 0, 4]));
        assert_eq!(sum.acts["wrong_way"].below(), ["wrong_way: 10 of 12 found"]);
        assert!(sum.to_string().contains("weaves"));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results/score.json");
        sum.write(&path).unwrap();
        let rows: Vec<Row> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!((rows[0].act.as_str(), rows[0].look_alikes["weaves"].lawful), ("wrong_way", 4));
        assert_eq!(rows[0].seeds, BTreeSet::from([3, 4]));
    }
}
