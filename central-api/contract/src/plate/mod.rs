//! Vietnamese plate numbers: what is printed, what may be meant, where the vehicle is registered.
//!
//! Text alone does not always settle what a number is: `29B12345` is a car's 29B-123.45 or a
//! motorbike's 29-B1 2345. [`parse`] therefore takes what else was seen and gives ambiguity back as
//! a value, never a guess. [`typed`] reads what a person wrote, [`repair`] proposes what a misread
//! text may have been.
//!
//! Source: TT 79/2024/TT-BCA with amendments, QCVN 08:2024/BCA, TT 169/2021/TT-BQP, read in
//! unofficial copies.

mod confusion;
mod format;
mod grammar;
mod normal;
mod province;
mod repair;
mod typed;

use serde::{Deserialize, Serialize};

use crate::VehicleClass;

pub use normal::{MAX_CHARS, normalise};
pub use province::{EFFECTIVE, Province};
pub use repair::{Candidate, repair};
pub use typed::{Typed, stroked_twin, typed};

use repair::numbers;

/// Background colour of a plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PlateColour {
    White,
    Yellow,
    Blue,
    Red,
}

/// Classes of plates by layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PlateClass {
    CarCivil,
    CarState,
    MotorbikeNew,
    MotorbikeOld,
    MotorbikeState,
    Special,
    Temporary,
    ForeignCar,
    ForeignMotorbike,
    Military,
}

/// What the camera saw besides the characters; settles what the text alone leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sight {
    /// 1 or 2.
    pub rows: Option<u8>,
    pub colour: Option<PlateColour>,
    pub vehicle: Option<VehicleClass>,
}

/// A number that fits the grammar, with the class it is read as.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlateNumber {
    text: String,
    class: PlateClass,
}

/// A text that is no number of the class it was said to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a normalised plate number of class {class:?}")]
pub struct NotOfClass {
    pub class: PlateClass,
}

/// A number as it comes in from JSON, before the grammar has seen it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    text: String,
    class: PlateClass,
}

impl TryFrom<Unchecked> for PlateNumber {
    type Error = NotOfClass;

    fn try_from(raw: Unchecked) -> Result<Self, NotOfClass> {
        Self::new(&raw.text, raw.class)
    }
}

/// What a text is, given what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    One(PlateNumber),
    /// Two or more numbers fit, ordered by text and class: someone must look.
    Ambiguous(Vec<PlateNumber>),
    None,
}

impl Parsed {
    /// The number, if there is exactly one.
    pub fn one(self) -> Option<PlateNumber> {
        match self {
            Self::One(number) => Some(number),
            Self::Ambiguous(_) | Self::None => None,
        }
    }
}

/// Reads `text`, as a camera shows it, as a number that agrees with `sight`. A D may be a Đ: no
/// camera tells the stroke.
///
/// A text in its legal layout (`29-B1 2345`) settles itself; characters alone may not.
pub fn parse(text: &str, sight: &Sight) -> Parsed {
    let mut found: Vec<PlateNumber> =
        numbers(text, sight, |_| false).into_iter().map(|candidate| candidate.plate).collect();
    found.sort();
    found.dedup();
    if found.len() > 1 {
        let written: Vec<&PlateNumber> =
            found.iter().filter(|plate| format::is_written_as(plate, text)).collect();
        if let [only] = written.as_slice() {
            return Parsed::One((*only).clone());
        }
    }
    match found.len() {
        0 => Parsed::None,
        1 => Parsed::One(found.swap_remove(0)),
        _ => Parsed::Ambiguous(found),
    }
}

impl PlateNumber {
    /// The number with this normalised text, if it is one of `class`.
    pub fn new(text: &str, class: PlateClass) -> Result<Self, NotOfClass> {
        if grammar::fits(text, class) {
            Ok(Self { text: text.to_owned(), class })
        } else {
            Err(NotOfClass { class })
        }
    }

    /// The number with the class it was sealed with. Boxes wrote Đ as D before it was kept apart:
    /// the class tells.
    pub fn sealed(text: &str, class: Option<PlateClass>) -> String {
        let read = |class| {
            let found = numbers(text, &Sight::default(), |_| false).into_iter();
            found.map(|candidate| candidate.plate).find(|plate| plate.class == class)
        };
        class.and_then(read).map_or_else(|| text.to_owned(), |plate| plate.text)
    }

    /// Normalised form: A–Z, 0–9 and Đ only.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text as cameras read it: Đ as D.
    pub fn as_seen(&self) -> String {
        self.text.replace('Đ', "D")
    }

    /// Whether it is a two-wheeler's, where the number says so.
    pub fn is_two_wheeled(&self) -> Option<bool> {
        match self.class {
            PlateClass::Special if self.text.contains("MĐ") => Some(true),
            PlateClass::Special if !self.has_stroked_d() => Some(false),
            class => class.is_two_wheeled(),
        }
    }

    pub fn class(&self) -> PlateClass {
        self.class
    }

    /// Where the number was issued; military numbers name no province.
    pub fn province(&self) -> Option<Province> {
        let code = match self.class {
            PlateClass::Military => None,
            PlateClass::Temporary => self.text.get(1..3),
            _ => self.text.get(..2),
        };
        Province::of_code(code?.parse().ok()?)
    }

    /// The number in its legal layout, e.g. `30F-256.58` or `29-B1 123.45`.
    pub fn display(&self) -> String {
        format::display(self)
    }

    /// Whether the number is of a series written with Đ.
    fn has_stroked_d(&self) -> bool {
        self.text.contains('Đ')
    }
}

#[cfg(test)]
mod tests;
