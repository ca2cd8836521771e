//! From pixels to plates: vehicles in a frame, plates inside a vehicle, characters on a plate,
//! and one verdict over all frames of a track.
//!
//! A decoder's planes ([`Planes`]) go straight into network tensors; networks run on ONNX Runtime,
//! one session a worker; model cards are checked at load. Everything is deterministic: the same
//! pixels give the same verdict. Doubt is kept as probabilities until [`Fusion`] decides, and it
//! rather says nothing than guesses.
//!
//! ```no_run
//! use std::path::Path;
//! use plate_model::{Frame, Models, Options, View, fusion};
//!
//! # fn main() -> Result<(), plate_model::ModelError> {
//! let mut models = Models::load(Path::new("plate-model/weights"), &Options::default())?;
//! let frame = Frame::open(Path::new("junction.jpg"))?;
//! let planes = frame.planes();
//! for vehicle in models.detector.detect(&planes, &View::WHOLE)? {
//!     let mut fused = models.fusion(vehicle.class);
//!     for plate in models.plates(&planes, vehicle.bbox)? {
//!         let characters = models.reader.read(&planes, &plate)?;
//!         fused.add(&characters, &plate, fusion::weight(&characters, &plate));
//!     }
//!     let verdict = fused.verdict();
//!     println!("{:?}: {:?}", vehicle.class, verdict.text);
//! }
//! # Ok(())
//! # }
//! ```

pub mod assign;
pub mod card;
mod corners;
pub mod detect;
mod error;
pub mod finder;
pub mod flaw;
pub mod frame;
pub mod fusion;
pub mod geometry;
mod model;
mod models;
pub mod picture;
mod precision;
pub mod reader;
mod rectify;
pub mod refiner;
pub mod runtime;
mod suppress;
pub mod tensor;
pub mod timing;
mod view;

pub use contract::manifest::ModelUsed;
pub use detect::{Detection, Detector};
pub use error::{ModelError, Result};
pub use finder::{PlateFinder, PlateQuad};
pub use flaw::Flaw;
pub use frame::{Chroma, ColourSpace, Frame, Layout, Matrix, PixelFormat, Plane, Planes};
pub use fusion::{Doubt, Fusion, Verdict};
pub use geometry::{BBox, Point, Region};
pub use models::{Models, Options};
pub use precision::{PRECISIONS, Precision};
pub use reader::{Characters, PlateReader};
pub use refiner::CornerRefiner;
pub use runtime::{Runtime, RuntimeOptions};
pub use view::View;
