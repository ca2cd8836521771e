//! Numbers as the law lays them out on the plate.

use super::normal::{MAX_CHARS, Mark, marks};
use super::{PlateClass, PlateNumber};

/// The number in its legal layout, e.g. `30F-256.58` or `29-B1 123.45`.
pub(super) fn display(plate: &PlateNumber) -> String {
    let text = plate.text();
    match plate.class() {
        PlateClass::CarCivil | PlateClass::CarState => {
            format!("{}-{}", cut(text, 0, 3), grouped(cut(text, 3, 8)))
        }
        PlateClass::MotorbikeNew | PlateClass::MotorbikeOld | PlateClass::MotorbikeState => {
            format!("{}-{} {}", cut(text, 0, 2), cut(text, 2, 4), grouped(cut(text, 4, 9)))
        }
        PlateClass::Special => {
            let (series, number) = split_special(text);
            let code = cut(text, 0, 2);
            let number = grouped(number);
            if series.starts_with("MĐ") {
                format!("{code}-{series} {number}")
            } else {
                format!("{code}{series}-{number}")
            }
        }
        PlateClass::Temporary => format!("{}-{}", cut(text, 0, 3), grouped(cut(text, 3, 8))),
        PlateClass::ForeignCar | PlateClass::ForeignMotorbike => format!(
            "{}-{}-{}-{}",
            cut(text, 0, 2),
            cut(text, 2, 5),
            cut(text, 5, 7),
            cut(text, 7, 10)
        ),
        PlateClass::Military => {
            let (unit, number) = (cut(text, 0, 2), cut(text, 2, 8));
            match number.len() {
                4 => format!("{unit}-{}-{}", cut(number, 0, 2), cut(number, 2, 4)),
                _ => format!("{unit} {number}"),
            }
        }
    }
}

/// How well a number's legal layout explains what was written; less is better. First whatever is
/// written exactly so, then whatever lacks some of its signs, then by the signs in wrong places; one
/// after the province's code is so common on any number that it weighs least.
pub(super) fn fit(plate: &PlateNumber, written: &[Mark]) -> (u32, u32) {
    let found = gaps(written.iter().copied());
    let one = |layout: &str| {
        let legal = gaps(marks(layout));
        let wrong = found & !legal;
        match wrong {
            0 if found == legal => (0, 0),
            0 => (1, 0),
            _ => (1 + wrong.count_ones(), (wrong & !AFTER_CODE).count_ones()),
        }
    };
    let layout = display(plate);
    // A short foreign plate shows its country before its number.
    let short = match layout.split('-').collect::<Vec<_>>()[..] {
        [code, number, country, end] => Some([code, country, number, end].join("-")),
        _ => None,
    };
    short.as_deref().map_or_else(|| one(&layout), |short| one(&layout).min(one(short)))
}

/// The place after the code of the province.
const AFTER_CODE: u32 = 1 << 2;

/// Where something stands between two characters: bit n for a gap before character n.
fn gaps(marks: impl Iterator<Item = Mark>) -> u32 {
    marks.enumerate().skip(1).filter(|(_, mark)| mark.apart).fold(0, |all, (n, _)| all | 1 << n)
}

/// Whether someone wrote exactly this number's legal layout.
pub(super) fn is_written_as(plate: &PlateNumber, text: &str) -> bool {
    fit(plate, &marks(text).take(MAX_CHARS).collect::<Vec<_>>()) == (0, 0)
}

/// Series and digits of a special number. The text of `29-MĐ1 1234` and `29-MĐ 112.34` is the same;
/// five digits are by far the more common.
fn split_special(text: &str) -> (&str, &str) {
    let rest = text.get(2..).unwrap_or_default();
    let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
    let series = if rest.len() - letters > 5 { letters + 1 } else { letters };
    rest.split_at_checked(series).unwrap_or((rest, ""))
}

/// Five digits as `123.45`; four stay together.
fn grouped(digits: &str) -> String {
    match digits.split_at_checked(3) {
        Some((head, tail)) if digits.len() == 5 => format!("{head}.{tail}"),
        _ => digits.to_owned(),
    }
}

/// Characters from `from` to `to`, or to the end. All that stands before a Đ is ASCII, and nothing
/// behind one is cut.
fn cut(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to.min(text.len())).unwrap_or_default()
}
