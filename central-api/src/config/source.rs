//! Layers of configuration, and where each value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::REFERENCE;

const PREFIX: &str = "CENTRAL_";

/// A mistake in the configuration, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// `FILE:LINE`, `environment NAME`, or the built-in reference.
    place: String,
    key: String,
    problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{} ", self.key)?;
        }
        f.write_str(&self.problem)
    }
}

/// The merged values and the origin of each.
#[derive(Debug)]
pub(super) struct Layers {
    merged: Table,
    file: Option<(PathBuf, String)>,
    /// Dotted key → variable that set it.
    environment: BTreeMap<String, String>,
}

impl Layers {
    pub(super) fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let merged = REFERENCE.parse().map_err(|e: toml::de::Error| ConfigError {
            place: "built-in reference".into(),
            key: String::new(),
            problem: e.message().to_owned(),
        })?;
        let mut layers = Self { merged, file: None, environment: BTreeMap::new() };
        if let Some(path) = file {
            layers.add_file(path)?;
        }
        for (name, value) in environment {
            if let Some(key) = name.strip_prefix(PREFIX) {
                layers.add_variable(&name, key, &value)?;
            }
        }
        Ok(layers)
    }

    fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let error =
            |place: String, problem: String| ConfigError { place, key: String::new(), problem };
        let text = crate::text_file::read(path)
            .map_err(|e| error(path.display().to_string(), format!("cannot be read: {e}")))?;
        let table: Table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map_or(1, |span| line_of(&text, span.start));
            error(format!("{}:{line}", path.display()), e.message().to_owned())
        })?;
        self.file = Some((path.to_owned(), text));
        let mut merged = self.merged.clone();
        merge(&mut merged, table, "").map_err(|(key, problem)| self.locate(&key, problem))?;
        self.merged = merged;
        Ok(())
    }

    fn add_variable(&mut self, name: &str, key: &str, text: &str) -> Result<(), ConfigError> {
        let dotted = key.to_ascii_lowercase().replace("__", ".");
        let error = |problem: String| ConfigError {
            place: format!("environment {name}"),
            key: dotted.clone(),
            problem,
        };
        let (section, leaf) =
            dotted.split_once('.').ok_or_else(|| error("is not CENTRAL_SECTION__KEY".into()))?;
        let slot = self
            .merged
            .get_mut(section)
            .and_then(Value::as_table_mut)
            .and_then(|table| table.get_mut(leaf))
            .ok_or_else(|| error("is no key of the configuration".into()))?;
        let parsed = match slot {
            Value::String(_) => Some(Value::String(text.to_owned())),
            Value::Integer(_) => text.parse().ok().map(Value::Integer),
            Value::Float(_) => text.parse().ok().map(Value::Float),
            Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
            Value::Array(items) if items.iter().all(Value::is_str) => Some(Value::Array(
                text.split(',').map(|item| Value::String(item.trim().to_owned())).collect(),
            )),
            _ => None,
        };
        *slot = parsed.ok_or_else(|| error(format!("must be {}", kind(slot))))?;
        self.environment.insert(dotted.clone(), name.to_owned());
        Ok(())
    }

    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        Value::Table(self.merged.clone()).try_into().map_err(|e: toml::de::Error| {
            // The error of a value tree ends with "in `section.key`".
            let text = e.to_string();
            let key = text.rsplit_once("in `").and_then(|(_, rest)| rest.split('`').next());
            let key = key.unwrap_or_default().to_owned();
            let problem = e.message().to_owned();
            let example = lookup(&REFERENCE.parse().unwrap_or_default(), &key)
                .map_or(String::new(), |value| format!("; for example {value}"));
            self.locate(&key, format!("{problem}{example}"))
        })
    }

    /// The error for `key`, placed where the value came from.
    pub(super) fn locate(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        let place = if let Some(name) = self.environment.get(key) {
            format!("environment {name}")
        } else if let Some((path, text)) = &self.file {
            match line_of_key(text, key) {
                Some(line) => format!("{}:{line}", path.display()),
                None => path.display().to_string(),
            }
        } else {
            "built-in reference".into()
        };
        ConfigError { place, key: key.to_owned(), problem: problem.into() }
    }
}

/// Lays `over` on `base`, whose keys and types are the only ones there are.
fn merge(base: &mut Table, over: Table, path: &str) -> Result<(), (String, String)> {
    for (key, value) in over {
        let dotted = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let known = base.keys().cloned().collect::<Vec<_>>().join(", ");
        match (base.get_mut(&key), value) {
            (None, _) => return Err((dotted, format!("is unknown; known here: {known}"))),
            (Some(Value::Table(base)), Value::Table(over)) => merge(base, over, &dotted)?,
            (Some(slot @ Value::Float(_)), Value::Integer(whole)) => {
                *slot = Value::Float(whole as f64);
            }
            (Some(slot), value) if slot.same_type(&value) => *slot = value,
            (Some(slot), value) => {
                let problem =
                    format!("is {}, must be {}; for example {slot}", kind(&value), kind(slot));
                return Err((dotted, problem));
            }
        }
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text in quotes",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}

fn lookup(table: &Table, dotted: &str) -> Option<Value> {
    let mut value = &Value::Table(table.clone());
    for part in dotted.split('.') {
        value = value.get(part)?;
    }
    Some(value.clone())
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

/// Line of the deepest part of `dotted` that the file has.
fn line_of_key(text: &str, dotted: &str) -> Option<usize> {
    let root: Spanned<DeTable<'_>> = DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let mut line = None;
    for part in dotted.split('.') {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref().as_ref() == part)
        else {
            break;
        };
        line = Some(line_of(text, key.span().start));
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    line
}
