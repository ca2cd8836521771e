//! A QR code as one vector path.

use krilla::geom::{Path, PathBuilder, Rect};
use qrcode::{Color, EcLevel, QrCode};

use super::DocumentError;

/// Light modules around the code that readers need.
const QUIET: usize = 4;

/// The dark modules of `text`'s code in a square of `side` points at (`x`, `y`), quiet zone
/// included.
pub fn path(text: &str, x: f32, y: f32, side: f32) -> Result<Path, DocumentError> {
    let failed = |what: String| DocumentError::Pdf(format!("QR code: {what}"));
    let code =
        QrCode::with_error_correction_level(text, EcLevel::M).map_err(|e| failed(e.to_string()))?;
    let width = code.width();
    let module = side / (width + 2 * QUIET) as f32;
    let mut path = PathBuilder::new();
    for (index, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let at = |n: usize| (n + QUIET) as f32 * module;
            let (left, top) = (x + at(index % width), y + at(index / width));
            // A hair of overlap closes the seams some viewers draw between neighbours.
            let size = module * 1.01;
            let square = Rect::from_xywh(left, top, size, size)
                .ok_or_else(|| failed("has no size".into()))?;
            path.push_rect(square);
        }
    }
    path.finish().ok_or_else(|| failed("is empty".into()))
}
