//! Evidence pictures: the decoded frame as it was, a caption strip below it, JPEG.
//!
//! The picture itself is never drawn on: an officer sees what the camera saw, and the strip says
//! when, where and by what.

use contract::view::{MAX_AREAS, View};
use image::imageops::{self, FilterType};
use image::{ImageError, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder, EncodingError};
use plate_model::frame::{Chroma, Frame, Matrix};
use plate_model::geometry::{BBox, Region};

use crate::accusation::{Pixels, Shot};

use super::text::Typeface;
use super::view;

/// Quality of evidence pictures.
pub const JPEG_QUALITY: u8 = 85;
/// Quality of what is kept in between: it is compressed once more.
const KEPT_QUALITY: u8 = 94;
/// Side of the close-up's panels in pixels.
const PANEL: u32 = 640;

/// Converts a decoded frame to RGB by the stream's own matrix and range.
pub fn to_rgb(frame: &Frame) -> RgbImage {
    let planes = frame.planes();
    let (width, height) = (planes.width(), planes.height());
    let weights = Weights::of(planes.colour().matrix, planes.colour().full_range);
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..height as usize {
        let luma = planes.luma().row(y);
        match planes.chroma() {
            Chroma::Planar { u, v } => {
                let (u, v) = (u.row(y / 2), v.row(y / 2));
                for (x, &luma) in luma.iter().enumerate() {
                    rgb.extend(weights.rgb(luma, u[x / 2], v[x / 2]));
                }
            }
            Chroma::Interleaved(uv) => {
                let uv = uv.row(y / 2);
                for (x, &luma) in luma.iter().enumerate() {
                    let at = x / 2 * 2;
                    rgb.extend(weights.rgb(luma, uv[at], uv[at + 1]));
                }
            }
        }
    }
    // The loop above wrote width × height × 3 bytes: the buffer always fits.
    RgbImage::from_raw(width, height, rgb).unwrap_or_default()
}

/// Y'CbCr → RGB in 16.16 fixed point.
struct Weights {
    offset: i32,
    luma: i32,
    red_v: i32,
    green_u: i32,
    green_v: i32,
    blue_u: i32,
}

impl Weights {
    fn of(matrix: Matrix, full_range: bool) -> Self {
        let (kr, kb) = match matrix {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
        };
        let kg = 1.0 - kr - kb;
        let (offset, luma, chroma) =
            if full_range { (0, 1.0, 1.0) } else { (16, 255.0 / 219.0, 255.0 / 224.0) };
        let fixed = |value: f64| (value * 65536.0).round() as i32;
        Self {
            offset,
            luma: fixed(luma),
            red_v: fixed(2.0 * (1.0 - kr) * chroma),
            green_u: fixed(2.0 * (1.0 - kb) * kb / kg * chroma),
            green_v: fixed(2.0 * (1.0 - kr) * kr / kg * chroma),
            blue_u: fixed(2.0 * (1.0 - kb) * chroma),
        }
    }

    fn rgb(&self, y: u8, u: u8, v: u8) -> [u8; 3] {
        let y = (i32::from(y) - self.offset) * self.luma + 32768;
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        [y + self.red_v * v, y - self.green_u * u - self.green_v * v, y + self.blue_u * u]
            .map(|value| (value >> 16).clamp(0, 255) as u8)
    }
}

/// A kept picture to work on; fails only where kept bytes are damaged.
pub fn open(pixels: &Pixels) -> Result<RgbImage, ImageError> {
    match pixels {
        Pixels::Frame(frame) => Ok(to_rgb(frame)),
        Pixels::Jpeg { bytes, .. } => Ok(image::load_from_memory(bytes)?.to_rgb8()),
    }
}

/// A decoded frame compressed, to be kept for long.
pub fn compressed(frame: &Frame) -> Result<Pixels, EncodingError> {
    let bytes = encode(&to_rgb(frame), KEPT_QUALITY)?.into();
    Ok(Pixels::Jpeg { bytes, size: [frame.width(), frame.height()] })
}

/// Puts the caption below `picture`.
pub fn with_caption(face: &Typeface, picture: &RgbImage, items: &[String]) -> RgbImage {
    let (width, height) = picture.dimensions();
    let size = (width as f32 / 72.0).clamp(13.0, 32.0);
    let margin = size / 2.0;
    let lines = face.wrap(items, "  ·  ", width as f32 - 2.0 * margin, size);
    let line = face.line_height(size);
    let strip = line * lines.len() as u32 + 2 * margin as u32;
    let mut page = RgbImage::new(width, height + strip);
    imageops::replace(&mut page, picture, 0, 0);
    for (index, text) in lines.iter().enumerate() {
        let top = height as f32 + margin + (index as u32 * line) as f32;
        face.draw(&mut page, (margin, top), size, Rgb([255, 255, 255]), text);
    }
    page
}

