//! Pictures for outside the officers' desk: the accused vehicle framed, its plate and the lamps as
//! the camera saw them, what was broken drawn, everybody else unrecognisable. The picture under the seal
//! is not touched; this is a copy of it.
//!
//! What is veiled is gone: the whole picture becomes a grid of at most [`CELLS`] cells a side, each
//! one mean colour in coarse steps. A plate that spans a tenth of the picture leaves two or three
//! numbers that say nothing of its characters; no sharpening or comparing brings more back.

use bytes::Bytes;
use contract::view::{Area, View};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ImageError, Rgb, RgbImage};

/// Cells along the longer side.
const CELLS: u32 = 24;
/// Steps of a cell's colour.
const STEP: u8 = 16;
/// Around the plate this share of its size stays, for its frame.
const PLATE_EDGE: f32 = 0.15;
const LINE: Rgb<u8> = Rgb([255, 60, 60]);
const FRAME: Rgb<u8> = Rgb([255, 220, 60]);
const BLANK: Rgb<u8> = Rgb([96, 96, 96]);
const QUALITY: u8 = 85;

/// What replaces the surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Veil {
    /// Coarse cells: one still sees where the road was.
    Cells,
    /// Nothing at all, for enlarged cut-outs.
    Blank,
}

/// `jpeg` with everything veiled that `view` does not name. Without a view nothing is known of the
/// picture, and all of it is veiled.
pub fn veiled(jpeg: &[u8], view: Option<&View>, veil: Veil) -> Result<Bytes, ImageError> {
    let seen = image::load_from_memory(jpeg)?.to_rgb8();
    let mut page = match veil {
        Veil::Cells => cells(&seen),
        Veil::Blank => RgbImage::from_pixel(seen.width(), seen.height(), BLANK),
    };
    if let Some(view) = view {
        for ends in view.marks.iter().flat_map(|mark| mark.windows(2)) {
            draw(&mut page, ends[0], ends[1]);
        }
        for (x, y, pixel) in page.enumerate_pixels_mut() {
            if shows(view, x, y) {
                *pixel = *seen.get_pixel(x, y);
            }
        }
        if veil == Veil::Cells {
            frame(&mut page, view);
        }
    }
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, QUALITY).encode_image(&page)?;
    Ok(out.into())
}

/// Whether a pixel belongs to what the picture must keep showing.
fn shows(view: &View, x: u32, y: u32) -> bool {
    let within = |area: &Area| {
        let [left, top, width, height] = *area;
        (left..left.saturating_add(width)).contains(&x)
            && (top..top.saturating_add(height)).contains(&y)
    };
    // The caption below the picture: this agency's own words.
    if y >= view.picture[1] {
        return true;
    }
    if view.plate.is_some_and(|corners| within(&around(&corners))) {
        return true;
    }
    !view.others.iter().any(within) && (within(&view.vehicle) || view.lamps.iter().any(within))
}

/// The plate's box with a little edge.
fn around(corners: &[[u32; 2]; 4]) -> Area {
    let bounds = |axis: usize| {
        let sides = corners.map(|corner| corner[axis]);
        let (low, high) = (sides.iter().min(), sides.iter().max());
        let (low, high) = (low.copied().unwrap_or(0), high.copied().unwrap_or(0));
        let edge = ((high - low) as f32 * PLATE_EDGE).ceil() as u32;
        (low.saturating_sub(edge), high.saturating_add(edge))
    };
    let ((left, right), (top, bottom)) = (bounds(0), bounds(1));
    [left, top, right - left, bottom - top]
}

/// The picture as a few coarse cells, smoothly joined.
fn cells(seen: &RgbImage) -> RgbImage {
    let (width, height) = seen.dimensions();
    let longer = width.max(height).max(1);
    let count = |side: u32| (side * CELLS).div_ceil(longer).max(1);
    let mut grid = imageops::thumbnail(seen, count(width), count(height));
    for value in grid.pixels_mut().flat_map(|pixel| &mut pixel.0) {
        *value = *value / STEP * STEP + STEP / 2;
    }
    imageops::resize(&grid, width, height, FilterType::Triangle)
}

