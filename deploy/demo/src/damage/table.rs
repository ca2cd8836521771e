//! The counts of all variants, a line a kind, and the bar they are held to.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;

use crate::json;

/// Of the events outside the damaged time, the share that must be kept.
const KEPT: f64 = 0.7;

/// Within this of a part's beginning and end, seconds, it need not show what the whole does.
pub const EDGE: f64 = 3.0;

/// What one variant did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    pub kind: String,
    /// The variant: scene, encoding, seconds, fault, drawing.
    pub name: String,
    pub made: u64,
    pub kept: u64,
    pub made_outside: u64,
    pub kept_outside: u64,
    /// Accusations that the undamaged run does not make, in words.
    pub new: Vec<String>,
    /// Of them, those of drivers who did nothing.
    pub innocent: u64,
}

impl Outcome {
    /// From what `world compare` says of a recording that shows the seconds of `part` of its scene. In
    /// its last moments the one run may still see an offence end that the other does not.
    pub fn new(kind: &str, name: String, part: [f64; 2], comparison: &Value) -> Result<Self> {
        let [start, end] = part;
        let count = |key: &str| {
            comparison[key].as_u64().with_context(|| format!("world compare gave no {key}"))
        };
        let mut new = comparison["new"].as_array().context("world compare gave no new")?.clone();
        new.retain(|event| {
            let at = event["at"].as_f64().unwrap_or_default() + start;
            event["true_after_all"] == false || at < end - EDGE
        });
        let told = new.iter().map(|event| {
            format!(
                "{} of a {} with plate {} at {:.2} s",
                event["act"].as_str().unwrap_or_default(),
                event["vehicle"].as_str().unwrap_or_default(),
                event.pointer("/plate/text").and_then(Value::as_str).unwrap_or("unread"),
                event["at"].as_f64().unwrap_or_default() + start
            )
        });
        let innocent = new.iter().filter(|event| event["true_after_all"] == false).count();
        Ok(Self {
            kind: kind.into(),
            name,
            made: count("made")?,
            kept: count("kept")?,
            made_outside: count("made_outside")?,
            kept_outside: count("kept_outside")?,
            new: told.collect(),
            innocent: innocent as u64,
        })
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.name, self.new.join("; "))
    }
}

#[derive(Debug, Clone, Default, Serialize)]
struct Row {
    variants: u64,
    /// Variants that accuse anybody newly, and how many they accuse.
    accusing: u64,
    new: u64,
    innocent: u64,
    made: u64,
    kept: u64,
    made_outside: u64,
    kept_outside: u64,
}

impl Row {
    fn add(&mut self, outcome: &Outcome) {
        self.variants += 1;
        self.accusing += u64::from(!outcome.new.is_empty());
        self.new += outcome.new.len() as u64;
        self.innocent += outcome.innocent;
        self.made += outcome.made;
        self.kept += outcome.kept;
        self.made_outside += outcome.made_outside;
        self.kept_outside += outcome.kept_outside;
    }

    fn kept_share(&self) -> f64 {
        // Counts of vehicles: far below 2^53.
        if self.made_outside == 0 {
            1.0
        } else {
            self.kept_outside as f64 / self.made_outside as f64
        }
    }
}

/// Counts by kind and in all.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Table {
    kinds: BTreeMap<String, Row>,
    all: Row,
}

impl Table {
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut table = Self::default();
        for outcome in outcomes {
            table.kinds.entry(outcome.kind.clone()).or_default().add(outcome);
            table.all.add(outcome);
        }
        table
    }

    /// Nobody newly accused and enough kept of what there was to keep; of the few events of the
    /// short form, some.
    pub fn holds(&self, short: bool) -> bool {
        let least = if short { f64::EPSILON } else { KEPT };
        self.all.new == 0 && self.all.kept_share() >= least && self.all.made > 0
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  kind         variants  accusing  new  innocent  kept outside   kept in all"
        )?;
        let all = ("all".to_owned(), self.all.clone());
        for (kind, row) in self.kinds.clone().into_iter().chain([all]) {
            let outside = format!("{} of {}", row.kept_outside, row.made_outside);
            let whole = format!("{} of {}", row.kept, row.made);
            writeln!(
                f,
                "  {kind:<11}  {:>8}  {:>8}  {:>3}  {:>8}  {outside:>12}  {whole:>12}",
                row.variants, row.accusing, row.new, row.innocent,
            )?;
        }
        write!(
            f,
            "newly accused {}, kept outside the damaged time {:.3}",
            self.all.new,
            self.all.kept_share()
        )
    }
}

/// Writes table and variants as JSON.
pub fn write(path: &Path, table: &Table, outcomes: &[Outcome]) -> Result<()> {
    json::write(path, &serde_json::json!({ "table": table, "variants": outcomes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(made: u64, kept: u64, new: &[&str]) -> Outcome {
        let new: Vec<String> = new.iter().map(ToString::to_string).collect();
        Outcome {
            kind: "lost".into(),
            made,
            kept,
            made_outside: made,
            kept_outside: kept,
            new,
            ..Outcome::default()
        }
    }

    #[test]
    fn the_bar_is_nobody_new_and_enough_kept() {
        assert!(Table::of(&[outcome(6, 4, &[]), outcome(4, 3, &[])]).holds(false));
        assert!(!Table::of(&[outcome(6, 4, &[]), outcome(4, 2, &[])]).holds(false));
        assert!(!Table::of(&[outcome(10, 10, &["somebody"])]).holds(true));
        assert!(Table::of(&[outcome(6, 1, &[])]).holds(true));
        assert!(!Table::of(&[outcome(6, 0, &[])]).holds(true));
        assert!(!Table::of(&[outcome(0, 0, &[])]).holds(true), "nothing shown");
    }

    #[test]
    fn what_world_compare_says_is_read() {
        let said = serde_json::json!({
            "made": 3, "kept": 2, "made_outside": 2, "kept_outside": 2,
            "new": [{
                "act": "red_light", "at": 1.5, "vehicle": "car",
                "plate": {"text": "30A12345"}, "true_after_all": false,
            }],
        });
        let outcome = Outcome::new("lost", "x".into(), [40.0, 50.0], &said).unwrap();
        assert_eq!((outcome.made, outcome.kept_outside, outcome.innocent), (3, 2, 1));
        assert_eq!(outcome.new, ["red_light of a car with plate 30A12345 at 41.50 s"]);
        let mut late = said.clone();
        late["new"][0]["at"] = 7.5.into();
        let new = |said: &Value| Outcome::new("lost", "x".into(), [40.0, 50.0], said).unwrap().new;
        assert_eq!(new(&late).len(), 1, "an innocent one counts to the last");
        late["new"][0]["true_after_all"] = true.into();
        assert_eq!(new(&late).len(), 0, "an offence may end as the part does");
        assert!(Outcome::new("lost", "x".into(), [0.0, 9.0], &Value::Null).is_err());
    }
}
