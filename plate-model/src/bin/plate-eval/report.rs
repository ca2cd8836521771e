//! What is told: tables of figures by group with what each figure means, costs, and what the
//! readings' confidence is worth; as text or as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use contract::manifest::ModelUsed;
use plate_model::timing::Samples;
use serde::Serialize;

use crate::calibration::Calibration;
use crate::confusion::Confusion;
use crate::cost::{Cost, Costs};
use crate::job::{Groups, Key};
use crate::score::{Operating, share};

/// A kind of figure.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub meaning: &'static str,
}

/// Figures of one group; the order of names is the order of columns.
pub type Figures = Vec<(Column, Figure)>;

/// A number of things, or a share or mean between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figure {
    Count(usize),
    Share(f64),
}

impl Column {
    pub const fn new(name: &'static str, meaning: &'static str) -> Self {
        Self { name, meaning }
    }

    pub fn count(self, count: usize) -> (Self, Figure) {
        (self, Figure::Count(count))
    }

    /// None of nothing.
    pub fn share(self, part: usize, whole: usize) -> Option<(Self, Figure)> {
        (whole > 0).then(|| (self, Figure::Share(share(part, whole))))
    }

    pub fn value(self, value: Option<f64>) -> Option<(Self, Figure)> {
        value.map(|value| (self, Figure::Share(value)))
    }
}

/// Confusions that the text shows; the CSV has all.
const SHOWN_CONFUSIONS: usize = 15;

/// One evaluation's result.
#[derive(Debug, Serialize)]
pub struct Report {
    pub what: &'static str,
    pub split: &'static str,
    pub models: Vec<ModelUsed>,
    /// Shipped thresholds that the figures refer to.
    pub thresholds: BTreeMap<&'static str, f32>,
    pub pictures: usize,
    /// What was missing, unreadable or not scored.
    pub skipped: Vec<String>,
    pub definitions: BTreeMap<&'static str, &'static str>,
    /// Table → group → figure.
    pub tables: BTreeMap<&'static str, BTreeMap<String, BTreeMap<&'static str, Figure>>>,
    /// Of all together, as the score threshold moves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholded: Vec<Operating>,
    pub costs: Vec<Costs>,
    /// All that our code did for one picture or crop, decoding of the file apart.
    pub median_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub confusions: Vec<Confusion>,
    #[serde(skip)]
    columns: Vec<&'static str>,
    #[serde(skip)]
    times: Samples,
    #[serde(skip)]
    unlabelled: usize,
}

impl Report {
    pub fn new(what: &'static str, split: &'static str, models: Vec<ModelUsed>) -> Self {
        Self {
            what,
            split,
            models,
            thresholds: BTreeMap::new(),
            pictures: 0,
            skipped: Vec::new(),
            definitions: BTreeMap::new(),
            tables: BTreeMap::new(),
            thresholded: Vec::new(),
            costs: Vec::new(),
            median_ms: 0.0,
            calibration: None,
            confusions: Vec::new(),
            columns: Vec::new(),
            times: Samples::default(),
            unlabelled: 0,
        }
    }

    pub fn skip(&mut self, what: String) {
        self.skipped.push(what);
    }

    /// A picture was predicted and has nothing to score it by.
    pub fn unlabelled(&mut self) {
        self.unlabelled += 1;
    }

    /// One picture was handled in that time.
    pub fn picture(&mut self, time: Duration) {
        self.pictures += 1;
        self.times.add(time);
    }

    pub fn cost(&mut self, cost: Cost) {
        let cost = cost.finish();
        if cost.samples > 0 {
            self.costs.push(cost);
        }
    }

    pub fn groups<T>(&mut self, groups: &Groups<T>, figures: impl Fn(&T) -> Figures) {
        for (key, counts) in groups {
            self.group(key, figures(counts));
        }
    }

    fn group(&mut self, (table, group): &Key, figures: Figures) {
        let mut line = BTreeMap::new();
        for (Column { name, meaning }, value) in figures {
            if !self.columns.contains(&name) {
                self.columns.push(name);
            }
            self.definitions.insert(name, meaning);
            line.insert(name, value);
        }
        self.tables.entry(table).or_default().insert(group.clone(), line);
    }

