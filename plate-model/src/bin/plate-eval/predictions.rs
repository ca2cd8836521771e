//! Everything that was predicted, one JSON line a picture, coordinates normalised to 0–1.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use contract::plate::PlateColour;
use plate_model::{Detection, PlateQuad};
use serde::Serialize;

use crate::reading::Reading;

/// One vehicle or plate.
#[derive(Debug, Default, Serialize)]
pub struct Predicted {
    pub class: &'static str,
    pub score: f32,
    #[serde(skip_serializing_if = "Option::is_none", rename = "box")]
    pub bbox: Option<[f32; 4]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corners: Option<[[f32; 2]; 4]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<PlateColour>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
    /// Most probable characters before the grammar, and the probability of the least certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weakest: Option<f32>,
}

impl Predicted {
    pub fn vehicle(seen: &Detection, width: u32, height: u32) -> Self {
        let (w, h) = (width as f32, height as f32);
        let bbox = seen.bbox;
        Self {
            class: seen.class.name(),
            score: seen.score,
            bbox: Some([bbox.x1 / w, bbox.y1 / h, bbox.x2 / w, bbox.y2 / h]),
            ..Self::default()
        }
    }

    pub fn plate(quad: &PlateQuad, width: u32, height: u32) -> Self {
        let (w, h) = (width as f32, height as f32);
        Self {
            class: "plate",
            score: quad.score,
            // Plates at the edge may reach beyond it.
            corners: Some(
                quad.corners.map(|[x, y]| [(x / w).clamp(0.0, 1.0), (y / h).clamp(0.0, 1.0)]),
            ),
            rows: Some(quad.rows),
            colour: Some(quad.colour),
            ..Self::default()
        }
    }

    /// With what was read: the accepted number, else the raw characters.
    pub fn with_text(self, reading: &Reading) -> Self {
        Self {
            text: Some(reading.text().to_owned()),
            confidence: Some(reading.verdict.confidence),
            accepted: Some(reading.is_accepted()),
            raw: Some(reading.verdict.raw.clone()),
            weakest: Some(reading.weakest),
            ..self
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    detections: &'a [Predicted],
}

/// The file, where one was asked for.
pub struct Predictions(Option<BufWriter<File>>);

impl Predictions {
    pub fn create(path: Option<&Path>) -> Result<Self> {
        let open = |path: &Path| {
            File::create(path).with_context(|| format!("cannot write {}", path.display()))
        };
        Ok(Self(path.map(open).transpose()?.map(BufWriter::new)))
    }

    pub fn add(&mut self, file: &str, detections: &[Predicted]) -> Result<()> {
        if let Some(out) = &mut self.0 {
            serde_json::to_writer(&mut *out, &Line { file, detections })?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    pub fn flush(&mut self) -> Result<()> {
        Ok(self.0.as_mut().map_or(Ok(()), Write::flush)?)
    }
}
