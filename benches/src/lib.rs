//! What the benchmarks share: samples of a measurement and what is told of them.

pub use plate_model::timing::Samples;
