//! The layouts that plate numbers have, and the readings a text has under them.
//!
//! One matcher serves parsing and repair: it walks a text along a layout and either takes each
//! character as it is or, where the caller allows a change, as the character it is often confused
//! with. Parsing allows no change.

use super::{PlateClass, PlateColour, Province, Sight, confusion};

/// A set of letters, bit 0 for A.
type Letters = u32;

const fn letters(list: &str) -> Letters {
    let bytes = list.as_bytes();
    let mut set = 0;
    let mut index = 0;
    while index < bytes.len() {
        set |= 1 << (bytes[index] - b'A');
        index += 1;
    }
    set
}

/// First letters of a series; I, J, O, Q, W are never issued and R only in second place.
const FIRST: Letters = letters("ABCDEFGHKLMNPSTUVXYZ");
/// Second letters of a motorbike series. The law's text contradicts itself on G and R: both pass.
const SECOND: Letters = letters("ABCDEFGHKLMNPRSTUVXYZ");
/// Series letters of state bodies.
const STATE: Letters = letters("ABCDEFGHKLM");
const ANY: Letters = letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ");

/// Series of their own, on cars, tractors, trailers and special machines.
const SPECIAL: &[&str] = &["CD", "CT", "DA", "HC", "KT", "LB", "LD", "MK", "RM"];
/// Missions and foreigners.
const FOREIGN: &[&str] = &["CV", "NG", "NN", "QT"];

/// A piece of a layout.
enum Part {
    /// Two digits that name an issuing place.
    Code,
    Letter(Letters),
    /// A digit from 1 to 9.
    NonZero,
    Digits(usize),
    /// One of these words, all equally long.
    Word(&'static [&'static str]),
}

use Part::{Code, Digits, Letter, NonZero, Word};

/// The vehicles that a layout is issued to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wheels {
    /// Motorbikes and mopeds: always one rear plate of two rows.
    Two,
    More,
    Either,
}

struct Layout {
    class: PlateClass,
    wheels: Wheels,
    parts: &'static [Part],
}

const fn layout(class: PlateClass, wheels: Wheels, parts: &'static [Part]) -> Layout {
    Layout { class, wheels, parts }
}

/// Every layout on the road. Where a short plate reads its country before its number, the layout
/// is listed a second time in that order.
static LAYOUTS: &[Layout] = {
    use PlateClass::*;
    use Wheels::*;
    &[
        layout(CarCivil, More, &[Code, Letter(FIRST), Digits(5)]),
        layout(CarCivil, More, &[Code, Letter(FIRST), Digits(4)]),
        layout(CarState, More, &[Code, Letter(STATE), Digits(5)]),
        layout(CarState, More, &[Code, Letter(STATE), Digits(4)]),
        layout(MotorbikeNew, Two, &[Code, Letter(FIRST), Letter(SECOND), Digits(5)]),
        layout(MotorbikeOld, Two, &[Code, Letter(FIRST), NonZero, Digits(5)]),
        layout(MotorbikeOld, Two, &[Code, Letter(FIRST), NonZero, Digits(4)]),
        layout(MotorbikeState, Two, &[Code, Letter(STATE), NonZero, Digits(5)]),
        layout(MotorbikeState, Two, &[Code, Letter(STATE), NonZero, Digits(4)]),
        layout(Special, More, &[Code, Word(SPECIAL), Digits(5)]),
        layout(Special, More, &[Code, Word(SPECIAL), Digits(4)]),
        layout(Special, More, &[Code, Word(&["R"]), Digits(5)]),
        layout(Special, More, &[Code, Word(&["R"]), Digits(4)]),
        // TĐ: assembled on trial, on whatever wheels.
        layout(Special, Either, &[Code, Word(&["TĐ"]), Digits(5)]),
        layout(Special, Either, &[Code, Word(&["TĐ"]), Digits(4)]),
        // MĐ: electric mopeds.
        layout(Special, Two, &[Code, Word(&["MĐ"]), Digits(5)]),
        layout(Special, Two, &[Code, Word(&["MĐ"]), Digits(4)]),
        layout(Special, Two, &[Code, Word(&["MĐ"]), NonZero, Digits(5)]),
        layout(Special, Two, &[Code, Word(&["MĐ"]), NonZero, Digits(4)]),
        layout(Temporary, Either, &[Word(&["T"]), Code, Digits(5)]),
        layout(ForeignCar, More, &[Code, Digits(3), Word(FOREIGN), Digits(2)]),
        layout(ForeignCar, More, &[Code, Word(FOREIGN), Digits(3), Digits(2)]),
        layout(ForeignMotorbike, Two, &[Code, Digits(3), Word(FOREIGN), Digits(3)]),
        layout(ForeignMotorbike, Two, &[Code, Word(FOREIGN), Digits(3), Digits(3)]),
        layout(Military, Either, &[Letter(ANY), Letter(ANY), Digits(3)]),
        layout(Military, Either, &[Letter(ANY), Letter(ANY), Digits(4)]),
        layout(Military, Either, &[Letter(ANY), Letter(ANY), Digits(5)]),
        layout(Military, Either, &[Letter(ANY), Letter(ANY), Digits(6)]),
    ]
};

/// A text read along one layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub text: String,
    pub class: PlateClass,
    /// Characters that were changed.
    pub cost: u32,
}

/// All readings of the normalised `text` that agree with `sight`, changing only characters at
/// positions for which `changeable` says so. At most a few per layout.
pub(super) fn readings(
    text: &str,
    sight: &Sight,
    changeable: impl Fn(usize) -> bool,
) -> Vec<Reading> {
    let chars: Vec<char> = text.chars().collect();
    let of = |layout: &&Layout| layout.len() == chars.len() && layout.agrees(sight);
    LAYOUTS.iter().filter(of).flat_map(|layout| layout.readings(&chars, &changeable)).collect()
}

