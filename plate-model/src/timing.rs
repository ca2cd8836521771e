//! What a model costs beside bare ONNX Runtime on the same tensor: shared by the benchmarks and by
//! `plate-eval`, so that both mean the same by "bare".

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use ort::session::Session;
use ort::value::TensorRef;

use crate::card::Card;
use crate::error::{ModelError, Result};
pub use crate::model::Element;
use crate::runtime::Runtime;

/// Times of one measurement.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Middle of the sorted times; 0 without samples.
    pub fn median_ms(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).map_or(0.0, in_ms)
    }

    /// The least disturbed run; 0 without samples.
    pub fn fastest_ms(&self) -> f64 {
        self.0.iter().min().map_or(0.0, in_ms)
    }
}

fn in_ms(time: &Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// ONNX Runtime and nothing else: the same session settings, a ready tensor, outputs dropped.
#[derive(Debug)]
pub struct Bare {
    session: Session,
    input: String,
    model: String,
    shape: [usize; 4],
}

impl Bare {
    /// A session of its own on the weights of `<base>.card.toml`, for one picture at a time.
    pub fn load(runtime: &Runtime, folder: &Path, base: &str) -> Result<Self> {
        let (card, _) = Card::read(folder, base)?;
        let (weights, path) = card.weights(folder)?;
        Ok(Self {
            session: runtime.session(&path, &weights)?,
            input: card.input.name,
            model: card.name,
            // The batch is the one dimension that may vary.
            shape: card
                .input
                .shape
                .of_one()
                .map_err(|problem| ModelError::Card { path, problem })?,
        })
    }

    /// One inference on a tensor of what the model takes.
    pub fn run(&mut self, tensor: &[impl Element]) -> Result<Duration> {
        let failed = |problem: String| ModelError::Inference { model: self.model.clone(), problem };
        let start = Instant::now();
        let input = TensorRef::from_array_view((self.shape, tensor))
            .map_err(|error| failed(error.to_string()))?;
        let outputs = self
            .session
            .run(ort::inputs![self.input.as_str() => input])
            .map_err(|error| failed(error.to_string()))?;
        black_box(outputs);
        Ok(start.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_fastest() {
        let mut samples = Samples::default();
        assert_eq!(samples.median_ms(), 0.0);
        for ms in [9, 1, 5] {
            samples.add(Duration::from_millis(ms));
        }
        assert_eq!((samples.median_ms(), samples.fastest_ms()), (5.0, 1.0));
    }
}
