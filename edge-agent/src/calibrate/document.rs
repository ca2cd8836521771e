//! The site file as it is edited: what is drawn of a camera comes out as plain values, what was drawn
//! anew goes in at its place. Comments, order and every other key stay as they were; numbers that
//! nobody moved keep their digits.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use contract::Digest;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike};

use super::shapes::{self, Count, SECTIONS};
use super::value::{self, FormError, json, merge_item, plain};

/// What a section of a list was before: its index in the file.
pub const WAS: &str = "#";
/// Most entries of one section.
const MOST: usize = 64;

/// A camera's drawing, a key a section or a shape.
pub type Drawing = Map<String, Json>;

/// Why a site file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: is not valid TOML: {problem}", path.display())]
    Syntax { path: PathBuf, problem: String },
    #[error("no file has a [[camera]] with id = {0:?}, written as a section of its own")]
    NoCamera(String),
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(
        "{}: was changed by somebody else since it was read: load the page anew, then draw again",
        .0.display()
    )]
    Changed(PathBuf),
}

/// A camera's part of the configuration, opened to be edited.
#[derive(Debug, Clone)]
pub struct Opened {
    pub camera: String,
    /// The file that its drawing stands in.
    pub path: PathBuf,
    pub text: String,
    pub drawing: Drawing,
    /// Drawn in other files: in force, and not edited here.
    pub elsewhere: Vec<Elsewhere>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    pub key: String,
    pub file: String,
}

impl Opened {
    /// Of the files in the order of merging: the last in which something is drawn for the camera, so
    /// that nothing takes precedence over it; where nothing is drawn yet, the last that has it.
    pub fn of(texts: &[(PathBuf, String)], camera: &str) -> Result<Self, DocumentError> {
        let mut found: Vec<Self> = Vec::new();
        for (path, text) in texts {
            let document = parse(path, text)?;
            if let Some(table) = table(&document, camera) {
                let drawing = drawn(table);
                found.push(Self {
                    camera: camera.into(),
                    path: path.clone(),
                    text: text.clone(),
                    drawing,
                    elsewhere: Vec::new(),
                });
            }
        }
        let at = found.iter().rposition(|file| !file.drawing.is_empty());
        let at = at.or_else(|| found.len().checked_sub(1));
        let mut chosen = match at {
            Some(at) => found.remove(at),
            None => return Err(DocumentError::NoCamera(camera.into())),
        };
        for file in found {
            let keys =
                file.drawing.into_iter().filter(|(key, _)| !chosen.drawing.contains_key(key));
            let name = file.path.display().to_string();
            chosen.elsewhere.extend(keys.map(|(key, _)| Elsewhere { key, file: name.clone() }));
        }
        Ok(chosen)
    }

    /// Tells this camera in this version of the file from any other.
    pub fn revision(&self) -> String {
        revision(&self.camera, self.text.as_bytes())
    }

    /// The file's text with another drawing.
    pub fn with(&self, drawing: &Drawing) -> Result<String, DocumentError> {
        edited(&self.path, &self.text, &self.camera, drawing)
    }

    /// Writes `text` in place of the file, whole or not at all; not where the file is no longer the
    /// one of `revision`.
    pub fn save(&self, revision: &str, text: &str) -> Result<(), DocumentError> {
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |source| DocumentError::Io { path, source }
        };
        // A link stays one: what it names is written.
        let path = fs::canonicalize(&self.path).map_err(wrong(&self.path))?;
        let now = fs::read(&path).map_err(wrong(&path))?;
        if self::revision(&self.camera, &now) != revision {
            return Err(DocumentError::Changed(self.path.clone()));
        }
        let before = fs::metadata(&path).map_err(wrong(&path))?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let staged = folder.join(format!(".{name}.{}", std::process::id()));
        let written = write(&staged, text, &before).and_then(|()| fs::rename(&staged, &path));
        if written.is_err() {
            // It may not even be there.
            let _ = fs::remove_file(&staged);
        }
        written.map_err(wrong(&path))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(wrong(folder))
    }
}

/// Cameras may share a file: each has revisions of its own.
fn revision(camera: &str, text: &[u8]) -> String {
    let camera = Digest::of(camera.as_bytes());
    Digest::of(&[camera.as_bytes().as_slice(), text].concat()).to_string()
}

