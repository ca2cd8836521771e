//! Words that several acts share: Vietnamese ones of captions, and what reasons say.

use contract::facts::{Lamp, Lit};
use contract::{Movement, VehicleClass};

pub const fn movement(movement: Movement) -> &'static str {
    match movement {
        Movement::Straight => "đi thẳng",
        Movement::Left => "rẽ trái",
        Movement::Right => "rẽ phải",
        Movement::UTurn => "quay đầu",
    }
}

pub const fn class(class: VehicleClass) -> &'static str {
    match class {
        VehicleClass::Motorbike => "xe máy",
        VehicleClass::Car => "xe ô tô con",
        VehicleClass::Bus => "xe khách",
        VehicleClass::Truck => "xe tải",
    }
}

/// In a reason, English.
pub const fn side(movement: Movement) -> &'static str {
    match movement {
        Movement::Left => "to the left",
        Movement::Right => "to the right",
        Movement::UTurn => "by turning round",
        Movement::Straight => "ahead",
    }
}

/// With a capital letter first.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// The figure holds for the picture on the line and for no other: behind it, green may have come.
pub fn lit(lit: &Lit) -> String {
    let lamp = match lit.lamp {
        Lamp::Red => "đèn ĐỎ",
        Lamp::Amber => "đèn VÀNG",
        Lamp::Green => "đèn XANH",
        Lamp::Unknown => "đèn KHÔNG RÕ",
    };
    let arrow = if lit.right_arrow { ", mũi tên phải xanh" } else { "" };
    format!("{lamp} đã {} ms khi trên vạch{arrow}", lit.red.value)
}

/// A number with the comma that Vietnamese writes.
pub fn decimal(value: f64, places: usize) -> String {
    format!("{value:.places$}").replace('.', ",")
}

/// A setting as the number that was written, not as the nearest that 32 bits hold.
pub fn written(setting: f32) -> f64 {
    (f64::from(setting) * 1e4).round() / 1e4
}

/// A measure with so many decimals, rounded down: never more than was measured.
pub fn measured(value: f32, places: i32) -> f64 {
    let whole = 10f64.powi(places);
    (f64::from(value) * whole + 1e-3).floor() / whole
}