/// The accused vehicle, framed: outside of what it covers, and never over the caption.
fn frame(page: &mut RgbImage, view: &View) {
    let pen = (page.width() / 480).max(2);
    let [x, y, width, height] = view.vehicle;
    let (left, top) = (x.saturating_sub(pen), y.saturating_sub(pen));
    let right = x.saturating_add(width).saturating_add(pen).min(view.picture[0]);
    let bottom = y.saturating_add(height).saturating_add(pen).min(view.picture[1]);
    for (px, py) in (top..bottom).flat_map(|py| (left..right).map(move |px| (px, py))) {
        let inside = (x..x.saturating_add(width)).contains(&px)
            && (y..y.saturating_add(height)).contains(&py);
        if !inside && let Some(pixel) = page.get_pixel_mut_checked(px, py) {
            *pixel = FRAME;
        }
    }
}

/// What was broken, dashed: what stands on it is not uncovered.
fn draw(page: &mut RgbImage, from: [u32; 2], to: [u32; 2]) {
    let pen = (page.width() / 320).max(2);
    let [x1, y1] = from.map(|at| at as f32);
    let [x2, y2] = to.map(|at| at as f32);
    let length = (x2 - x1).hypot(y2 - y1).max(1.0);
    for step in 0..=length as u32 {
        if step / (pen * 6) % 2 == 1 {
            continue;
        }
        let share = step as f32 / length;
        let at = |one: f32, other: f32| (one + (other - one) * share).max(0.0) as u32;
        let (x, y) = (at(x1, x2), at(y1, y2));
        for (dx, dy) in (0..pen).flat_map(|dx| (0..pen).map(move |dy| (dx, dy))) {
            if let Some(pixel) = page.get_pixel_mut_checked(x + dx, y + dy) {
                *pixel = LINE;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ab_glyph::{Font as _, FontRef, PxScale, ScaleFont as _, point};

    use super::*;

    const ACCUSED: [u32; 2] = [300, 380];
    const BYSTANDER: [u32; 2] = [900, 400];
    const LAMP: Area = [1100, 60, 24, 60];

    /// A plate of `width` by `height` with its characters, as large as plates come.
    fn plate(page: &mut RgbImage, [x, y]: [u32; 2], (width, height): (u32, u32), text: &str) {
        let white = RgbImage::from_pixel(width, height, Rgb([245, 245, 245]));
        imageops::replace(page, &white, x.into(), y.into());
        let font = include_bytes!("../../web/fonts/LiberationSerif-Bold.ttf");
        let font = FontRef::try_from_slice(font).unwrap();
        let scale = PxScale::from(height as f32 * 0.95);
        let mut pen = x as f32 + 6.0;
        for c in text.chars() {
            let glyph = font
                .glyph_id(c)
                .with_scale_and_position(scale, point(pen, y as f32 + height as f32 * 0.8));
            pen += font.as_scaled(scale).h_advance(font.glyph_id(c));
            if let Some(outline) = font.outline_glyph(glyph) {
                let bounds = outline.px_bounds();
                outline.draw(|dx, dy, cover| {
                    let at = (bounds.min.x as u32 + dx, bounds.min.y as u32 + dy);
                    if cover > 0.5 {
                        page.put_pixel(at.0, at.1, Rgb([15, 15, 15]));
                    }
                });
            }
        }
    }

    /// A junction with an accused motorbike and a bystander's car beside it.
    fn junction(bystander: &str, size: (u32, u32)) -> Vec<u8> {
        let mut page = RgbImage::from_fn(1280, 760, |x, y| {
            let grain = ((x * 7 + y * 13) % 11) as u8;
            if y >= 720 { Rgb([0, 0, 0]) } else { Rgb([90 + grain, 92 + grain, 95 + grain]) }
        });
        let red = RgbImage::from_pixel(LAMP[2], LAMP[3] / 3, Rgb([250, 40, 40]));
        imageops::replace(&mut page, &red, LAMP[0].into(), LAMP[1].into());
        plate(&mut page, ACCUSED, (90, 30), "29AA12345");
        plate(&mut page, BYSTANDER, size, bystander);
        let mut out = Vec::new();
        JpegEncoder::new_with_quality(&mut out, 95).encode_image(&page).unwrap();
        out
    }

    fn view() -> View {
        let [x, y] = ACCUSED;
        View {
            picture: [1280, 720],
            vehicle: [x - 60, y - 150, 220, 230],
            plate: Some([[x, y], [x + 90, y], [x + 90, y + 30], [x, y + 30]]),
            others: Vec::new(),
            lamps: vec![LAMP],
            marks: vec![vec![[0, 650], [1280, 650]]],
        }
    }

    fn look(jpeg: &[u8]) -> RgbImage {
        image::load_from_memory(jpeg).unwrap().to_rgb8()
    }

    /// Largest step between neighbouring pixels in an area: what a reader's eye lives on.
    fn edge(picture: &RgbImage, [x, y, width, height]: Area) -> u8 {
        let grey = |x, y| picture.get_pixel(x, y).0[1];
        (y..y + height)
            .flat_map(|y| (x..x + width).map(move |x| (x, y)))
            .map(|(x, y)| {
                grey(x, y).abs_diff(grey(x + 1, y)).max(grey(x, y).abs_diff(grey(x, y + 1)))
            })
            .max()
            .unwrap()
    }

    fn difference(one: &RgbImage, other: &RgbImage, [x, y, width, height]: Area) -> f64 {
        let mut sum = 0.0;
        for (x, y) in (y..y + height).flat_map(|y| (x..x + width).map(move |x| (x, y))) {
            sum += f64::from(one.get_pixel(x, y).0[1].abs_diff(other.get_pixel(x, y).0[1]));
        }
        sum / f64::from(width * height)
    }

    #[test]
    fn the_bystander_is_gone_and_the_accused_is_untouched() {
        // From a plate that is hardly legible to one that fills a fifth of the picture.
        for size in [(60, 20), (120, 40), (250, 90)] {
            let taken = junction("51F88888", size);
            let given = veiled(&taken, Some(&view()), Veil::Cells).unwrap();
            let (taken, given) = (look(&taken), look(&given));
            let there = [BYSTANDER[0], BYSTANDER[1], size.0, size.1];
            assert!(edge(&taken, there) > 120, "it was legible");
            assert!(edge(&given, there) < 12, "{size:?}: {}", edge(&given, there));
            let own = [ACCUSED[0], ACCUSED[1], 90, 30];
            assert!(edge(&given, own) > 120 && difference(&taken, &given, own) < 4.0);
            assert!(difference(&taken, &given, LAMP) < 4.0);
            // The caption stays, and the line is drawn.
            assert!(difference(&taken, &given, [0, 730, 1280, 30]) < 2.0);
            // The accused is framed, one pixel outside of it.
            let [x, y, ..] = view().vehicle;
            let [r, g, b] = given.get_pixel(x + 40, y - 1).0;
            assert!(r > 180 && g > 150 && b < 140, "{:?}", [r, g, b]);
            let [r, g, _] = given.get_pixel(2, 651).0;
            assert!(r > 180 && g < 120, "{:?}", given.get_pixel(2, 651));
        }
    }

    #[test]
    fn nothing_tells_one_bystander_from_another() {
        // Whoever knows the font and tries every number finds the same picture for each.
        let look_at = |number| {
            let taken = junction(number, (120, 40));
            look(&veiled(&taken, Some(&view()), Veil::Cells).unwrap())
        };
        let there = [BYSTANDER[0], BYSTANDER[1], 120, 40];
        let first = look_at("51F88888");
        for other in ["51F88883", "51F33888", "30K14725"] {
            let apart = difference(&first, &look_at(other), there);
            assert!(apart < f64::from(STEP), "{other}: {apart}");
        }
    }

    #[test]
    fn others_inside_the_accused_vehicles_box_are_veiled_but_never_its_plate() {
        let taken = junction("51F88888", (120, 40));
        let mut view = view();
        view.vehicle = [200, 200, 900, 300];
        view.others =
            vec![[BYSTANDER[0] - 20, BYSTANDER[1] - 80, 180, 160], [ACCUSED[0] + 40, 300, 80, 150]];
        let given = look(&veiled(&taken, Some(&view), Veil::Cells).unwrap());
        let there = [BYSTANDER[0], BYSTANDER[1], 120, 40];
        assert!(edge(&given, there) < 12, "{}", edge(&given, there));
        let own = [ACCUSED[0], ACCUSED[1], 90, 30];
        assert!(difference(&look(&taken), &given, own) < 4.0);
    }

    #[test]
    fn of_a_picture_without_a_view_nothing_is_given_out() {
        let taken = junction("51F88888", (250, 90));
        for veil in [Veil::Cells, Veil::Blank] {
            let given = look(&veiled(&taken, None, veil).unwrap());
            assert!(edge(&given, [0, 0, 1279, 759]) < 24);
        }
        assert!(veiled(b"no picture", None, Veil::Cells).is_err());
    }
}
