//! Y'CbCr to RGB as one multiply-add a term, on the integer sums of the resampler.

use crate::frame::{ColourSpace, Matrix};

/// Scale of a resampled sum: 8-bit values times 2^8 (vertical) times 2^14 (horizontal), minus 128.
pub(super) const SUM_SCALE: f64 = (1u32 << 22) as f64;

/// `luma = y * y_gain + y_offset`; `red = luma + v * v_red` and so on, all in 0–1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coefficients {
    pub y_gain: f32,
    pub y_offset: f32,
    pub v_red: f32,
    pub u_green: f32,
    pub v_green: f32,
    pub u_blue: f32,
}

impl Coefficients {
    pub fn new(colour: ColourSpace) -> Self {
        let (red, blue) = match colour.matrix {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
        };
        let green = 1.0 - red - blue;
        let (black, luma, chroma) =
            if colour.full_range { (0.0, 255.0, 255.0) } else { (16.0, 219.0, 224.0) };
        let per_sum = 1.0 / SUM_SCALE;
        let (y, c) = (per_sum / luma, per_sum / chroma);
        Self {
            y_gain: y as f32,
            y_offset: ((128.0 - black) / luma) as f32,
            v_red: (2.0 * (1.0 - red) * c) as f32,
            u_green: (-2.0 * blue * (1.0 - blue) / green * c) as f32,
            v_green: (-2.0 * red * (1.0 - red) / green * c) as f32,
            u_blue: (2.0 * (1.0 - blue) * c) as f32,
        }
    }

    /// RGB of three sums. The vector path does the same operations in the same order.
    pub fn rgb(&self, y: i32, u: i32, v: i32) -> [f32; 3] {
        let luma = y as f32 * self.y_gain + self.y_offset;
        let (u, v) = (u as f32, v as f32);
        let red = luma + v * self.v_red;
        let green = (luma + u * self.u_green) + v * self.v_green;
        let blue = luma + u * self.u_blue;
        [red, green, blue].map(|value| value.clamp(0.0, 1.0))
    }
}
