//! What the edge may accuse a vehicle of, and what it saw. Amounts and articles are not here: the
//! central chooses them from dated law by act, facts, vehicle and time.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Facts, VehicleClass};

/// Longest name of an act, bytes.
const LONGEST: usize = 40;

/// An act by its name in the law's tables, in JSON, configuration and metrics: `red_light`. A
/// reader may meet acts that it does not know; it keeps their evidence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Act(Cow<'static, str>);

impl Act {
    /// Vượt đèn đỏ: crossed the stop line on red and went on.
    pub const RED_LIGHT: Self = Self::named("red_light");
    /// Dừng xe đè vạch: stopped across the stop line on red without entering the junction.
    pub const STOP_LINE: Self = Self::named("stop_line");

    /// For names written in programs, which follow the form that [`Act::parse`] asks for.
    pub const fn named(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// 1 to 40 of a-z, 0-9 and _, with a letter first; nothing else.
    pub fn parse(name: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let sound = (1..=LONGEST).contains(&name.len())
            && name.bytes().all(plain)
            && name.as_bytes()[0].is_ascii_lowercase();
        sound.then(|| Self(Cow::Owned(name.to_owned())))
    }

    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Act {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::parse(&name).ok_or("is no act: 1 to 40 of a-z, 0-9 and _, a letter first")
    }
}

impl From<Act> for String {
    fn from(act: Act) -> Self {
        act.0.into_owned()
    }
}

/// What a picture of the act shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum MomentRole {
    /// Plainly before the line or place where the act begins.
    Before,
    /// On the line.
    On,
    /// Plainly past it.
    Past,
    /// Where something that lasts began to be measured.
    Begin,
    /// While it lasted.
    During,
    /// Where it was measured to its end.
    End,
}

impl MomentRole {
    /// The name used in JSON and for files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::On => "on",
            Self::Past => "past",
            Self::Begin => "begin",
            Self::During => "during",
            Self::End => "end",
        }
    }
}

/// One moment of the act and the picture that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Moment {
    pub role: MomentRole,
    /// Capture time of the picture.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Name of the picture's file.
    pub file: String,
}

/// One observed act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Violation {
    pub act: Act,
    /// When it was done, with the local offset (+07:00): capture time of the picture that shows it
    /// most plainly, on the line where there is one.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The tracker's number for the vehicle, unique within one agent run and camera.
    pub track: u64,
    pub vehicle: VehicleClass,
    pub facts: Facts,
    /// In the order of time.
    pub moments: Vec<Moment>,
    /// Whether lights of a vehicle on duty may be in a picture: for the reviewer to look at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_on_duty: bool,
    /// Why the rule fired, in one English sentence for the officer and the audit.
    pub reason: String,
}