/// A file beside the one it replaces, as its owner may read it.
fn write(staged: &Path, text: &str, like: &fs::Metadata) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(staged)?;
    file.write_all(text.as_bytes())?;
    let mine = file.metadata()?;
    if (mine.uid(), mine.gid()) != (like.uid(), like.gid()) {
        std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(like.permissions())?;
    file.sync_all()
}

fn parse(path: &Path, text: &str) -> Result<DocumentMut, DocumentError> {
    let syntax = |error: toml_edit::TomlError| DocumentError::Syntax {
        path: path.to_owned(),
        problem: error.message().to_owned(),
    };
    text.parse().map_err(syntax)
}

fn is(table: &Table, camera: &str) -> bool {
    table.get("id").and_then(Item::as_str) == Some(camera)
}

fn table<'a>(document: &'a DocumentMut, camera: &str) -> Option<&'a Table> {
    document.get("camera")?.as_array_of_tables()?.iter().find(|table| is(table, camera))
}

/// What is drawn in a camera's table, as far as it has the form of a section.
fn drawn(camera: &Table) -> Drawing {
    let mut drawing = Drawing::new();
    for section in &SECTIONS {
        let values = |table: &dyn TableLike| -> Map<String, Json> {
            let of = |key: &'static str| Some((key.to_owned(), json(table.get(key)?)?));
            shapes::keys(section.key).filter_map(of).collect()
        };
        match section.count {
            Count::Camera => drawing.extend(values(camera)),
            Count::One => {
                if let Some(table) = camera.get(section.key).and_then(Item::as_table_like) {
                    drawing.insert(section.key.into(), values(table).into());
                }
            }
            Count::Many => {
                let Some(item) = camera.get(section.key) else { continue };
                let entry = |(i, table): (usize, &dyn TableLike)| {
                    let was = std::iter::once((WAS.to_owned(), Json::from(i)));
                    Json::Object(was.chain(values(table)).collect())
                };
                let entries: Vec<Json> = entries(item).into_iter().enumerate().map(entry).collect();
                drawing.insert(section.key.into(), entries.into());
            }
        }
    }
    drawing
}

fn entries(item: &Item) -> Vec<&dyn TableLike> {
    let tables = item.as_array_of_tables().into_iter().flatten();
    let inline = item.as_array().into_iter().flatten().filter_map(|it| it.as_inline_table());
    tables.map(|it| it as _).chain(inline.map(|it| it as _)).collect()
}

/// `text` with the drawing of one camera exchanged.
pub fn edited(
    path: &Path,
    text: &str,
    camera: &str,
    drawing: &Drawing,
) -> Result<String, DocumentError> {
    let mut document = parse(path, text)?;
    let cameras = document.get_mut("camera").and_then(Item::as_array_of_tables_mut);
    let table = cameras.and_then(|all| all.iter_mut().find(|table| is(table, camera)));
    let table = table.ok_or_else(|| DocumentError::NoCamera(camera.into()))?;
    if let Some(key) = drawing.keys().find(|key| !known(key)) {
        return Err(FormError::new(key, "is nothing that can be drawn").into());
    }
    let mut orphans = String::new();
    for section in &SECTIONS {
        let of = drawing.get(section.key);
        match section.count {
            Count::Camera => set_all(table, "", drawing)?,
            Count::One => match of {
                Some(Json::Object(values)) => {
                    let fresh = || Item::Table(Table::new());
                    let item = table.entry(section.key).or_insert_with(fresh);
                    let wrong = || FormError::new(section.key, "must be a section");
                    set_all(item.as_table_like_mut().ok_or_else(wrong)?, section.key, values)?;
                }
                Some(_) => return Err(FormError::new(section.key, "must be a section").into()),
                None => remove(table, section.key),
            },
            Count::Many => {
                let values = match of {
                    Some(Json::Array(values)) if values.len() <= MOST => values.as_slice(),
                    None => &[],
                    Some(_) => return Err(FormError::new(section.key, "must be a list").into()),
                };
                orphans += &set_list(table, section.key, values)?;
            }
        }
    }
    if !orphans.is_empty() {
        let before = document.trailing().as_str().unwrap_or_default().to_owned();
        document.set_trailing(before + &orphans);
    }
    Ok(document.to_string())
}

fn known(key: &str) -> bool {
    SECTIONS.iter().any(|section| !section.key.is_empty() && section.key == key)
        || shapes::keys("").any(|it| it == key)
}

