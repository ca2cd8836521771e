//! The words both sides of the wire share: plate numbers and their grammar, vehicles, acts and what
//! was seen of them, the evidence manifest, its seal and its chain.
//!
//! Pure: no clock, no file, no socket. Whoever holds the bytes of an evidence package can check it
//! with this crate alone, or with any JWS tool and `sha256sum`.

pub mod act;
pub mod chain;
pub mod digest;
pub mod facts;
pub mod geometry;
pub mod manifest;
pub mod package;
pub mod plate;
pub mod release;
pub mod report;
pub mod seal;
pub mod vehicle;
pub mod view;
pub mod wire;

pub use act::{Act, MomentRole};
pub use digest::Digest;
pub use facts::{Facts, Movement};
pub use manifest::{FileRole, Manifest};
pub use vehicle::VehicleClass;