    /// Nothing more comes.
    pub fn finish(mut self) -> Self {
        self.median_ms = self.times.median_ms();
        if self.unlabelled > 0 {
            let unlabelled = self.unlabelled;
            self.skip(format!("{unlabelled} have no labels: predicted, not scored"));
        }
        self
    }

    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let Self { what, split, pictures, median_ms, .. } = self;
        writeln!(out, "{what}, split {split}: {pictures} pictures, median {median_ms:.1} ms each")?;
        for skipped in &self.skipped {
            writeln!(out, "skipped: {skipped}")?;
        }
        for (name, threshold) in &self.thresholds {
            writeln!(out, "shipped threshold of {name}: {threshold}")?;
        }
        self.write_tables(out)?;
        if !self.thresholded.is_empty() {
            writeln!(out, "recall and precision of all as the score threshold moves:")?;
            for Operating { threshold, recall, precision } in &self.thresholded {
                writeln!(out, "  {threshold:<5} {recall:.4} {precision:.4}")?;
            }
        }
        for cost in &self.costs {
            writeln!(
                out,
                "{:18} {:7.2} ms (fastest {:.2}), bare ONNX Runtime {:7.2} ms (fastest {:.2}), {} pairs",
                cost.what,
                cost.median_ms,
                cost.fastest_ms,
                cost.bare_median_ms,
                cost.bare_fastest_ms,
                cost.samples
            )?;
        }
        if let Some(calibration) = &self.calibration {
            write!(out, "{calibration}")?;
        }
        if !self.confusions.is_empty() {
            writeln!(out, "\nmost frequent confusions, printed → read:")?;
            for confusion in self.confusions.iter().take(SHOWN_CONFUSIONS) {
                let Confusion { printed, read, count, of } = confusion;
                writeln!(out, "  {printed} → {read}  {count} of {of}")?;
            }
        }
        Ok(())
    }

    fn write_tables(&self, out: &mut String) -> std::fmt::Result {
        let names = self.tables.iter().flat_map(|(table, groups)| {
            groups.keys().map(move |group| (*table, group, name(table, group).len()))
        });
        let width = names.map(|(.., length)| length).max().unwrap_or(0);
        write!(out, "\n{:width$}", "")?;
        for column in &self.columns {
            write!(out, "{column:>0$}", room(column))?;
        }
        writeln!(out)?;
        for (table, groups) in &self.tables {
            for (group, figures) in groups {
                write!(out, "{:width$}", name(table, group))?;
                for column in &self.columns {
                    let room = room(column);
                    match figures.get(column) {
                        Some(Figure::Count(count)) => write!(out, "{count:>room$}")?,
                        Some(Figure::Share(share)) => write!(out, "{share:>room$.4}")?,
                        None => write!(out, "{:>room$}", "-")?,
                    }
                }
                writeln!(out)?;
            }
        }
        writeln!(out)?;
        let mut told = "";
        for column in &self.columns {
            let meaning = self.definitions[column];
            // What means the same for each class is told once.
            if meaning != told {
                writeln!(out, "{column}: {meaning}")?;
            }
            told = meaning;
        }
        writeln!(out)
    }
}

/// Room for a column's head and its figures.
fn room(column: &str) -> usize {
    column.len().max(6) + 2
}

fn name(table: &str, group: &str) -> String {
    if table == group { table.to_owned() } else { format!("{table} {group}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATES: Column = Column::new("plates", "labelled plates");
    const RECALL: Column = Column::new("recall", "share found");

    #[test]
    fn the_same_figures_stand_in_text_and_json() {
        let mut report = Report::new("plates", "all", Vec::new());
        let mut groups: Groups<(usize, usize)> = Groups::new();
        groups.insert(("all", "all".to_owned()), (4, 1));
        groups.insert(("domain", "hung".to_owned()), (0, 0));
        report.groups(&groups, |(all, found)| {
            let figures = [Some(PLATES.count(*all)), RECALL.share(*found, *all)];
            figures.into_iter().flatten().collect()
        });
        report.unlabelled();
        let report = report.finish();
        let text = report.text();
        assert!(text.contains("recall: share found"), "{text}");
        assert!(text.lines().any(|line| line.split_whitespace().eq(["all", "4", "0.2500"])));
        // A share of nothing is no figure.
        assert!(text.lines().any(|l| l.split_whitespace().eq(["domain", "hung", "0", "-"])));
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(json["tables"]["all"]["all"]["recall"], 0.25);
        assert_eq!(json["tables"]["all"]["all"]["plates"], 4);
        assert!(json["tables"]["domain"]["hung"].get("recall").is_none());
        assert!(json["skipped"][0].as_str().unwrap().contains("predicted, not scored"));
    }
}