/// The vehicle and, where it was found, its plate, each enlarged to a panel of its own; and where
/// the two then are: the vehicle in the first panel, the plate in the second.
pub fn close_up(shot: &Shot, rgb: &RgbImage) -> (RgbImage, Option<View>) {
    let vehicle = panel(rgb, &shot.vehicle.expanded(0.08));
    let plate = shot.plate.map(|corners| panel(rgb, &BBox::around(&corners).expanded(0.35)));
    let mut page = RgbImage::new(PANEL * (1 + u32::from(plate.is_some())), PANEL);
    let mut places = Vec::with_capacity(2);
    for (index, (part, region)) in [Some(vehicle), plate].into_iter().flatten().enumerate() {
        let x = index as u32 * PANEL + (PANEL - part.width()) / 2;
        let y = (PANEL - part.height()) / 2;
        imageops::replace(&mut page, &part, i64::from(x), i64::from(y));
        let scale = part.width() as f32 / region.width.max(1) as f32;
        places.push(move |[px, py]: [f32; 2]| {
            let (px, py) = ((px - region.x as f32) * scale, (py - region.y as f32) * scale);
            [x as f32 + px, y as f32 + py]
        });
    }
    let size = [page.width(), page.height()];
    let enlarged = |bbox: &BBox| {
        let place = places.first()?;
        let ([x1, y1], [x2, y2]) = (place([bbox.x1, bbox.y1]), place([bbox.x2, bbox.y2]));
        view::area(&BBox::new(x1, y1, x2, y2).clipped(PANEL, PANEL), size)
    };
    let plate = shot
        .plate
        .zip(places.get(1))
        .map(|(corners, place)| corners.map(|corner| view::point(place(corner), size)));
    let view = enlarged(&shot.vehicle).map(|vehicle| View {
        picture: size,
        vehicle,
        plate,
        others: shot.others.iter().filter_map(enlarged).take(MAX_AREAS).collect(),
        lamps: Vec::new(),
        marks: Vec::new(),
    });
    (page, view)
}

/// Cuts a box out and scales it to fit a panel; gives what was cut, too.
fn panel(rgb: &RgbImage, bbox: &BBox) -> (RgbImage, Region) {
    let (width, height) = rgb.dimensions();
    // A box outside the frame is a tracker's guess: then the whole frame is the honest picture.
    let region = Region::touched(bbox, width, height).unwrap_or(Region::whole(width, height));
    let cut = imageops::crop_imm(rgb, region.x, region.y, region.width, region.height).to_image();
    let scale = PANEL as f32 / region.width.max(region.height) as f32;
    let fit = |side: u32| ((side as f32 * scale).round() as u32).clamp(1, PANEL);
    let part =
        imageops::resize(&cut, fit(region.width), fit(region.height), FilterType::CatmullRom);
    (part, region)
}

/// Encodes a picture.
pub fn jpeg(picture: &RgbImage) -> Result<Vec<u8>, EncodingError> {
    encode(picture, JPEG_QUALITY)
}

