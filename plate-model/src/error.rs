//! What can go wrong between a picture and a plate. Messages say which file and what would be right.

use std::path::PathBuf;

/// Everything this crate can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No ONNX Runtime library at any of the places looked at.
    #[error(
        "ONNX Runtime is not installed: looked at {}; run deploy/setup.sh or set ORT_DYLIB_PATH",
        list(looked_at)
    )]
    RuntimeMissing { looked_at: Vec<PathBuf> },

    /// The library is there but cannot be used: wrong file, wrong CPU, too old.
    #[error("ONNX Runtime at {}: {problem}", path.display())]
    RuntimeUnusable { path: PathBuf, problem: String },

    /// A second library cannot be loaded into a process that already has one.
    #[error("ONNX Runtime is already loaded from {}, cannot load {} as well", loaded.display(), wanted.display())]
    RuntimeConflict { loaded: PathBuf, wanted: PathBuf },

    /// A model or its card cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },

    /// A model card is not of the expected form.
    #[error("model card {}: {problem}", path.display())]
    Card { path: PathBuf, problem: String },

    /// The weights are not those the card describes.
    #[error(
        "model {} is corrupt or was exchanged: its SHA-256 is {found}, its card says {expected}",
        path.display()
    )]
    Hash { path: PathBuf, expected: contract::Digest, found: contract::Digest },

    /// The weights' inputs or outputs are not those of the card.
    #[error("model {} does not fit its card: {problem}", path.display())]
    Mismatch { path: PathBuf, problem: String },

    /// ONNX Runtime refused the weights.
    #[error("model {}: ONNX Runtime refuses it: {problem}", path.display())]
    Refused { path: PathBuf, problem: String },

    /// Pixels whose size, strides and length do not belong together.
    #[error("bad frame: {0}")]
    Frame(String),

    /// An inference failed.
    #[error("model {model}: inference failed: {problem}")]
    Inference { model: String, problem: String },

    /// OpenCV refused an operation.
    #[error("plate rectification failed: {0}")]
    Rectify(#[from] opencv::Error),
}

/// Result of this crate.
pub type Result<T, E = ModelError> = std::result::Result<T, E>;

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
