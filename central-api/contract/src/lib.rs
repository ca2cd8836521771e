//! The words both sides of the wire share: plate numbers and their grammar, vehicles, violations,
//! the evidence manifest, its seal and its chain.
//!
//! Pure: no clock, no file, no socket. Whoever holds the bytes of an evidence package can check it
//! with this crate alone, or with any JWS tool and `sha256sum`.

pub mod chain;
pub mod digest;
pub mod manifest;
pub mod package;
pub mod plate;
pub mod seal;
pub mod vehicle;
pub mod view;
pub mod violation;
pub mod wire;

pub use digest::Digest;
pub use manifest::{FileRole, Manifest};
pub use vehicle::VehicleClass;
pub use violation::{Movement, Rule};