pub(crate) fn encode(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, EncodingError> {
    // Frames are 16,384 pixels a side at most; a larger picture is refused as having no size.
    let side = |side: u32| u16::try_from(side).unwrap_or(0);
    let (width, height) = (side(picture.width()), side(picture.height()));
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, quality).encode(picture.as_raw(), width, height, ColorType::Rgb)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use plate_model::frame::{ColourSpace, Layout, PixelFormat};
    use time::OffsetDateTime;

    use super::*;

    /// A frame of one colour, both layouts.
    fn plain(format: PixelFormat, y: u8, u: u8, v: u8) -> Frame {
        let mut layout = Layout::packed(format, 64, 48);
        layout.colour = ColourSpace::BT709;
        let mut data = vec![y; 64 * 48];
        match format {
            PixelFormat::I420 => {
                data.extend(vec![u; 32 * 24]);
                data.extend(vec![v; 32 * 24]);
            }
            PixelFormat::Nv12 => data.extend([u, v].repeat(32 * 24)),
        }
        Frame::from_vec(layout, data).unwrap()
    }

    #[test]
    fn known_colours_come_out_right_in_both_layouts() {
        // Studio-range BT.709 code values of white, black and pure red.
        for (yuv, rgb) in [
            ((235, 128, 128), [255, 255, 255]),
            ((16, 128, 128), [0, 0, 0]),
            ((63, 102, 240), [255, 0, 0]),
        ] {
            for format in [PixelFormat::I420, PixelFormat::Nv12] {
                let picture = to_rgb(&plain(format, yuv.0, yuv.1, yuv.2));
                let got = picture.get_pixel(10, 10).0;
                for (a, b) in got.iter().zip(rgb) {
                    assert!(a.abs_diff(b) <= 2, "{format:?} {yuv:?}: {got:?}");
                }
            }
        }
    }

    #[test]
    fn the_caption_is_below_and_the_picture_untouched() {
        let face = Typeface::load().unwrap();
        let picture = to_rgb(&plain(PixelFormat::I420, 120, 110, 140));
        let page = with_caption(&face, &picture, &["Đơn vị PC08".into(), "Đèn ĐỎ 2340 ms".into()]);
        assert_eq!(page.width(), picture.width());
        assert!(page.height() > picture.height());
        for (x, y, pixel) in picture.enumerate_pixels() {
            assert_eq!(page.get_pixel(x, y), pixel);
        }
        let strip = page.rows().skip(picture.height() as usize).flatten();
        assert!(strip.into_iter().any(|pixel| pixel.0[0] > 128), "nothing is written in the strip");
    }

    #[test]
    fn close_up_has_a_panel_for_the_plate_only_where_there_is_one() {
        let frame = plain(PixelFormat::Nv12, 120, 110, 140);
        let rgb = to_rgb(&frame);
        let mut shot = Shot {
            pixels: Pixels::Frame(frame),
            captured_at: OffsetDateTime::UNIX_EPOCH,
            vehicle: BBox::new(10.0, 10.0, 30.0, 40.0),
            others: Vec::new(),
            plate: None,
        };
        assert_eq!(close_up(&shot, &rgb).0.dimensions(), (PANEL, PANEL));
        shot.plate = Some([[15.0, 30.0], [22.0, 30.0], [22.0, 34.0], [15.0, 34.0]]);
        assert_eq!(close_up(&shot, &rgb).0.dimensions(), (2 * PANEL, PANEL));
        shot.vehicle = BBox::new(900.0, 900.0, 950.0, 950.0);
        assert_eq!(close_up(&shot, &rgb).0.dimensions(), (2 * PANEL, PANEL));
    }

    #[test]
    fn a_jpeg_decodes_to_about_the_same_picture() {
        let picture = to_rgb(&plain(PixelFormat::I420, 120, 110, 140));
        let bytes = jpeg(&picture).unwrap();
        let back = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(back.dimensions(), picture.dimensions());
        let (a, b) = (back.get_pixel(5, 5).0, picture.get_pixel(5, 5).0);
        assert!(a.iter().zip(b).all(|(a, b)| a.abs_diff(b) < 6), "{a:?} {b:?}");
    }

    #[test]
    fn the_close_up_says_where_vehicle_and_plate_are() {
        let mut layout = Layout::packed(PixelFormat::I420, 320, 240);
        layout.colour = ColourSpace::BT709;
        // A grey vehicle with a white plate on a black road.
        let luma = |x: usize, y: usize| match (x, y) {
            (140..160, 150..160) => 235,
            (100..200, 80..180) => 120,
            _ => 16,
        };
        let mut data: Vec<u8> = (0..320 * 240).map(|at| luma(at % 320, at / 320)).collect();
        data.extend(vec![128; 2 * 160 * 120]);
        let shot = Shot {
            pixels: Pixels::Frame(Frame::from_vec(layout, data).unwrap()),
            captured_at: OffsetDateTime::UNIX_EPOCH,
            vehicle: BBox::new(100.0, 80.0, 200.0, 180.0),
            others: vec![BBox::new(150.0, 60.0, 400.0, 130.0)],
            plate: Some([[140.0, 150.0], [160.0, 150.0], [160.0, 160.0], [140.0, 160.0]]),
        };
        let (page, view) = close_up(&shot, &open(&shot.pixels).unwrap());
        let view = view.unwrap();
        assert_eq!(view.picture, [page.width(), page.height()]);
        let grey = |x, y| page.get_pixel(x, y).0[0];
        let [x, y, w, h] = view.vehicle;
        // Just inside the edges is vehicle, just outside is road.
        assert!((100..160).contains(&grey(x + 8, y + 8)));
        assert!((100..160).contains(&grey(x + w - 8, y + h - 8)));
        assert!(grey(x - 8, y + 8) < 40 && grey(x + w + 8, y + h - 8) < 40);
        // The other vehicle from the middle of the first panel to its right and upper edge.
        let [left, top, width, _] = view.others[0];
        assert!(left.abs_diff(PANEL / 2) < 4 && top == 0 && left + width == PANEL, "{left} {top}");
        let [[left, top], .., [_, bottom]] = view.plate.unwrap();
        assert!(left >= PANEL, "the plate stands in the second panel");
        assert!(grey(left + 12, top + 12) > 220 && grey(left - 20, bottom - 12) < 160);
    }
}
