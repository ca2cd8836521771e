//! What a misread text may have been, with the price of believing so.
//!
//! The grammar comes first: a text that fits is never changed. Repair only proposes; who uses a
//! candidate keeps the raw text beside it and abstains where two candidates cost the same.

use super::{PlateNumber, Sight, grammar, normal};

/// A number that a text may have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub plate: PlateNumber,
    /// Characters that differ from the text: 0 where it fits as it is.
    pub cost: u32,
}

/// Numbers that `text` may stand for, cheapest first, equal costs by text and class.
///
/// `confident` marks positions of the *normalised* text that must stay; positions past its end may
/// change. Only the field's usual confusions are tried, so the work is bounded by the number of
/// layouts and every list is short.
pub fn repair(text: &str, sight: &Sight, confident: &[bool]) -> Vec<Candidate> {
    let exact = super::numbers(text, sight, |_| false);
    let mut candidates = if exact.is_empty() {
        super::numbers(text, sight, |index| !confident.get(index).copied().unwrap_or(false))
    } else {
        exact
    };
    candidates.sort_by(|a, b| a.plate.cmp(&b.plate).then(a.cost.cmp(&b.cost)));
    candidates.dedup_by(|later, earlier| later.plate == earlier.plate);
    candidates.sort_by(|a, b| a.cost.cmp(&b.cost).then_with(|| a.plate.cmp(&b.plate)));
    candidates
}

/// Readings of `text` as numbers.
pub(super) fn numbers(
    text: &str,
    sight: &Sight,
    changeable: impl Fn(usize) -> bool,
) -> Vec<Candidate> {
    grammar::readings(&normal::normalise(text), sight, changeable)
        .into_iter()
        .map(|reading| Candidate {
            plate: PlateNumber { text: reading.text, class: reading.class },
            cost: reading.cost,
        })
        .collect()
}
