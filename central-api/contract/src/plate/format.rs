//! Numbers as the law lays them out on the plate.

use super::{PlateClass, PlateNumber, normal};

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
            match series.strip_prefix("MD") {
                Some(digit) => format!("{code}-MĐ{digit} {number}"),
                None if series == "TD" => format!("{code}TĐ-{number}"),
                None => format!("{code}{series}-{number}"),
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

/// Whether the number is of a series written with Đ.
pub(super) fn is_stroked(plate: &PlateNumber) -> bool {
    plate.class() == PlateClass::Special && matches!(cut(plate.text(), 2, 4), "MD" | "TD")
}

/// Whether someone wrote exactly this number's legal layout, with Đ or with D.
pub(super) fn is_written_as(plate: &PlateNumber, text: &str) -> bool {
    let plain = |text: &str| -> String {
        text.trim().chars().filter_map(normal::unstroked).flat_map(char::to_uppercase).collect()
    };
    plain(text) == plain(&display(plate))
}

/// Series and digits of a special number. The text of `29-MĐ1 1234` and `29-MĐ 112.34` is the same;
/// five digits are by far the more common.
fn split_special(text: &str) -> (&str, &str) {
    let rest = cut(text, 2, 10);
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
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

/// Characters from `from` to `to`, or to the end. Numbers are ASCII.
fn cut(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to.min(text.len())).unwrap_or_default()
}
