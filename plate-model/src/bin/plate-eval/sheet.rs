//! A contact sheet of errors: `errors.html` with a picture of each beside what was wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use image::{RgbImage, imageops};
use plate_model::{BBox, Frame, PlateQuad, Region, picture};

use crate::data::LabelledPlate;
use crate::draw::{self, GREEN, RED};

/// Pictures of one section at most; the rest is counted.
const MOST: usize = 300;
/// Longest side of a picture on the sheet.
const SIDE: u32 = 360;

/// Collects errors section by section; does nothing where no folder was asked for.
pub struct Sheet {
    folder: Option<PathBuf>,
    sections: BTreeMap<&'static str, Section>,
}

#[derive(Default)]
struct Section {
    /// Picture, relative to the sheet, and the lines under it.
    entries: Vec<(String, Vec<String>)>,
    left_out: usize,
}

impl Sheet {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, sections: BTreeMap::new() }
    }

    /// Adds one error; the picture is only made where it is shown.
    pub fn add(
        &mut self,
        section: &'static str,
        lines: Vec<String>,
        picture: impl FnOnce() -> Result<RgbImage>,
    ) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let entries = self.sections.entry(section).or_default();
        if entries.entries.len() == MOST {
            entries.left_out += 1;
            return Ok(());
        }
        let name = format!("errors/{}-{:03}.jpg", section.replace(' ', "-"), entries.entries.len());
        let path = folder.join(&name);
        fs::create_dir_all(folder.join("errors"))?;
        let picture = picture()?;
        let longest = picture.width().max(picture.height());
        let shown = if longest > SIDE {
            let side = |length: u32| (length * SIDE / longest).max(1);
            imageops::thumbnail(&picture, side(picture.width()), side(picture.height()))
        } else {
            picture
        };
        shown.save(&path).with_context(|| format!("cannot write {}", path.display()))?;
        entries.entries.push((name, lines));
        Ok(())
    }

    pub fn finish(self) -> Result<()> {
        let Some(folder) = self.folder else { return Ok(()) };
        let mut html = String::from(HEAD);
        for (title, Section { entries, left_out }) in &self.sections {
            let count = entries.len() + left_out;
            html.push_str(&format!("<h2>{title}: {count}</h2>\n<div class=\"sheet\">\n"));
            for (name, lines) in entries {
                let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
                html.push_str(&format!(
                    "<figure><img src=\"{name}\" alt=\"\"><figcaption>{}</figcaption></figure>\n",
                    lines.join("<br>")
                ));
            }
            html.push_str("</div>\n");
            if *left_out > 0 {
                html.push_str(&format!("<p>{left_out} more are not shown.</p>\n"));
            }
        }
        let path = folder.join("errors.html");
        fs::write(&path, html).with_context(|| format!("cannot write {}", path.display()))
    }
}

const HEAD: &str = "<!doctype html><meta charset=\"utf-8\"><title>Errors</title>
<style>
body { font: 14px sans-serif; background: #eee }
.sheet { display: flex; flex-wrap: wrap; gap: 12px }
figure { margin: 0; padding: 6px; background: #fff; max-width: 380px }
img { min-height: 96px; max-width: 100% }
</style>
<p>Green: labels. Red: what was found.</p>
";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A plate's surroundings with every label and every find that lies there.
pub fn plate(
    frame: &Frame,
    plate: &BBox,
    labels: &[LabelledPlate],
    found: &[PlateQuad],
) -> Result<RgbImage> {
    /// Plate widths shown to every side: enough to see what vehicle it is of.
    const AROUND: f32 = 1.5;
    let side = plate.width().max(plate.height()) * AROUND;
    let around = BBox::new(plate.x1 - side, plate.y1 - side, plate.x2 + side, plate.y2 + side);
    let region = Region::touched(&around, frame.width(), frame.height())
        .context("a plate off the picture")?;
    let mut view = picture::rgb(&frame.planes(), region)?;
    // Small plates are enlarged before the outlines are drawn, so that these hide little.
    let scale = (SIDE / view.width().max(view.height())).max(1);
    if scale > 1 {
        let (w, h) = (view.width() * scale, view.height() * scale);
        view = imageops::resize(&view, w, h, imageops::FilterType::Triangle);
    }
    let outlines = labels.iter().map(|label| (label.corners, GREEN));
    for (corners, colour) in outlines.chain(found.iter().map(|quad| (quad.corners, RED))) {
        let scale = scale as f32;
        let at =
            corners.map(|[x, y]| [(x - region.x as f32) * scale, (y - region.y as f32) * scale]);
        draw::outline(&mut view, &at, colour);
    }
    Ok(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_shows_pictures_and_texts() {
        let folder = tempfile::tempdir().unwrap();
        let mut sheet = Sheet::new(Some(folder.path().into()));
        sheet.add("missed", vec!["<is> 51F1".into()], || Ok(RgbImage::new(900, 300))).unwrap();
        sheet.finish().unwrap();
        let html = fs::read_to_string(folder.path().join("errors.html")).unwrap();
        assert!(html.contains("missed: 1") && html.contains("&lt;is&gt; 51F1"), "{html}");
        let shown = image::open(folder.path().join("errors/missed-000.jpg")).unwrap();
        assert_eq!((shown.width(), shown.height()), (SIDE, 120));
    }

    #[test]
    fn without_a_folder_no_picture_is_made() {
        let mut sheet = Sheet::new(None);
        sheet.add("missed", Vec::new(), || panic!("nobody looks")).unwrap();
        sheet.finish().unwrap();
    }
}
