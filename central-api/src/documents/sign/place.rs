//! Where a document shows its signature: a form marks the place in the PDF itself, as a destination
//! of this name, so that whoever signs needs to know nothing of forms.

use super::file::{File, FileError};
use super::object::{Dictionary, Object};

/// The destination's name; it is the upper left corner of the box.
pub const PLACE: &str = "chu-ky";
/// The box, in points.
pub const WIDTH: f32 = 200.0;
pub const HEIGHT: f32 = 50.0;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub page: u32,
    /// Left, bottom, right, top; none where no room was left.
    pub rectangle: Option<[f64; 4]>,
}

/// The marked place, or the first page and no room on it.
pub(super) fn find(file: &File<'_>) -> Result<Place, FileError> {
    match marked(file)? {
        Some(place) => Ok(place),
        None => Ok(Place { page: file.first_page()?, rectangle: None }),
    }
}

fn marked(file: &File<'_>) -> Result<Option<Place>, FileError> {
    let (_, catalog) = file.catalog()?;
    let Some(names) = inside(file, &catalog, "Names")? else { return Ok(None) };
    let Some(destinations) = inside(file, &names, "Dests")? else { return Ok(None) };
    let Some(pairs) = destinations.get("Names").and_then(Object::array) else { return Ok(None) };
    let name = Object::raw(format!("({PLACE})"));
    let Some(found) = pairs.chunks_exact(2).find(|pair| pair[0] == name) else { return Ok(None) };
    let broken = FileError::Lacks("a readable place for the signature");
    let destination = file.resolved(&found[1])?;
    let destination = match destination.dictionary().and_then(|d| d.get("D")) {
        Some(inner) => inner.clone(),
        None => destination,
    };
    let Some([page, _, left, top, ..]) = destination.array() else { return Err(broken) };
    let (Some(page), Some(left), Some(top)) = (page.reference(), left.number(), top.number())
    else {
        return Err(broken);
    };
    let (width, height) = (f64::from(WIDTH), f64::from(HEIGHT));
    Ok(Some(Place { page, rectangle: Some([left, top - height, left + width, top]) }))
}

fn inside(
    file: &File<'_>,
    dictionary: &Dictionary,
    key: &str,
) -> Result<Option<Dictionary>, FileError> {
    let Some(value) = dictionary.get(key) else { return Ok(None) };
    Ok(file.resolved(value)?.dictionary().cloned())
}