/// Every key of a section that is edited here.
fn set_all(
    table: &mut dyn TableLike,
    section: &'static str,
    values: &Map<String, Json>,
) -> Result<(), FormError> {
    for key in shapes::keys(section) {
        match values.get(key) {
            None => remove(table, key),
            Some(new) => {
                value::check(section, key, new)?;
                match table.get_mut(key) {
                    Some(item) => merge_item(item, new),
                    None => {
                        table.insert(key, Item::Value(plain(new)));
                    }
                }
            }
        }
    }
    Ok(())
}

/// Without the key; comments above it go to the next one.
fn remove(table: &mut dyn TableLike, key: &str) {
    let comment =
        table.key(key).and_then(|it| it.leaf_decor().prefix()?.as_str().map(str::to_owned));
    let next = table.iter().map(|(name, _)| name.to_owned()).skip_while(|name| name != key).nth(1);
    if table.remove(key).is_none() {
        return;
    }
    let comment = comment.filter(|comment| comment.contains('#'));
    let (Some(comment), Some(next)) = (comment, next) else { return };
    if let Some(mut next) = table.key_mut(&next) {
        let decor = next.leaf_decor_mut();
        let own = decor.prefix().and_then(|it| it.as_str()).unwrap_or_default().to_owned();
        decor.set_prefix(comment + &own);
    }
}

/// The entries of a list section: those that were there at their places, new ones behind them. Gives
/// comments that stood above entries which are gone and have no next one to go to.
fn set_list(camera: &mut Table, key: &'static str, values: &[Json]) -> Result<String, FormError> {
    let wrong = |problem: &str| FormError::new(key, problem);
    let count = camera.get(key).map_or(0, |item| entries(item).len());
    let mut kept: Vec<(usize, &Map<String, Json>)> = Vec::new();
    let mut new: Vec<&Map<String, Json>> = Vec::new();
    for value in values {
        let value = value.as_object().ok_or_else(|| wrong("must be a list of sections"))?;
        match value.get(WAS).map(|was| was.as_u64().and_then(|was| usize::try_from(was).ok())) {
            None => new.push(value),
            Some(Some(was)) if was < count && kept.last().is_none_or(|(last, _)| *last < was) => {
                kept.push((was, value));
            }
            Some(_) => return Err(wrong("names entries that are not in the file")),
        }
    }
    if count == 0 && new.is_empty() {
        return Ok(String::new());
    }
    let fresh = || Item::ArrayOfTables(ArrayOfTables::new());
    let gone = |i: &usize| kept.iter().all(|(was, _)| was != i);
    let mut orphans = String::new();
    match camera.entry(key).or_insert_with(fresh) {
        Item::ArrayOfTables(tables) => {
            for (was, value) in &kept {
                if let Some(table) = tables.get_mut(*was) {
                    set_all(table, key, value)?;
                }
            }
            for i in (0..count).rev().filter(gone) {
                let above = tables.get(i).map(above).unwrap_or_default();
                tables.remove(i);
                match tables.get_mut(i) {
                    Some(next) => prepend(next, &above),
                    None => orphans = above + &orphans,
                }
            }
            for value in new {
                let mut table = Table::new();
                set_all(&mut table, key, value)?;
                tables.push(table);
            }
        }
        Item::Value(toml_edit::Value::Array(array)) => {
            for (was, value) in &kept {
                if let Some(table) = array.get_mut(*was).and_then(|it| it.as_inline_table_mut()) {
                    set_all(table, key, value)?;
                }
            }
            for i in (0..count).rev().filter(gone) {
                array.remove(i);
            }
            for value in new {
                let mut table = toml_edit::InlineTable::new();
                set_all(&mut table, key, value)?;
                value::insert(array, array.len(), table.into());
            }
        }
        _ => return Err(wrong("must be a list of sections")),
    }
    if values.is_empty() {
        camera.remove(key);
    }
    Ok(orphans)
}

/// Comments above a section that a blank line parts from it: they are not its own.
fn above(table: &Table) -> String {
    let prefix = table.decor().prefix().and_then(|it| it.as_str()).unwrap_or_default();
    match prefix.rfind("\n\n") {
        Some(end) if prefix[..end].contains('#') => prefix[..=end].to_owned(),
        _ => String::new(),
    }
}

fn prepend(table: &mut Table, comment: &str) {
    let own = table.decor().prefix().and_then(|it| it.as_str()).unwrap_or("\n").to_owned();
    table.decor_mut().set_prefix(comment.to_owned() + &own);
}

#[cfg(test)]
mod tests;
