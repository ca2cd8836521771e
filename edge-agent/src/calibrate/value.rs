//! Values between the page's JSON and the file's TOML: checked by the row that they belong to, and put
//! into what stood there with as little change as can be.

use serde_json::{Map, Value as Json};
use toml_edit::{Array, InlineTable, Item, Table, Value};

use super::shapes::{self, FIELDS, Kind, Takes};

/// Longest name.
const MOST_TEXT: usize = 200;
/// Most spans of hours, polygons of a mask.
const MOST_LIST: usize = 32;

/// A value that is not of its row's form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} {problem}")]
pub struct FormError {
    pub key: String,
    pub problem: String,
}

impl FormError {
    pub fn new(key: &str, problem: &str) -> Self {
        Self { key: key.into(), problem: problem.into() }
    }
}

/// Whether `value` has the form of its row: what it says is for the configuration's reader to judge.
pub fn check(section: &str, key: &str, value: &Json) -> Result<(), FormError> {
    let shape = shapes::shapes(section).find(|shape| shape.key == key);
    let field = FIELDS.iter().find(|field| field.section == section && field.key == key);
    let good = match (shape, field) {
        (Some(shape), _) => match shape.kind {
            Kind::Segment | Kind::Line | Kind::Polygon => points(value, shape.points[1]),
            Kind::Polygons => list(value, MOST_LIST, |it| points(it, shape.points[1])),
            Kind::Box => numbers(value, 4),
            Kind::Survey => list(value, shape.points[1], |it| {
                let pair = |key| it.get(key).is_some_and(|it| numbers(it, 2));
                pair("at") && pair("metres") && it.as_object().is_some_and(|it| it.len() == 2)
            }),
        },
        (None, Some(field)) => match field.takes {
            Takes::Text => value.as_str().is_some_and(text),
            Takes::Number { .. } => number(value),
            Takes::Flag => value.is_boolean(),
            Takes::One { of } => value.as_str().is_some_and(|word| of.contains(&word)),
            Takes::Several { of } => {
                list(value, of.len(), |it| it.as_str().is_some_and(|word| of.contains(&word)))
            }
            Takes::Spans => list(value, MOST_LIST, |it| it.as_str().is_some_and(text)),
        },
        (None, None) => false,
    };
    let name = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
    if good { Ok(()) } else { Err(FormError::new(&name, "has not the form that it must have")) }
}

fn text(text: &str) -> bool {
    text.len() <= MOST_TEXT && !text.chars().any(char::is_control)
}

fn number(value: &Json) -> bool {
    value.as_f64().is_some_and(f64::is_finite)
}

fn list(value: &Json, most: usize, each: impl Fn(&Json) -> bool) -> bool {
    value.as_array().is_some_and(|items| items.len() <= most && items.iter().all(each))
}

fn numbers(value: &Json, count: usize) -> bool {
    value.as_array().is_some_and(|items| items.len() == count && items.iter().all(number))
}

fn points(value: &Json, most: usize) -> bool {
    list(value, most, |it| numbers(it, 2))
}

/// What stands in the file; none of what no row has, such as a date.
pub fn json(item: &Item) -> Option<Json> {
    match item {
        Item::Value(value) => of_value(value),
        Item::Table(table) => of_table(table.iter()),
        Item::ArrayOfTables(tables) => tables
            .iter()
            .map(|table| of_table(table.iter()))
            .collect::<Option<Vec<_>>>()
            .map(Json::from),
        Item::None => None,
    }
}

fn of_table<'a>(entries: impl Iterator<Item = (&'a str, &'a Item)>) -> Option<Json> {
    let entries: Option<Map<_, _>> =
        entries.map(|(key, item)| Some((key.to_owned(), json(item)?))).collect();
    entries.map(Json::Object)
}

fn of_value(value: &Value) -> Option<Json> {
    Some(match value {
        Value::String(text) => text.value().clone().into(),
        Value::Integer(number) => (*number.value()).into(),
        Value::Float(number) => (*number.value()).into(),
        Value::Boolean(yes) => (*yes.value()).into(),
        Value::Array(items) => items.iter().map(of_value).collect::<Option<Vec<_>>>()?.into(),
        Value::InlineTable(table) => {
            let entries: Option<Map<_, _>> =
                table.iter().map(|(key, value)| Some((key.to_owned(), of_value(value)?))).collect();
            Json::Object(entries?)
        }
        Value::Datetime(_) => return None,
    })
}

/// A new value, as one writes it by hand. Lists of tables stand a line each.
pub fn plain(new: &Json) -> Value {
    match new {
        Json::Bool(yes) => (*yes).into(),
        Json::String(text) => text.as_str().into(),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => rounded(number.as_f64().unwrap_or_default()).into(),
        },
        Json::Array(items) => {
            let mut array: Array = items.iter().map(plain).collect();
            if items.iter().any(Json::is_object) {
                array.iter_mut().for_each(|item| item.decor_mut().set_prefix("\n  "));
                array.set_trailing("\n");
                array.set_trailing_comma(true);
            }
            array.into()
        }
        Json::Object(entries) => {
            let table: InlineTable =
                entries.iter().map(|(key, value)| (key.as_str(), plain(value))).collect();
            table.into()
        }
        // No row's form allows one.
        Json::Null => "".into(),
    }
}

