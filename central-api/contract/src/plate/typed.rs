//! A number as a person writes it: with dashes, dots, line breaks, "BKS:" in front.
//!
//! Unlike a camera's characters, writing says more than its letters. `29-B1 2345` is a motorbike's
//! number and `29B-123.45` a car's, though their characters are the same; D is D and Đ is Đ. Who is
//! asked about one vehicle must never answer about another, so the written layout decides, and
//! where it speaks against the vehicle that was asked for there is no number but the reason.

use super::normal::{MAX_CHARS, Mark, has_foreign, marks};
use super::repair::numbers;
use super::{PlateNumber, Sight, format};

/// What people write in front of a number, as it is normalised. None is the start of one.
const LABELS: &[&str] = &[
    "BIENKIEMSOAT",
    "BIENDANGKY",
    "BIENSO",
    "BIENXE",
    "BIEN",
    "SOXE",
    "BKS",
    "BSX",
    "BS",
    "SO",
    "XE",
];
/// Characters looked at; labels come a few at a time ("Biển kiểm soát xe:").
const MOST: usize = 2 * MAX_CHARS + 16;

/// What someone wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    Number(PlateNumber),
    /// Written like this number, which the vehicle asked for cannot carry.
    OtherVehicle(PlateNumber),
    /// Two or more numbers fit, ordered by text and class: ask what kind of vehicle is meant.
    Ambiguous(Vec<PlateNumber>),
    NoNumber,
}

impl Typed {
    /// The number, if there is exactly one.
    pub fn number(self) -> Option<PlateNumber> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }
}

/// Reads `text` as written for the vehicle of `sight`; without one, for any. A colour only chooses
/// between classes that write the same number.
pub fn typed(text: &str, sight: &Sight) -> Typed {
    if has_foreign(text) {
        return Typed::NoNumber;
    }
    let mut written: Vec<Mark> = marks(text).take(MOST).collect();
    loop {
        match read(&written, sight) {
            Typed::NoNumber => {}
            found => return found,
        }
        let spelled = spelling(&written);
        let Some(label) = LABELS.iter().find(|label| spelled.starts_with(**label)) else {
            return Typed::NoNumber;
        };
        written.drain(..label.len());
    }
}

/// The same number with the stroke that its D may stand for, where that is another number:
/// 29-MĐ 567.89 for 29-MD 567.89.
pub fn stroked_twin(number: &PlateNumber) -> Option<PlateNumber> {
    let stroked = |other: &PlateNumber| other.text() != number.text();
    numbers(number.text(), &Sight::default(), |_| false)
        .into_iter()
        .map(|candidate| candidate.plate)
        .find(stroked)
        .filter(|other| other.as_seen() == number.text())
}

fn spelling(written: &[Mark]) -> String {
    written.iter().map(|mark| mark.char).collect()
}

fn read(written: &[Mark], sight: &Sight) -> Typed {
    if written.len() > MAX_CHARS {
        return Typed::NoNumber;
    }
    let text = spelling(written);
    let of = |sight: Sight| -> Vec<PlateNumber> {
        let found = numbers(&text, &sight, |_| false);
        let mut plates: Vec<_> = found.into_iter().map(|candidate| candidate.plate).collect();
        plates.sort();
        plates.dedup();
        plates
    };
    let any = of(Sight::default());
    let asked = of(Sight { vehicle: sight.vehicle, ..Sight::default() });
    // A D is a D. Only where such a vehicle has no number with it does it stand for Đ.
    let plain = asked.iter().any(|plate| plate.as_seen() == plate.text());
    let literal: Vec<PlateNumber> = any
        .into_iter()
        .filter(|plate| !plain || plate.text() == text || !plate.has_stroked_d())
        .collect();
    let fit = |plate: &PlateNumber| format::fit(plate, written);
    let Some(best) = literal.iter().map(fit).min() else { return Typed::NoNumber };
    let meant: Vec<&PlateNumber> = literal.iter().filter(|plate| fit(plate) == best).collect();
    let mut found: Vec<PlateNumber> =
        meant.iter().filter(|plate| asked.contains(plate)).map(|plate| (*plate).clone()).collect();
    let Some(first) = found.first() else {
        return Typed::OtherVehicle(meant[0].clone());
    };
    if found.iter().any(|plate| plate.text() != first.text())
        || found.len() > 1 && sight.vehicle.is_none()
    {
        return Typed::Ambiguous(found);
    }
    let seen = of(Sight { vehicle: sight.vehicle, colour: sight.colour, rows: None });
    let number = seen.into_iter().find(|plate| plate.text() == first.text());
    Typed::Number(number.unwrap_or_else(|| found.swap_remove(0)))
}
