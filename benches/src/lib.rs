//! What the benchmarks share: samples of a measurement and what is told of them; lamps as the
//! agent reads them.

pub mod lamps;

pub use plate_model::timing::Samples;
