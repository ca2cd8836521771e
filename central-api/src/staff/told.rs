//! What was seen of an act, in words: every measured value with its limit, what is tolerated and how
//! exactly it is known; and whether judging again gave the same.

use contract::facts::{Facts, Lit, Measured, Unit};
use judge::basis::{Again, BasisError, Difference};

use crate::case;
use crate::web::Words;

/// The facts as lines of a list: key of the line's name, and the line.
pub(super) fn facts(facts: &Facts, w: &Words) -> Vec<(&'static str, String)> {
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

/// Whether the rules of this program say the same of what was sealed.
pub(super) fn again(again: &Result<Again, BasisError>, w: &Words) -> String {
    match again {
        Ok(Again::Same) => w.t("case.again_same").to_owned(),
        Ok(Again::Differs(what)) => {
            let what: Vec<_> = what.iter().map(|what| difference(what, w)).collect();
            format!("{}: {}", w.t("case.again_differs"), what.join("; "))
        }
        Err(error) => format!("{}: {error}", w.t("case.again_failed")),
    }
}

fn difference(difference: &Difference, w: &Words) -> String {
    let both = |found: &str, sealed: &str| {
        w.with("case.again_sealed", "found", found).replace("{sealed}", sealed)
    };
    match difference {
        Difference::Lawful(why) => w.named("lawful", why.name()),
        Difference::Doubt(why) => w.named("in_doubt", why.name()),
        Difference::Undecided => w.t("case.again_undecided").to_owned(),
        Difference::Facts { found, sealed } => {
            let (found, sealed) = (facts(found, w), facts(sealed, w));
            let line = |(key, value): &(&str, String)| format!("{} {value}", w.named("case", key));
            let lines = |some: &[(&'static str, String)], others: &[(&'static str, String)]| {
                let differing = some.iter().filter(|line| !others.contains(line)).map(line);
                differing.collect::<Vec<_>>().join(", ")
            };
            both(&lines(&found, &sealed), &lines(&sealed, &found))
        }
        Difference::Said { found, sealed, .. } => both(found, sealed),
    }
}
