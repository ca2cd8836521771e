//! How many pictures a second of a camera are looked at: a number, or the least and the most between
//! which the box chooses by what it bears.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use settings::{Node, Reader, Value};

/// Pictures a second that any camera may be looked at.
pub const FEWEST: f64 = 2.0;
pub const MOST: f64 = 60.0;
const USUAL: f64 = 10.0;

const KEY: &str = "analysed_fps";
const UNIT: &str = "frames a second";

/// From the least to the most; the same where it is fixed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fps {
    pub least: f32,
    pub most: f32,
}

impl Fps {
    pub const fn fixed(fps: f32) -> Self {
        Self { least: fps, most: fps }
    }

    pub fn is_fixed(&self) -> bool {
        self.least == self.most
    }

    /// Reads `analysed_fps = 10` or `analysed_fps = { least = 5, most = 10 }`.
    pub(super) fn read(table: &Reader<'_>) -> Self {
        if !matches!(table.take(KEY), Some(Node { value: Value::Table(_), .. })) {
            return Self::fixed(table.number(KEY, USUAL, (FEWEST, MOST), UNIT) as f32);
        }
        let Some(range) = table.section(KEY) else { return Self::fixed(USUAL as f32) };
        let bound = |key: &'static str| {
            if !range.has(key) {
                let problem = format!(
                    "is missing: a range has both, e.g. {KEY} = {{ least = 5, most = 10 }}"
                );
                range.reject(key, problem);
            }
            range.number(key, USUAL, (FEWEST, MOST), UNIT) as f32
        };
        let (least, most) = (bound("least"), bound("most"));
        range.finish();
        if least > most {
            table.reject(
                KEY,
                format!("has a least of {least}, which is more than its most, {most}"),
            );
            return Self::fixed(most);
        }
        Self { least, most }
    }

    /// Refuses less than `rules` need.
    pub(super) fn check(self, table: &Reader<'_>, (needed, by): (f32, &str)) {
        let (found, needed) = (self.least, needed.ceil());
        if found >= needed {
            return;
        }
        let why = format!("with fewer, too little is seen of who passes to judge {by}");
        let problem = if f64::from(needed) <= MOST {
            format!("is {found}, must be at least {needed}: {why}")
        } else {
            format!(
                "may be {MOST} at the most and would have to be {needed}: {why}; survey a longer stretch"
            )
        };
        let range = if self.is_fixed() { None } else { table.section(KEY) };
        match range {
            Some(range) => range.reject("least", problem),
            None => table.reject(KEY, problem),
        }
    }
}

/// One number where it is fixed, as it always was.
impl Serialize for Fps {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.is_fixed() {
            return to.serialize_f32(self.most);
        }
        let mut range = to.serialize_struct("Fps", 2)?;
        range.serialize_field("least", &self.least)?;
        range.serialize_field("most", &self.most)?;
        range.end()
    }
}
