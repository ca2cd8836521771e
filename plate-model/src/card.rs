//! Model cards: one TOML beside each set of weights that says what the weights are, what goes in
//! and out, what they were trained on and how well they do. A card is checked when its model is
//! loaded; weights that are not the ones described are refused.
//!
//! ```toml
//! name = "reader"                  # goes into the evidence with the digest
//! kind = "reader"                  # vehicles | finder | refiner | reader
//! file = "reader.onnx"             # beside the card
//! sha256 = "…"
//! alphabet = "0123…Z"              # reader; `classes` for vehicles, `colours` for finder and refiner
//! [input]
//! name = "plates"
//! shape = ["B", 3, 64, 128]        # a name or -1 is a dimension that may vary
//! layout = "NCHW RGB"
//! range = [0.0, 1.0]               # [0.0, 255.0] where it takes bytes
//! [outputs.chars]
//! shape = ["B", 10, 37]
//! [thresholds]                     # optional, else the crate's own
//! accept = 0.9
//! [training]                       # free form: data, licences, command, seed, date
//! [metrics]                        # free form
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use contract::Digest;
use contract::manifest::ModelUsed;
use serde::Deserialize;

use crate::error::{ModelError, Result};

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Vehicles,
    Finder,
    Refiner,
    Reader,
}

/// Input tensor as described.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Input {
    pub name: String,
    pub shape: Shape,
    pub layout: String,
    /// Value range, e.g. `[0.0, 1.0]`.
    pub range: [f64; 2],
}

/// Output tensor as described.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Output {
    pub shape: Shape,
}

/// Dimensions; none is one that may vary.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<toml::Value>")]
pub struct Shape(pub Vec<Option<u32>>);

impl Shape {
    /// Four dimensions, those that may vary as 1.
    pub fn of_one(&self) -> Result<[usize; 4], String> {
        let sizes: Vec<_> =
            self.0.iter().map(|size| size.map_or(1, |size| size as usize)).collect();
        sizes.try_into().map_err(|sizes: Vec<_>| {
            format!("input.shape has {} dimensions, expected 4", sizes.len())
        })
    }
}

impl TryFrom<Vec<toml::Value>> for Shape {
    type Error = String;

    fn try_from(values: Vec<toml::Value>) -> Result<Self, String> {
        let dimension = |value: toml::Value| match value {
            toml::Value::Integer(-1) => Ok(None),
            toml::Value::String(_) => Ok(None),
            toml::Value::Integer(size) => {
                u32::try_from(size).ok().filter(|size| *size > 0).map(Some).ok_or_else(|| {
                    format!("dimension {size} is not positive; -1 or a name may vary")
                })
            }
            other => Err(format!("dimension {other} is neither a size nor a name")),
        };
        values.into_iter().map(dimension).collect::<Result<_, String>>().map(Self)
    }
}

/// A model card.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Card {
    pub name: String,
    pub kind: Kind,
    /// File name of the weights, in the card's folder.
    pub file: String,
    pub sha256: Digest,
    pub input: Input,
    pub outputs: BTreeMap<String, Output>,
    /// Class names in channel order (vehicles).
    #[serde(default)]
    pub classes: Vec<String>,
    /// Colour names in channel order (finder, refiner).
    #[serde(default)]
    pub colours: Vec<String>,
    /// Characters in channel order, without the blank that comes last (reader).
    #[serde(default)]
    pub alphabet: String,
    #[serde(default)]
    pub thresholds: BTreeMap<String, f32>,
    #[serde(default)]
    pub training: toml::Table,
    #[serde(default)]
    pub metrics: toml::Table,
    #[serde(default)]
    pub weaknesses: Vec<String>,
}

impl Card {
    /// Reads the card `<base>.card.toml` in `folder`.
    pub fn read(folder: &Path, base: &str) -> Result<(Self, PathBuf)> {
        let path = folder.join(format!("{base}.card.toml"));
        let text = fs::read_to_string(&path)
            .map_err(|source| ModelError::Unreadable { path: path.clone(), source })?;
        let card: Self = toml::from_str(&text)
            .map_err(|error| ModelError::Card { path: path.clone(), problem: error.to_string() })?;
        if card.file.is_empty() || card.file.contains(['/', '\\']) || card.file.starts_with('.') {
            let problem = format!("file = {:?} must be a file name beside the card", card.file);
            return Err(ModelError::Card { path, problem });
        }
        for (name, value) in &card.thresholds {
            if !(0.0..=1.0).contains(value) {
                let problem = format!("thresholds.{name} = {value} is not between 0 and 1");
                return Err(ModelError::Card { path, problem });
            }
        }
        Ok((card, path))
    }

    /// Reads the weights and compares their digest.
    pub fn weights(&self, folder: &Path) -> Result<(Vec<u8>, PathBuf)> {
        let path = folder.join(&self.file);
        let bytes = fs::read(&path)
            .map_err(|source| ModelError::Unreadable { path: path.clone(), source })?;
        let found = Digest::of(&bytes);
        if found != self.sha256 {
            return Err(ModelError::Hash { path, expected: self.sha256, found });
        }
        Ok((bytes, path))
    }

    /// How the evidence names the model.
    pub fn used(&self) -> ModelUsed {
        ModelUsed { name: self.name.clone(), sha256: self.sha256 }
    }
}
