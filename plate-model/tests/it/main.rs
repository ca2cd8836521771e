//! The crate from outside: tiny models with known answers, then the committed weights.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod cards;
mod chain;
mod eval;
mod real;
mod weights;

use std::path::{Path, PathBuf};

use plate_model::{Frame, RuntimeOptions};

/// Models with constant answers, made by `tests/data/make_models.py`.
fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// The weights that the product ships.
fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("weights")
}

fn runtime_options() -> RuntimeOptions {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.onnxruntime");
    RuntimeOptions { library: None, folder: Some(folder) }
}

fn grey(width: u32, height: u32, value: u8) -> Frame {
    Frame::from_rgb(width, height, &vec![value; 3 * (width * height) as usize]).unwrap()
}