/// To a tenth of a pixel and less.
fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

/// The same but for how it is written.
fn same(old: &Value, new: &Json) -> bool {
    match (old, new) {
        (Value::Integer(_) | Value::Float(_), Json::Number(new)) => {
            of_value(old).and_then(|old| old.as_f64()) == new.as_f64()
        }
        (Value::Array(old), Json::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new))
        }
        (Value::InlineTable(old), Json::Object(new)) => {
            let each =
                |(key, new): (&String, &Json)| old.get(key).is_some_and(|old| same(old, new));
            old.len() == new.len() && new.iter().all(each)
        }
        _ => of_value(old).as_ref() == Some(new),
    }
}

/// Makes `item` say `new`.
pub fn merge_item(item: &mut Item, new: &Json) {
    match (item, new) {
        (Item::Value(old), new) => merge(old, new),
        (Item::Table(old), Json::Object(new)) => merge_table(old, new),
        (Item::ArrayOfTables(old), Json::Array(new)) => {
            while old.len() > new.len() {
                old.remove(old.len() - 1);
            }
            for (i, new) in new.iter().filter_map(Json::as_object).enumerate() {
                match old.get_mut(i) {
                    Some(table) => merge_table(table, new),
                    None => {
                        let mut table = Table::new();
                        merge_table(&mut table, new);
                        old.push(table);
                    }
                }
            }
        }
        (item, new) => *item = Item::Value(plain(new)),
    }
}

fn merge_table(table: &mut Table, new: &Map<String, Json>) {
    for (key, new) in new {
        match table.get_mut(key) {
            Some(item) => merge_item(item, new),
            None => {
                table.insert(key, Item::Value(plain(new)));
            }
        }
    }
}

fn merge(old: &mut Value, new: &Json) {
    if same(old, new) {
        return;
    }
    match (old, new) {
        (Value::Array(old), Json::Array(new)) => merge_array(old, new),
        (Value::InlineTable(old), Json::Object(new)) => {
            for (key, new) in new {
                match old.get_mut(key) {
                    Some(value) => merge(value, new),
                    None => {
                        old.insert(key, plain(new));
                    }
                }
            }
        }
        (old, new) => {
            let decor = old.decor().clone();
            *old = plain(new);
            *old.decor_mut() = decor;
        }
    }
}

/// What both begin and end with stays; between, one is made of the other as far as they go.
fn merge_array(old: &mut Array, new: &[Json]) {
    let first = old.iter().zip(new).take_while(|(old, new)| same(old, new)).count();
    let rest = old.len().min(new.len()) - first;
    let alike = |back: &usize| {
        old.get(old.len() - back).is_some_and(|old| same(old, &new[new.len() - back]))
    };
    let last = (1..=rest).take_while(alike).count();
    let (ours, theirs) = (old.len() - first - last, new.len() - first - last);
    let between = new.iter().enumerate().take(first + theirs).skip(first);
    for (i, new) in between.clone().take(ours) {
        if let Some(old) = old.get_mut(i) {
            merge(old, new);
        }
    }
    for i in (first + theirs..first + ours).rev() {
        old.remove(i);
    }
    for (i, new) in between.skip(ours) {
        insert(old, i, plain(new));
    }
}

/// Puts a value into an array, set apart as its neighbours are.
pub fn insert(array: &mut Array, at: usize, mut value: Value) {
    let near = array.get(at.max(1)).or_else(|| array.get(array.len().saturating_sub(1)));
    let prefix = near.and_then(|near| near.decor().prefix()?.as_str()).unwrap_or_default();
    // A neighbour's comment is its own.
    let prefix = match prefix.rsplit_once('\n') {
        Some((_, indent)) => format!("\n{indent}"),
        None if at > 0 => " ".into(),
        None => String::new(),
    };
    let breaks = prefix.contains('\n');
    value.decor_mut().set_prefix(prefix);
    if let Some(last) = array.len().checked_sub(1).filter(|last| *last + 1 == at)
        && let Some(last) = array.get_mut(last)
        && let Some(suffix) = last.decor().suffix().and_then(|it| it.as_str()).map(str::to_owned)
    {
        // What stood before the closing bracket.
        last.decor_mut().set_suffix("");
        value.decor_mut().set_suffix(suffix);
    }
    array.insert_formatted(at, value);
    if let Some(pushed) = array.get_mut(at + 1).filter(|_| at == 0 && !breaks) {
        pushed.decor_mut().set_prefix(" ");
    }
}
