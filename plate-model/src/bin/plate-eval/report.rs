//! What is printed: one line a group of pictures, or the same as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

/// Figures of one group; the order of names is the order of columns.
pub type Figures = Vec<(&'static str, f64)>;

/// A table of figures by group.
#[derive(Debug, Serialize)]
pub struct Report {
    pub what: &'static str,
    pub pictures: usize,
    /// What was missing or unreadable.
    pub skipped: Vec<String>,
    pub groups: BTreeMap<String, BTreeMap<&'static str, f64>>,
    pub median_ms: f64,
    #[serde(skip)]
    columns: Vec<&'static str>,
    #[serde(skip)]
    times: Vec<Duration>,
}

impl Report {
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            pictures: 0,
            skipped: Vec::new(),
            groups: BTreeMap::new(),
            median_ms: 0.0,
            columns: Vec::new(),
            times: Vec::new(),
        }
    }

    pub fn skip(&mut self, what: String) {
        self.skipped.push(what);
    }

    /// One picture was handled in that time.
    pub fn picture(&mut self, time: Duration) {
        self.pictures += 1;
        self.times.push(time);
        self.times.sort();
        self.median_ms = self.times[self.times.len() / 2].as_secs_f64() * 1e3;
    }

    pub fn group(&mut self, name: impl Into<String>, figures: Figures) {
        for (column, _) in &figures {
            if !self.columns.contains(column) {
                self.columns.push(column);
            }
        }
        self.groups.insert(name.into(), figures.into_iter().collect());
    }

    pub fn print(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        println!("{}: {} pictures, median {:.1} ms", self.what, self.pictures, self.median_ms);
        for skipped in &self.skipped {
            println!("skipped: {skipped}");
        }
        let width = self.groups.keys().map(String::len).max().unwrap_or(0).max(8);
        print!("{:width$}", "");
        for column in &self.columns {
            print!(" {column:>15}");
        }
        println!();
        for (name, figures) in &self.groups {
            print!("{name:width$}");
            for column in &self.columns {
                match figures.get(column) {
                    Some(value) if value.fract() == 0.0 && value.abs() >= 2.0 => {
                        print!(" {value:>15}");
                    }
                    Some(value) => print!(" {value:>15.4}"),
                    None => print!(" {:>15}", "-"),
                }
            }
            println!();
        }
        Ok(())
    }
}

/// A share that is 0 of nothing.
pub fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
