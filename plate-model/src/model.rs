//! One loaded model: card, checked weights and the session of one worker.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use contract::manifest::ModelUsed;
use ort::session::Session;
use ort::value::{Outlet, PrimitiveTensorElementType, TensorElementType, TensorRef};

use crate::card::{Card, Kind, Shape};
use crate::error::{ModelError, Result};
use crate::runtime::Runtime;

/// What the code of a kind relies on; the card and the weights must both say the same.
pub(crate) struct Expected {
    pub kind: Kind,
    pub input: (&'static str, [Option<u32>; 4]),
    /// What its numbers are.
    pub numbers: Numbers,
    /// Name and dimensions, none where any size will do.
    pub outputs: &'static [(&'static str, &'static [Option<u32>])],
    /// Thresholds that a card of this kind may set.
    pub thresholds: &'static [&'static str],
}

/// A number that a tensor may hold.
pub trait Element: PrimitiveTensorElementType + Clone + Debug + 'static {}

impl<T: PrimitiveTensorElementType + Clone + Debug + 'static> Element for T {}

/// What an input tensor holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Floats from 0 to 1.
    Shares,
    /// Bytes.
    Bytes,
}

impl Numbers {
    const fn range(self) -> [f64; 2] {
        match self {
            Self::Shares => [0.0, 1.0],
            Self::Bytes => [0.0, 255.0],
        }
    }

