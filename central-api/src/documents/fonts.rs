//! The typeface of documents and its measures. Liberation Serif has the metrics of Times New
//! Roman, which administrative documents ask for, and every Vietnamese letter.

use ab_glyph::{Font as _, FontRef};

use super::DocumentError;

const FILES: [&[u8]; 3] = [
    include_bytes!("../../web/fonts/LiberationSerif-Regular.ttf"),
    include_bytes!("../../web/fonts/LiberationSerif-Bold.ttf"),
    include_bytes!("../../web/fonts/LiberationSerif-Italic.ttf"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Regular,
    Bold,
    Italic,
}

struct Face {
    font: krilla::text::Font,
    measure: FontRef<'static>,
    units_per_em: f32,
}

/// The three faces, for drawing and for measuring.
pub(crate) struct Fonts([Face; 3]);

impl Fonts {
    pub fn load() -> Result<Self, DocumentError> {
        let broken = || DocumentError::Pdf("an embedded font cannot be read".into());
        let mut faces = Vec::new();
        for file in FILES {
            let font = krilla::text::Font::new(file.into(), 0).ok_or_else(broken)?;
            let measure = FontRef::try_from_slice(file).map_err(|_| broken())?;
            let units_per_em = measure.units_per_em().ok_or_else(broken)?;
            faces.push(Face { font, measure, units_per_em });
        }
        faces.try_into().map(Self).map_err(|_| broken())
    }

    pub fn font(&self, style: Style) -> krilla::text::Font {
        self.face(style).font.clone()
    }

    /// Width of `text` in points.
    pub fn width(&self, style: Style, size: f32, text: &str) -> f32 {
        let face = self.face(style);
        let units: f32 =
            text.chars().map(|c| face.measure.h_advance_unscaled(face.measure.glyph_id(c))).sum();
        units / face.units_per_em * size
    }

    fn face(&self, style: Style) -> &Face {
        &self.0[style as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every letter of Vietnamese, composed.
    const VIETNAMESE: &str = "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstu\
                              ùủũúụưừửữứựvxyỳỷỹýỵ–“”…";

    #[test]
    fn every_face_has_every_vietnamese_letter() {
        let fonts = Fonts::load().unwrap();
        for style in [Style::Regular, Style::Bold, Style::Italic] {
            let upper = VIETNAMESE.to_uppercase();
            for c in VIETNAMESE.chars().chain(upper.chars()) {
                assert_ne!(fonts.face(style).measure.glyph_id(c).0, 0, "{style:?} lacks {c}");
            }
        }
    }

    #[test]
    fn widths_add_up_and_scale() {
        let fonts = Fonts::load().unwrap();
        let one = fonts.width(Style::Regular, 10.0, "Điều");
        assert!(one > 15.0 && one < 30.0, "{one}");
        assert!((fonts.width(Style::Regular, 20.0, "Điều") - 2.0 * one).abs() < 1e-3);
    }
}
