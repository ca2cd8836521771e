//! TOML files as one tree that remembers where every value came from. Later files refine earlier
//! ones key by key; cameras are matched by their id.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::ConfigError;

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    pub value: Value,
    pub place: Place,
}

#[derive(Debug, Clone)]
pub enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// Dates are compared as written.
    Date(String),
    Array(Vec<Node>),
    Table(Table),
}

impl Value {
    /// The kind in the words of an error message.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Boolean(_) => "a boolean",
            Self::Date(_) => "a date",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

/// Keys in file order.
#[derive(Debug, Clone, Default)]
pub struct Table(pub Vec<(String, Node)>);

impl Table {
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    fn text(&self, key: &str) -> Option<&str> {
        match self.get(key).map(|node| &node.value) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Lays `other` over this table.
    pub fn merge(&mut self, other: Self) {
        for (key, node) in other.0 {
            let Some((_, mine)) = self.0.iter_mut().find(|(name, _)| *name == key) else {
                self.0.push((key, node));
                continue;
            };
            match (&mut mine.value, node.value) {
                (Value::Table(mine), Value::Table(theirs)) => mine.merge(theirs),
                (Value::Array(mine), Value::Array(theirs)) if key == "camera" => {
                    merge_cameras(mine, theirs);
                }
                (_, value) => *mine = Node { value, place: node.place },
            }
        }
    }
}

fn merge_cameras(mine: &mut Vec<Node>, theirs: Vec<Node>) {
    for node in theirs {
        let Value::Table(table) = node.value else {
            mine.push(node);
            continue;
        };
        let same = mine.iter_mut().find_map(|known| match &mut known.value {
            Value::Table(known)
                if known.text("id").is_some() && known.text("id") == table.text("id") =>
            {
                Some(known)
            }
            _ => None,
        });
        match same {
            Some(known) => known.merge(table),
            None => mine.push(Node { value: Value::Table(table), place: node.place }),
        }
    }
}

/// Parses one file. Duplicate camera ids are refused here: across files they mean refinement,
/// within one file they are a slip of copy and paste.
pub fn parse(file: &Path, text: &str) -> Result<Table, Vec<ConfigError>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let locate = Locator { file, text };
    if !errors.is_empty() {
        return Err(errors
            .iter()
            .map(|error| ConfigError {
                place: Some(locate.place(error.span().map_or(0, |span| span.start))),
                key: String::new(),
                problem: format!("is not valid TOML: {}", error.message()),
            })
            .collect());
    }
    let table = locate.table(table.into_inner());
    let mut duplicates = Vec::new();
    if let Some(Value::Array(cameras)) = table.get("camera").map(|node| &node.value) {
        let id = |node: &Node| match &node.value {
            Value::Table(camera) => camera.get("id").cloned(),
            _ => None,
        };
        let ids: Vec<(usize, Node)> =
            cameras.iter().enumerate().filter_map(|(i, c)| Some((i, id(c)?))).collect();
        for (n, (index, node)) in ids.iter().enumerate() {
            let Value::Text(text) = &node.value else { continue };
            let earlier = ids[..n]
                .iter()
                .find(|(_, other)| matches!(&other.value, Value::Text(other) if other == text));
            if let Some((_, other)) = earlier {
                duplicates.push(ConfigError {
                    place: Some(node.place.clone()),
                    key: format!("camera[{index}].id"),
                    problem: format!(
                        "repeats the id {text:?} of line {}: every camera needs its own",
                        other.place.line
                    ),
                });
            }
        }
    }
    if duplicates.is_empty() { Ok(table) } else { Err(duplicates) }
}

struct Locator<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Locator<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        Place {
            file: self.file.to_path_buf(),
            line: 1 + before.iter().filter(|&&b| b == b'\n').count(),
        }
    }

    fn table(&self, table: DeTable<'_>) -> Table {
        Table(
            table
                .into_iter()
                // A table's own span may be its header or its body; its key is what a reader seeks.
                .map(|(key, value)| {
                    let place = self.place(key.span().start);
                    (key.into_inner().into_owned(), self.node(value, Some(place)))
                })
                .collect(),
        )
    }

    fn node(&self, value: Spanned<DeValue<'_>>, place: Option<Place>) -> Node {
        let place = place.unwrap_or_else(|| self.place(value.span().start));
        let value = match value.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(number) => {
                let digits = number.as_str().replace('_', "");
                match i64::from_str_radix(&digits, number.radix()) {
                    Ok(number) => Value::Integer(number),
                    Err(_) => Value::Text(digits),
                }
            }
            DeValue::Float(number) => {
                Value::Float(number.as_str().replace('_', "").parse().unwrap_or(f64::NAN))
            }
            DeValue::Boolean(yes) => Value::Boolean(yes),
            DeValue::Datetime(date) => Value::Date(date.to_string()),
            DeValue::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.node(item, None)).collect())
            }
            DeValue::Table(table) => Value::Table(self.table(table)),
        };
        Node { value, place }
    }
}
