//! What a stage of our code costs beside bare ONNX Runtime on the same tensor, measured one after
//! the other so that a busy machine slows both alike. Ours is the second run on a picture: the bare
//! one that follows finds warm caches too.

use std::time::Duration;

use anyhow::Result;
use plate_model::timing::{Bare, Element, Samples};
use serde::Serialize;

/// Pairs measured at most: enough for a median.
const MOST: usize = 200;

/// Measures one stage.
pub struct Cost {
    what: &'static str,
    bare: Bare,
    ours: Samples,
    limit: Samples,
}

/// One line of the report, times in milliseconds.
#[derive(Debug, Serialize)]
pub struct Costs {
    pub what: &'static str,
    /// Tensor, inference and decoding in our code.
    pub median_ms: f64,
    pub fastest_ms: f64,
    /// Bare ONNX Runtime on the same tensor.
    pub bare_median_ms: f64,
    pub bare_fastest_ms: f64,
    pub samples: usize,
}

impl Cost {
    pub fn new(what: &'static str, bare: Bare) -> Self {
        Self { what, bare, ours: Samples::default(), limit: Samples::default() }
    }

    /// Whether more pairs are wanted.
    pub fn is_open(&self) -> bool {
        self.ours.len() < MOST
    }

    /// What our code took and the tensor that it made.
    pub fn add(&mut self, ours: Duration, tensor: &[impl Element]) -> Result<()> {
        self.add_runs(ours, tensor, 1)
    }

    /// The same where our code ran the network several times.
    pub fn add_runs(&mut self, ours: Duration, tensor: &[impl Element], runs: usize) -> Result<()> {
        if self.is_open() {
            self.ours.add(ours);
            let mut bare = Duration::ZERO;
            for _ in 0..runs {
                bare += self.bare.run(tensor)?;
            }
            self.limit.add(bare);
        }
        Ok(())
    }

    pub fn finish(self) -> Costs {
        Costs {
            what: self.what,
            median_ms: self.ours.median_ms(),
            fastest_ms: self.ours.fastest_ms(),
            bare_median_ms: self.limit.median_ms(),
            bare_fastest_ms: self.limit.fastest_ms(),
            samples: self.ours.len(),
        }
    }
}
