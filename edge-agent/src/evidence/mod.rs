//! From an accusation to a sealed package: pictures with their caption strip, the plate's
//! close-up, the overlay, the clip, the manifest and its seal.
//!
//! - [`frames`]: decoded frame → clean JPEG, caption strip *below* the picture;
//! - [`clip`]: the camera's own encoded bits in an MP4, never re-encoded;
//! - [`package`]: [`Sealer`] joins them into a chain of sealed packages.
//!
//! The same accusation gives the same bytes, so a replay proves what the box did.

mod beacon;
pub mod caption;
pub mod clip;
pub mod frames;
mod mp4;
pub mod overlay;
pub mod package;
pub(crate) mod pen;
pub(crate) mod text;
mod view;

pub use package::{Sealed, Sealer, SealingError, Target};
