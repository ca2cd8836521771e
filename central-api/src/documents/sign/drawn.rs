//! A signed document as its pages look: what a signature shows is an annotation's appearance, which
//! whoever copies pages leaves behind. Here it becomes part of its page. The copy is for print alone: in
//! it no signature holds any more, the document itself stays as it was signed.

use std::collections::BTreeMap;

use super::file::{File, FileError, Update};
use super::object::{Dictionary, Object};
use super::steps::fields;

/// The document with what its signatures show drawn on their pages; none where they show nothing.
pub fn drawn(pdf: &[u8]) -> Result<Option<Vec<u8>>, FileError> {
    let file = File::open(pdf)?;
    let mut pages: BTreeMap<u32, Vec<Mark>> = BTreeMap::new();
    for field in fields(&file)? {
        if let Some((page, mark)) = mark(&file, &field)? {
            pages.entry(page).or_default().push(mark);
        }
    }
    if pages.is_empty() {
        return Ok(None);
    }
    let mut update = Update::of(&file)?;
    for (page, marks) in pages {
        draw(&file, &mut update, page, &marks)?;
    }
    Ok(Some(update.finish()))
}

/// What a signature shows: a form, and how it comes into its rectangle.
struct Mark {
    form: u32,
    matrix: [f64; 6],
}

/// Of a field its page and its mark; none where it shows nothing.
fn mark(file: &File<'_>, field: &Object) -> Result<Option<(u32, Mark)>, FileError> {
    let broken = || FileError::Lacks("a readable mark of its signature");
    let field = file.resolved(field)?;
    let Some(field) = field.dictionary() else { return Ok(None) };
    let page = field.get("P").and_then(Object::reference);
    let shown = field.get("AP").map(|shown| file.resolved(shown)).transpose()?;
    let form = shown.as_ref().and_then(Object::dictionary).and_then(|it| it.get("N"));
    let Some((page, form)) = page.zip(form.and_then(Object::reference)) else { return Ok(None) };
    let [left, bottom, right, top] = corners(field.get("Rect")).ok_or_else(broken)?;
    let drawing = file.dictionary(form)?;
    let [x, y, end_x, end_y] = corners(drawing.get("BBox")).ok_or_else(broken)?;
    if right <= left || top <= bottom || end_x <= x || end_y <= y {
        return Ok(None);
    }
    // ISO 32000-1, 12.5.5, for a form without a matrix of its own, as ours are.
    let (wide, high) = ((right - left) / (end_x - x), (top - bottom) / (end_y - y));
    let matrix = [wide, 0.0, 0.0, high, left - x * wide, bottom - y * high];
    Ok(Some((page, Mark { form, matrix })))
}

fn corners(rectangle: Option<&Object>) -> Option<[f64; 4]> {
    let all: Vec<f64> = rectangle?.array()?.iter().filter_map(Object::number).collect();
    all.try_into().ok()
}

/// Adds `marks` behind what `page` shows, whatever state that leaves behind.
fn draw(
    file: &File<'_>,
    update: &mut Update<'_>,
    page: u32,
    marks: &[Mark],
) -> Result<(), FileError> {
    let mut written = file.dictionary(page)?;
    let part = |dictionary: &Dictionary, key| -> Result<Dictionary, FileError> {
        let found = dictionary.get(key).map(|value| file.resolved(value)).transpose()?;
        Ok(found.as_ref().and_then(Object::dictionary).cloned().unwrap_or_default())
    };
    let mut resources = part(&written, "Resources")?;
    let mut forms = part(&resources, "XObject")?;
    let mut text = String::from("Q\n");
    for mark in marks {
        let name = format!("ChuKy{}", mark.form);
        let matrix = mark.matrix.map(|number| format!("{number:.4}")).join(" ");
        text.push_str(&format!("q {matrix} cm /{name} Do Q\n"));
        forms.set(&name, Object::Reference(mark.form, 0));
    }
    resources.set("XObject", Object::Dictionary(forms));
    written.set("Resources", Object::Dictionary(resources));
    let (before, after) = (update.number(), update.number());
    update.write_stream(before, Dictionary::default(), b"q\n");
    update.write_stream(after, Dictionary::default(), text.as_bytes());
    let mut contents = vec![Object::Reference(before, 0)];
    match written.get("Contents") {
        Some(Object::Array(all)) => contents.extend(all.iter().cloned()),
        Some(one) => match file.resolved(one)? {
            Object::Array(all) => contents.extend(all),
            _ => contents.push(one.clone()),
        },
        None => {}
    }
    contents.push(Object::Reference(after, 0));
    written.set("Contents", Object::Array(contents));
    update.write(page, &Object::Dictionary(written));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_without_signatures_is_left_alone_and_what_is_no_pdf_refused() {
        let plain = "%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\nxref\n0 2\n\
            0000000000 65535 f \n0000000009 00000 n \ntrailer\n<< /Size 2 /Root 1 0 R >>\n\
            startxref\n45\n%%EOF";
        assert_eq!(drawn(plain.as_bytes()), Ok(None));
        assert!(drawn(b"no PDF").is_err());
    }
}
