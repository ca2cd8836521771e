//! Text in pictures: one font, shipped with the agent, so captions look alike on every box.

use ab_glyph::{Font as _, FontRef, InvalidFont, PxScale, ScaleFont as _, point};
use image::{Rgb, RgbImage};

/// DejaVu Sans covers Vietnamese; licence beside it.
static FONT: &[u8] = include_bytes!("font/DejaVuSans.ttf");

/// The caption font.
#[derive(Debug, Clone)]
pub struct Typeface(FontRef<'static>);

impl Typeface {
    pub fn load() -> Result<Self, InvalidFont> {
        FontRef::try_from_slice(FONT).map(Self)
    }

    /// Height of a line in pixels.
    pub fn line_height(&self, size: f32) -> u32 {
        self.0.as_scaled(PxScale::from(size)).height().ceil() as u32
    }

    /// Width of `text` in pixels.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        let font = self.0.as_scaled(PxScale::from(size));
        text.chars().map(|c| font.h_advance(font.glyph_id(c))).sum()
    }

    /// Draws one line with its top left at `(x, y)`; what falls outside the picture is cut.
    pub fn draw(
        &self,
        picture: &mut RgbImage,
        (x, y): (f32, f32),
        size: f32,
        colour: Rgb<u8>,
        text: &str,
    ) {
        let scale = PxScale::from(size);
        let font = self.0.as_scaled(scale);
        let mut caret = point(x, y + font.ascent());
        for c in text.chars() {
            let id = font.glyph_id(c);
            let glyph = id.with_scale_and_position(scale, caret);
            caret.x += font.h_advance(id);
            let Some(outline) = self.0.outline_glyph(glyph) else { continue };
            let bounds = outline.px_bounds();
            outline.draw(|dx, dy, coverage| {
                let px = bounds.min.x as i64 + i64::from(dx);
                let py = bounds.min.y as i64 + i64::from(dy);
                if let (Ok(px), Ok(py)) = (u32::try_from(px), u32::try_from(py))
                    && let Some(pixel) = picture.get_pixel_mut_checked(px, py)
                {
                    for (under, over) in pixel.0.iter_mut().zip(colour.0) {
                        let mixed =
                            f32::from(*under) * (1.0 - coverage) + f32::from(over) * coverage;
                        *under = mixed.round().clamp(0.0, 255.0) as u8;
                    }
                }
            });
        }
    }

    /// Breaks items into lines of at most `width` pixels, joining them by `separator` and breaking
    /// inside an item only where it alone is too long.
    pub fn wrap(&self, items: &[String], separator: &str, width: f32, size: f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for item in items {
            let joined = lines.last().map(|line| format!("{line}{separator}{item}"));
            match (lines.last_mut(), joined) {
                (Some(line), Some(joined)) if self.width(&joined, size) <= width => *line = joined,
                _ => lines.extend(self.wrap_words(item, width, size)),
            }
        }
        lines
    }

    fn wrap_words(&self, item: &str, width: f32, size: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in item.split_whitespace() {
            let Some(line) = lines.last_mut() else { break };
            let joined = if line.is_empty() { word.into() } else { format!("{line} {word}") };
            if line.is_empty() || self.width(&joined, size) <= width {
                *line = joined;
            } else {
                lines.push(word.into());
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vietnamese_letter_has_a_glyph() {
        let face = Typeface::load().unwrap();
        let letters = "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụ\
                       ưừửữứựvxyỳỷỹýỵ±→·–0123456789%°";
        let all = letters.chars().chain(letters.to_uppercase().chars().collect::<Vec<_>>());
        for c in all {
            assert_ne!(face.0.glyph_id(c).0, 0, "{c}");
        }
    }

    #[test]
    fn lines_fit_and_lose_nothing() {
        let face = Typeface::load().unwrap();
        let items: Vec<String> =
            ["Đơn vị PC08", "Thiết bị edge-01", "nút giao Trần Phú – Lê Lợi, thành phố Đông Hà"]
                .map(String::from)
                .to_vec();
        let lines = face.wrap(&items, " · ", 200.0, 16.0);
        assert!(lines.len() > 1);
        for line in &lines {
            assert!(face.width(line, 16.0) <= 200.0, "{line}");
        }
        let letters = |text: String| text.replace([' ', '·'], "");
        assert_eq!(letters(lines.concat()), letters(items.concat()));
    }

    #[test]
    fn drawing_changes_pixels_only_inside_the_picture() {
        let face = Typeface::load().unwrap();
        let mut picture = RgbImage::new(40, 20);
        face.draw(&mut picture, (-10.0, 2.0), 16.0, Rgb([255, 255, 255]), "Đường phố dài");
        assert!(picture.pixels().any(|pixel| pixel.0[0] > 200));
    }
}