/// Whether the normalised `text` is a number of `class` in its canonical order, whatever was seen.
pub(super) fn fits(text: &str, class: PlateClass) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let mut of_class = LAYOUTS.iter().filter(|l| l.class == class && l.len() == chars.len());
    of_class.any(|layout| layout.readings(&chars, &|_| false).iter().any(|r| r.text == text))
}

impl Part {
    const fn len(&self) -> usize {
        match self {
            Code => 2,
            Letter(_) | NonZero => 1,
            Digits(count) => *count,
            // Đ takes two bytes.
            Word(words) if words[0].is_ascii() => words[0].len(),
            Word(words) => words[0].len() - 1,
        }
    }

    /// What the characters may stand for in this part, with the number of changes. A D may be a Đ:
    /// cameras do not see the stroke, and not every keyboard has it.
    fn options(&self, chars: &[char], changeable: impl Fn(usize) -> bool) -> Vec<(String, u32)> {
        let mut options = vec![(String::new(), 0)];
        for (index, &found) in chars.iter().enumerate() {
            let mut longer = Vec::new();
            for (start, cost) in &options {
                let mut push = |c: char, changes| {
                    longer.push((format!("{start}{c}"), cost + changes));
                    if c == 'D' && matches!(self, Word(_)) {
                        longer.push((format!("{start}Đ"), cost + changes));
                    }
                };
                let wants_digit = matches!(self, Code | Digits(_) | NonZero);
                if found.is_ascii_digit() == wants_digit {
                    push(found, 0);
                } else if changeable(index) {
                    let likely = if wants_digit {
                        confusion::digits(found)
                    } else {
                        confusion::letters(found)
                    };
                    likely.iter().for_each(|c| push(char::from(*c), 1));
                }
            }
            options = longer;
        }
        options.retain(|(text, _)| self.admits(text));
        options
    }

    /// Whether `text`, of the right length and kind, is one of the part's values.
    fn admits(&self, text: &str) -> bool {
        match self {
            Code => text.parse().is_ok_and(|code| Province::of_code(code).is_some()),
            Letter(set) => {
                matches!(text.as_bytes(), [c @ b'A'..=b'Z'] if set & (1 << (c - b'A')) != 0)
            }
            NonZero => text != "0",
            Digits(_) => true,
            Word(words) => words.contains(&text),
        }
    }
}

impl Layout {
    fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    fn readings(&self, text: &[char], changeable: &impl Fn(usize) -> bool) -> Vec<Reading> {
        let mut found: Vec<(Vec<String>, u32)> = vec![(Vec::new(), 0)];
        let mut start = 0;
        for part in self.parts {
            let Some(chars) = text.get(start..start + part.len()) else { return Vec::new() };
            let options = part.options(chars, |index| changeable(start + index));
            found = found
                .iter()
                .flat_map(|(before, cost)| {
                    options.iter().map(move |(text, more)| {
                        let mut parts = before.clone();
                        parts.push(text.clone());
                        (parts, cost + more)
                    })
                })
                .collect();
            start += part.len();
        }
        let reading = |(mut parts, cost): (Vec<String>, u32)| {
            if matches!(self.parts, [Code, Word(_), Digits(_), Digits(_)]) {
                // One vehicle, one text: the country goes where the long plate has it.
                parts.swap(1, 2);
            }
            Reading { text: parts.concat(), class: self.class, cost }
        };
        found.into_iter().map(reading).collect()
    }

    /// Whether a plate of this layout can look like that. What was not seen excludes nothing, but
    /// blue plates are rare and never assumed: without a colour the civil class is meant.
    fn agrees(&self, sight: &Sight) -> bool {
        let rows = sight.rows != Some(1) || self.wheels != Wheels::Two;
        let wheels = match (self.wheels, sight.vehicle) {
            (Wheels::Either, _) | (_, None) => true,
            (wheels, Some(vehicle)) => (wheels == Wheels::Two) == vehicle.is_two_wheeled(),
        };
        let colours = self.class.colours();
        let colour = match sight.colour {
            Some(colour) => colours.contains(&colour),
            None => colours != [PlateColour::Blue],
        };
        rows && wheels && colour
    }
}

impl PlateClass {
    /// Every class, in the order of the type.
    pub const ALL: [Self; 10] = [
        Self::CarCivil,
        Self::CarState,
        Self::MotorbikeNew,
        Self::MotorbikeOld,
        Self::MotorbikeState,
        Self::Special,
        Self::Temporary,
        Self::ForeignCar,
        Self::ForeignMotorbike,
        Self::Military,
    ];

    /// Backgrounds that plates of the class have. Yellow is for cars in transport business.
    pub const fn colours(self) -> &'static [PlateColour] {
        use PlateColour::{Blue, Red, White, Yellow};
        match self {
            Self::CarCivil => &[White, Yellow],
            Self::CarState | Self::MotorbikeState => &[Blue],
            Self::Special => &[White, Yellow, Blue],
            Self::MotorbikeNew
            | Self::MotorbikeOld
            | Self::Temporary
            | Self::ForeignCar
            | Self::ForeignMotorbike => &[White],
            Self::Military => &[Red],
        }
    }

    /// Whether the class is issued to two-wheelers, where it says so.
    pub const fn is_two_wheeled(self) -> Option<bool> {
        match self {
            Self::MotorbikeNew
            | Self::MotorbikeOld
            | Self::MotorbikeState
            | Self::ForeignMotorbike => Some(true),
            Self::CarCivil | Self::CarState | Self::ForeignCar => Some(false),
            Self::Special | Self::Temporary | Self::Military => None,
        }
    }
}
