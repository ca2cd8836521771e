//! What was seen of an act, in words: every measured value with its limit, what is tolerated and how
//! exactly it is known.

use contract::facts::{Facts, Lit, Measured, Unit};

use super::Words;
use crate::case;

/// The facts as part of a sentence, each with its name: `tốc độ: 72,4 km/h …; quãng đường: …`.
pub fn phrase(facts: &Facts, w: &Words) -> String {
    let named = |(key, value): (_, String)| {
        let name = w.named("case", key);
        let mut rest = name.chars();
        let first = rest.next().into_iter().flat_map(char::to_lowercase);
        format!("{}: {value}", first.chain(rest).collect::<String>())
    };
    lines(facts, w).into_iter().map(named).collect::<Vec<_>>().join("; ")
}

/// The facts as lines of a list: key of the line's name, and the line.
pub fn lines(facts: &Facts, w: &Words) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(movement) = facts.movement() {
        lines.push(("movement", w.named("movement", movement.name())));
    }
    if let Some(place) = facts.place() {
        lines.push(("zone", place.to_owned()));
    }
    if let Facts::AverageSpeed(it) = facts {
        lines.push(("stretch", format!("{} → {}", it.from_camera, it.to_camera)));
    }
    if let Some(lit) = facts.lit() {
        lines.push(("lamp", lamp(lit, w)));
    }
    for (name, measured) in facts.measured() {
        // Told with the lamp.
        if name != "red" {
            lines.push((name, value(&measured, w)));
        }
    }
    lines
}

fn lamp(lit: &Lit, w: &Words) -> String {
    let seconds = number(lit.red.value / 1000.0, 1);
    let mut text = format!(
        "{}, {}",
        w.named("lamp", &case::name_of(&lit.lamp)),
        w.with("case.red_for", "seconds", seconds),
    );
    if lit.right_arrow {
        text.push_str(", ");
        text.push_str(w.t("case.right_arrow"));
    }
    text
}

/// `72,4 km/h ± 1,2; giới hạn 60; dung sai 5`.
fn value(measured: &Measured, w: &Words) -> String {
    let unit = w.named("unit", &case::name_of(&measured.unit));
    let places = match measured.unit {
        Unit::Milliseconds | Unit::Count | Unit::Degrees => 0,
        Unit::VehicleHeights => 2,
        Unit::Seconds | Unit::Metres | Unit::KilometresPerHour => 1,
    };
    let mut text = format!("{} {unit}", number(measured.value, places));
    if let Some(uncertainty) = measured.uncertainty {
        text.push_str(&format!(" ± {}", number(uncertainty, places)));
    }
    for (key, part) in [("limit", measured.limit), ("tolerance", measured.tolerance)] {
        if let Some(part) = part {
            text.push_str(&format!("; {} {}", w.named("case", key), number(part, places)));
        }
    }
    text
}

fn number(value: f64, places: usize) -> String {
    format!("{value:.places$}").replace('.', ",")
}
