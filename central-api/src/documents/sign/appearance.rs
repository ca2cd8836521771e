//! What a visible signature shows (NĐ 30/2020/NĐ-CP, annex I): who signed and when. It is drawn as a
//! page of its own, with the letters it needs, and carried over into the document that is signed.

use std::collections::BTreeSet;

use ab_glyph::{Font as _, FontRef};
use krilla::color::rgb;
use krilla::geom::Point;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::text::{Font, TextDirection};
use krilla::{Document, SerializeSettings};
use time::OffsetDateTime;

use super::file::{File, FileError, Update};
use super::object::Object;
use super::place::{HEIGHT, WIDTH};
use super::{Party, SignError};
use crate::law::VIETNAM;

const FONT: &[u8] = include_bytes!("../../../web/fonts/LiberationSerif-Regular.ttf");
const SIZE: f32 = 9.0;
const LEADING: f32 = 1.3;
const INSET: f32 = 3.0;

/// Writes what is shown into `update`; returns its number.
pub(super) fn write(
    update: &mut Update<'_>,
    by: &Party,
    at: OffsetDateTime,
) -> Result<u32, SignError> {
    let page = draw(&lines(by, at)).map_err(SignError::Appearance)?;
    let broken = |error: FileError| SignError::Appearance(error.to_string());
    carry_over(update, &page).map_err(broken)
}

fn lines(by: &Party, at: OffsetDateTime) -> Vec<String> {
    let at = at.to_offset(VIETNAM);
    let (hour, minute, second) = at.to_hms();
    let (day, month) = (at.day(), u8::from(at.month()));
    let mut lines = vec![format!("Ký bởi: {}", by.name)];
    if let Some(organisation) = by.organisation.as_ref().filter(|name| **name != by.name) {
        lines.push(format!("Cơ quan: {organisation}"));
    }
    lines.push(format!(
        "Thời gian ký: {day:02}/{month:02}/{} {hour:02}:{minute:02}:{second:02} +07:00",
        at.year()
    ));
    lines
}

/// A page of the box's size with these lines, each as large as fits.
fn draw(lines: &[String]) -> Result<Vec<u8>, String> {
    let font = Font::new(FONT.into(), 0).ok_or("its font cannot be read")?;
    let measure = FontRef::try_from_slice(FONT).map_err(|e| e.to_string())?;
    let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or("its page has no size")?;
    let mut document =
        Document::new_with(SerializeSettings { xmp_metadata: false, ..Default::default() });
    let mut page = document.start_page_with(size);
    let mut surface = page.surface();
    surface.set_fill(Some(Fill {
        paint: rgb::Color::new(170, 0, 0).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }));
    let mut y = (HEIGHT - lines.len() as f32 * SIZE * LEADING) / 2.0 + SIZE;
    for line in lines {
        let size = SIZE.min(SIZE * (WIDTH - 2.0 * INSET) / width(&measure, line));
        let start = Point::from_xy(INSET, y);
        surface.draw_text(start, font.clone(), size, line, false, TextDirection::LeftToRight);
        y += SIZE * LEADING;
    }
    surface.finish();
    page.finish();
    document.finish().map_err(|e| format!("{e:?}"))
}

/// In points, at `SIZE`.
fn width(font: &FontRef<'_>, text: &str) -> f32 {
    let units: f32 = text.chars().map(|c| font.h_advance_unscaled(font.glyph_id(c))).sum();
    (units / font.units_per_em().unwrap_or(1000.0) * SIZE).max(1.0)
}

/// The only page of `pdf` as a form of `update`'s file, with all it refers to under new numbers.
fn carry_over(update: &mut Update<'_>, pdf: &[u8]) -> Result<u32, FileError> {
    let source = File::open(pdf)?;
    let page = source.dictionary(source.first_page()?)?;
    let resources = page.get("Resources").ok_or(FileError::Lacks("resources"))?;
    let resources = source.resolved(resources)?;
    let content = page.get("Contents").and_then(Object::reference);
    let content = content.ok_or(FileError::Lacks("content"))?;
    let mut needed = BTreeSet::new();
    gather(&source, &resources, &mut needed)?;
    // Numbers in one row, so that the same document has the same bytes.
    let base = update.number();
    let order: Vec<u32> = needed.into_iter().collect();
    for _ in &order {
        update.number();
    }
    let renumber = |id: u32| {
        let place = order.binary_search(&id).unwrap_or_default();
        base + 1 + u32::try_from(place).unwrap_or_default()
    };
    for id in &order {
        match source.opened(*id)? {
            (Object::Dictionary(dictionary), Some(data)) => {
                update.write_stream(renumber(*id), dictionary.renumbered(&renumber), data);
            }
            (object, _) => {
                update.write(renumber(*id), &object.renumbered(&renumber));
            }
        }
    }
    let (Object::Dictionary(mut form), Some(data)) = source.opened(content)? else {
        return Err(FileError::Object(content));
    };
    for (key, value) in [
        ("Type", Object::name("XObject")),
        ("Subtype", Object::name("Form")),
        ("BBox", Object::raw(format!("[0 0 {WIDTH} {HEIGHT}]"))),
        ("Resources", resources.renumbered(&renumber)),
    ] {
        form.set(key, value);
    }
    update.write_stream(base, form, data);
    Ok(base)
}

fn gather(source: &File<'_>, object: &Object, found: &mut BTreeSet<u32>) -> Result<(), FileError> {
    match object {
        Object::Reference(id, _) if found.insert(*id) => {
            gather(source, &source.object(*id)?, found)
        }
        Object::Array(items) => items.iter().try_for_each(|item| gather(source, item, found)),
        Object::Dictionary(dictionary) => {
            dictionary.values().try_for_each(|value| gather(source, value, found))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn it_says_who_and_when_in_vietnam() {
        let by =
            Party { name: "Nguyễn Văn Bình".into(), organisation: Some("Phòng CSGT".into()) };
        let lines = lines(&by, datetime!(2026-11-21 01:02:03 UTC));
        let said = "Ký bởi: Nguyễn Văn Bình|Cơ quan: Phòng CSGT|\
                    Thời gian ký: 21/11/2026 08:02:03 +07:00";
        assert_eq!(lines.join("|"), said);
    }

    #[test]
    fn the_font_has_every_letter_and_a_long_name_shrinks() {
        let long = "Phòng Cảnh sát giao thông – Công an thành phố ĐÀ NẴNG ".repeat(4);
        let measure = FontRef::try_from_slice(FONT).unwrap();
        assert!(long.chars().all(|c| measure.glyph_id(c).0 != 0));
        assert!(width(&measure, &long) > WIDTH);
        assert!(draw(&[long]).unwrap().starts_with(b"%PDF-"));
    }
}
