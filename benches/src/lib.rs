//! What the benchmarks share: samples of a measurement and what is told of them; lamps as the
//! agent reads them; a picture to time networks on.

pub mod lamps;

use anyhow::{Context as _, Result};
use plate_model::{Frame, Layout, PixelFormat};

pub use plate_model::timing::Samples;

/// A full-HD picture with edges at every scale; content does not change the cost.
pub fn pattern(format: PixelFormat) -> Result<Frame> {
    let layout = Layout::packed(format, 1920, 1080);
    let bytes = layout.bytes().context("a full-HD layout has a size")?;
    let data = (0..bytes).map(|i| ((i * 31) ^ (i >> 7)) as u8).collect();
    Ok(Frame::from_vec(layout, data)?)
}
