//! Takes typed values out of a [`Table`], noting every complaint and going on with a stand-in, so
//! that one run names everything that is wrong. A stand-in never leaves this module's callers:
//! a configuration with complaints is not returned.

use std::cell::RefCell;
use std::path::PathBuf;

use crate::{ConfigError, Node, Place, Table, Value};

/// Where complaints gather.
pub type Complaints = RefCell<Vec<ConfigError>>;

/// One table being read.
#[derive(Debug)]
pub struct Reader<'a> {
    table: &'a Table,
    place: Option<Place>,
    path: String,
    known: RefCell<Vec<&'static str>>,
    complaints: &'a Complaints,
}

impl<'a> Reader<'a> {
    pub fn new(table: &'a Table, place: Option<Place>, path: &str, to: &'a Complaints) -> Self {
        Self { table, place, path: path.into(), known: RefCell::default(), complaints: to }
    }

    /// The full name of `key` in complaints.
    pub fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }

    pub fn complain(&self, place: Option<Place>, key: String, problem: impl Into<String>) {
        self.complaints.borrow_mut().push(ConfigError { place, key, problem: problem.into() });
    }

    /// Complains about `key` where it stands, or about this table where the key is absent.
    pub fn reject(&self, key: &str, problem: impl Into<String>) {
        let place = self.table.get(key).map(|node| node.place.clone()).or(self.place.clone());
        self.complain(place, self.name(key), problem);
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    pub fn take(&self, key: &'static str) -> Option<&'a Node> {
        self.known.borrow_mut().push(key);
        self.table.get(key)
    }

    fn mismatch(&self, key: &str, node: &Node, wanted: &str) {
        self.reject(key, format!("must be {wanted}, found {}", node.value.kind()));
    }

    pub fn opt_text(&self, key: &'static str) -> Option<String> {
        let node = self.take(key)?;
        match &node.value {
            Value::Text(text) if text.trim().is_empty() => {
                self.reject(key, "is empty: give a value or leave the key out");
                None
            }
            // Most texts end in a manifest: what the seal would refuse is refused here, by its rule.
            Value::Text(text) => match contract::manifest::text_problem(text) {
                Some(problem) => {
                    self.reject(key, problem);
                    None
                }
                None => Some(text.clone()),
            },
            _ => {
                self.mismatch(key, node, "a string in quotes");
                None
            }
        }
    }

    pub fn text(&self, key: &'static str, example: &str) -> String {
        if !self.has(key) {
            self.take(key);
            self.reject(key, format!("is missing: add `{key} = {example:?}`"));
            return String::new();
        }
        self.opt_text(key).unwrap_or_default()
    }

    /// A path; relative ones start at the folder of the file they stand in.
    pub fn path(&self, key: &'static str) -> Option<PathBuf> {
        let text = self.opt_text(key)?;
        let folder = self.table.get(key).and_then(|node| node.place.file.parent());
        Some(folder.map_or_else(|| PathBuf::from(&text), |folder| folder.join(&text)))
    }

    pub fn number(&self, key: &'static str, default: f64, range: (f64, f64), unit: &str) -> f64 {
        let Some(node) = self.take(key) else { return default };
        let number = match node.value {
            Value::Integer(n) => n as f64,
            Value::Float(n) => n,
            _ => {
                self.mismatch(key, node, &format!("a number of {unit}"));
                return default;
            }
        };
        if !(range.0..=range.1).contains(&number) {
            self.reject(key, format!("is {number}, must be {} to {} {unit}", range.0, range.1));
            return default;
        }
        number
    }

    pub fn integer(&self, key: &'static str, default: u64, range: (u64, u64), unit: &str) -> u64 {
        let Some(node) = self.take(key) else { return default };
        let Value::Integer(number) = node.value else {
            self.mismatch(key, node, &format!("a whole number of {unit}"));
            return default;
        };
        match u64::try_from(number) {
            Ok(number) if (range.0..=range.1).contains(&number) => number,
            _ => {
                self.reject(key, format!("is {number}, must be {} to {} {unit}", range.0, range.1));
                default
            }
        }
    }

    pub fn boolean(&self, key: &'static str, default: bool) -> bool {
        match self.take(key) {
            None => default,
            Some(Node { value: Value::Boolean(yes), .. }) => *yes,
            Some(node) => {
                self.mismatch(key, node, "true or false");
                default
            }
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, key: &'static str, default: T, words: &[(&str, T)]) -> T {
        let Some(text) = self.opt_text(key) else { return default };
        self.word(key, &text, words).unwrap_or(default)
    }

    pub fn word<T: Copy>(&self, key: &str, text: &str, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == text).map(|&(_, value)| value);
        if found.is_none() {
            let all: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            self.reject(key, format!("is {text:?}, must be one of {}", all.join(", ")));
        }
        found
    }

    /// Several of a few words; none where the key is absent. An empty list is refused: who writes one
    /// means nobody or everybody, and only one of them is what it would do.
    pub fn words<T: Copy + PartialEq>(
        &self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<Vec<T>> {
        let node = self.take(key)?;
        let Value::Array(items) = &node.value else {
            self.mismatch(key, node, "an array of strings");
            return None;
        };
        let mut out = Vec::new();
        for item in items {
            let Value::Text(text) = &item.value else {
                self.mismatch(key, item, "an array of strings");
                return None;
            };
            let word = self.word(key, text, words)?;
            if out.contains(&word) {
                self.reject(key, format!("names {text:?} twice"));
            }
            out.push(word);
        }
        if out.is_empty() {
            self.reject(key, "is empty: name at least one, or leave the key out");
            return None;
        }
        Some(out)
    }

    pub fn array(&self, key: &'static str) -> &'a [Node] {
        match self.take(key) {
            None => &[],
            Some(Node { value: Value::Array(items), .. }) => items,
            Some(node) => {
                self.mismatch(key, node, "an array");
                &[]
            }
        }
    }

    /// The tables of `[[key]]`.
    pub fn tables(&self, key: &'static str) -> Vec<Reader<'a>> {
        let mut out = Vec::new();
        for (index, node) in self.array(key).iter().enumerate() {
            match &node.value {
                Value::Table(table) => out.push(Reader::new(
                    table,
                    Some(node.place.clone()),
                    &format!("{}[{index}]", self.name(key)),
                    self.complaints,
                )),
                _ => self.mismatch(key, node, &format!("written as [[{}]]", self.name(key))),
            }
        }
        out
    }

    /// The table `[key]`.
    pub fn section(&self, key: &'static str) -> Option<Reader<'a>> {
        let node = self.take(key)?;
        let Value::Table(table) = &node.value else {
            self.mismatch(key, node, &format!("a section [{key}]"));
            return None;
        };
        Some(Reader::new(table, Some(node.place.clone()), &self.name(key), self.complaints))
    }

    /// Refuses every key that nobody asked for: a misspelt key must not silently do nothing.
    pub fn finish(self) {
        let known = self.known.borrow();
        for (key, node) in &self.table.0 {
            if known.contains(&key.as_str()) {
                continue;
            }
            let near = known
                .iter()
                .map(|name| (distance(key, name), *name))
                .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
                .min();
            let problem = match near {
                Some((_, name)) => format!("is not known, did you mean `{name}`?"),
                None => {
                    let mut names = known.clone();
                    names.sort_unstable();
                    names.dedup();
                    format!("is not known; here may stand: {}", names.join(", "))
                }
            };
            self.complain(Some(node.place.clone()), self.name(key), problem);
        }
    }
}

/// Levenshtein distance, for suggestions.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("stop_lin", "stop_line"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