    const fn element(self) -> TensorElementType {
        match self {
            Self::Shares => TensorElementType::Float32,
            Self::Bytes => TensorElementType::Uint8,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Model {
    card: Card,
    session: Session,
}

impl Model {
    pub fn load(runtime: &Runtime, folder: &Path, base: &str, expected: &Expected) -> Result<Self> {
        let (card, card_path) = Card::read(folder, base)?;
        check_card(&card, expected)
            .map_err(|problem| ModelError::Card { path: card_path, problem })?;
        let (weights, path) = card.weights(folder)?;
        let session = runtime.session(&path, &weights)?;
        check_session(&session, &card, expected.numbers, &path)?;
        Ok(Self { card, session })
    }

    pub fn card(&self) -> &Card {
        &self.card
    }

    pub fn used(&self) -> ModelUsed {
        self.card.used()
    }

    /// The card's colours are the ones the code maps its channels to.
    pub fn expect_colours(&self, names: &[&str]) -> Result<()> {
        if self.card.colours == names {
            return Ok(());
        }
        let (found, wanted) = (self.card.colours.join(", "), names.join(", "));
        Err(self.mismatch(format!("its card lists colours [{found}], expected [{wanted}]")))
    }

    pub fn threshold(&self, name: &str, default: f32) -> f32 {
        self.card.thresholds.get(name).copied().unwrap_or(default)
    }

    /// Runs one inference without copying the input and hands the outputs to `then`.
    pub fn run<const N: usize, R>(
        &mut self,
        shape: [usize; 4],
        data: &[impl Element],
        names: [&str; N],
        then: impl FnOnce([&[f32]; N]) -> R,
    ) -> Result<R> {
        let Self { card, session } = self;
        let failed = |problem: String| ModelError::Inference { model: card.name.clone(), problem };
        let input = TensorRef::from_array_view((shape, data)).map_err(|e| failed(e.to_string()))?;
        let outputs = session
            .run(ort::inputs![card.input.name.as_str() => input])
            .map_err(|error| failed(error.to_string()))?;
        let mut tensors = Vec::with_capacity(N);
        for name in names {
            let value =
                outputs.get(name).ok_or_else(|| failed(format!("output {name} is missing")))?;
            let (_, data) =
                value.try_extract_tensor::<f32>().map_err(|error| failed(error.to_string()))?;
            tensors.push(data);
        }
        let Ok(tensors) = <[&[f32]; N]>::try_from(tensors) else {
            return Err(failed("an output is missing".into()));
        };
        Ok(then(tensors))
    }

    pub fn mismatch(&self, problem: String) -> ModelError {
        ModelError::Mismatch { path: PathBuf::from(&self.card.file), problem }
    }
}

fn check_card(card: &Card, expected: &Expected) -> Result<(), String> {
    if card.kind != expected.kind {
        return Err(format!("kind is {:?}, expected {:?}", card.kind, expected.kind));
    }
    let (name, shape) = &expected.input;
    if card.input.name != *name {
        return Err(format!("input.name is {:?}, expected {name:?}", card.input.name));
    }
    if !fits(&card.input.shape, shape) {
        return Err(format!(
            "input.shape is {}, expected {}",
            written(&card.input.shape.0),
            written(shape)
        ));
    }
    let range = expected.numbers.range();
    if card.input.range != range {
        return Err(format!("input.range is {:?}, expected {range:?}", card.input.range));
    }
    for (name, shape) in expected.outputs {
        let Some(output) = card.outputs.get(*name) else {
            return Err(format!("[outputs.{name}] is missing"));
        };
        if !fits(&output.shape, shape) {
            return Err(format!(
                "outputs.{name}.shape is {}, expected {}",
                written(&output.shape.0),
                written(shape)
            ));
        }
    }
    for name in card.thresholds.keys() {
        if !expected.thresholds.contains(&name.as_str()) {
            return Err(format!(
                "thresholds.{name} is unknown, a card of this kind may set {}",
                expected.thresholds.join(", ")
            ));
        }
    }
    Ok(())
}

/// A card's shape fits where the ranks agree and no two fixed dimensions differ.
fn fits(shape: &Shape, expected: &[Option<u32>]) -> bool {
    shape.0.len() == expected.len()
        && shape.0.iter().zip(expected).all(|pair| match pair {
            (Some(a), Some(b)) => a == b,
            _ => true,
        })
}

fn check_session(session: &Session, card: &Card, numbers: Numbers, path: &Path) -> Result<()> {
    let mismatch = |problem| ModelError::Mismatch { path: path.to_path_buf(), problem };
    let [input] = session.inputs() else {
        return Err(mismatch(format!("it has {} inputs, expected 1", session.inputs().len())));
    };
    let (name, shape) = (&card.input.name, &card.input.shape);
    check_outlet(("input", numbers.element()), input, name, shape).map_err(mismatch)?;
    for (name, output) in &card.outputs {
        let Some(outlet) = session.outputs().iter().find(|outlet| outlet.name() == name) else {
            let found: Vec<_> = session.outputs().iter().map(Outlet::name).collect();
            let problem = format!("it has no output {name:?}, only {}", found.join(", "));
            return Err(mismatch(problem));
        };
        let what = ("output", TensorElementType::Float32);
        check_outlet(what, outlet, name, &output.shape).map_err(mismatch)?;
    }
    Ok(())
}

fn check_outlet(
    (what, element): (&str, TensorElementType),
    outlet: &Outlet,
    name: &str,
    shape: &Shape,
) -> Result<(), String> {
    if outlet.name() != name {
        return Err(format!("its {what} is named {:?}, the card says {name:?}", outlet.name()));
    }
    let (Some(kind), Some(found)) = (outlet.dtype().tensor_type(), outlet.dtype().tensor_shape())
    else {
        return Err(format!("its {what} {name:?} is no tensor"));
    };
    if kind != element {
        return Err(format!("its {what} {name:?} holds {kind:?}, expected {element:?}"));
    }
    let found: Vec<Option<u32>> = found.iter().map(|size| u32::try_from(*size).ok()).collect();
    // Exporters leave dimensions open that the graph fixes later on; those show when it runs.
    if !fits(shape, &found) {
        return Err(format!(
            "its {what} {name:?} has shape {}, the card says {}",
            written(&found),
            written(&shape.0)
        ));
    }
    Ok(())
}

fn written(shape: &[Option<u32>]) -> String {
    let dimension =
        |size: &Option<u32>| size.map_or_else(|| "any".to_owned(), |size| size.to_string());
    format!("[{}]", shape.iter().map(dimension).collect::<Vec<_>>().join(", "))
}
