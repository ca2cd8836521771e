//! What was seen of an act, a variant a family of acts: every measured value with its unit, the
//! limit it is held against, what is tolerated and how exactly it is known.

use serde::{Deserialize, Serialize};

use crate::VehicleClass;

/// Most movements, classes or the like listed in one fact.
const MAX_LISTED: usize = 8;

/// What carries the accusation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Facts {
    Signal(Signal),
    Line(Line),
    Lane(Lane),
    Direction(Direction),
    Zone(Zone),
    Speed(Speed),
    AverageSpeed(AverageSpeed),
    Appearance(Appearance),
}

/// Went on although the lamp of its movement forbade it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Signal {
    pub movement: Movement,
    pub lit: Lit,
}

/// Crossed or stood over a painted line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Line {
    pub line: LineKind,
    /// The line's name in the camera's plan, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The lamp, where the line is one to stop at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lit: Option<Lit>,
    /// How far over the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Measured>,
    /// How long it stood there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood: Option<Measured>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LineKind {
    /// Vạch dừng (7.1).
    Stop,
    /// Vạch liền between lanes or directions (1.2, 2.2).
    Solid,
}

/// Made a movement from a lane that does not lead there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lane {
    /// The lane's name in the camera's plan.
    pub lane: String,
    pub movement: Movement,
    pub allowed: Vec<Movement>,
}

/// Went where or turned how the road forbids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Direction {
    /// The name of the stretch in the camera's plan, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The movement forbidden, where it is a turn; absent against the traffic of a road.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub movement: Option<Movement>,
    /// Between its way and the one prescribed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<Measured>,
    /// How far it went so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Measured>,
}

/// Was in a place where it may not be, or may not stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Zone {
    /// The zone's name in the camera's plan.
    pub zone: String,
    /// Classes that may not be there; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<VehicleClass>,
    /// How long it stayed, or stood where standing is what is forbidden.
    pub dwell: Measured,
}

/// Was faster than allowed over a surveyed stretch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Speed {
    pub speed: Measured,
    pub distance: Measured,
    pub took: Measured,
}

/// Was faster than allowed on the way from one camera to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AverageSpeed {
    pub from_camera: String,
    pub to_camera: String,
    pub speed: Measured,
    pub distance: Measured,
    pub took: Measured,
}

/// Looks as it may not: a plate hidden or missing. For a person to judge, never by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Appearance {
    /// Good looks at the place in which nothing was found.
    pub looks: Measured,
}

/// Where the vehicle went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Movement {
    Straight,
    Left,
    Right,
    UTurn,
}

impl Movement {
    /// The name used in JSON and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Straight => "straight",
            Self::Left => "left",
            Self::Right => "right",
            Self::UTurn => "u_turn",
        }
    }
}

/// What the lamp that governs the movement showed at the act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lit {
    pub lamp: Lamp,
    /// How long it had been red when the vehicle was on the line; the grace is the limit.
    pub red: Measured,
    /// Whether a green right arrow was lit beside the red lamp.
    pub right_arrow: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Lamp {
    Red,
    Amber,
    Green,
    /// Nothing could be told: never grounds for an accusation.
    Unknown,
}

/// One measured value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Measured {
    pub value: f64,
    pub unit: Unit,
    /// What it is held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Beyond the limit by this nobody is accused yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// The true value lies no farther from `value`, as far as this is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Unit {
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "m")]
    Metres,
    #[serde(rename = "km/h")]
    KilometresPerHour,
    Degrees,
    /// Heights of the accused vehicle's own box in the picture.
    VehicleHeights,
    Count,
}

impl Measured {
    pub const fn new(value: f64, unit: Unit) -> Self {
        Self { value, unit, limit: None, tolerance: None, uncertainty: None }
    }

    #[must_use]
    pub const fn against(mut self, limit: f64) -> Self {
        self.limit = Some(limit);
        self
    }

    #[must_use]
    pub const fn tolerating(mut self, tolerance: f64) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    #[must_use]
    pub const fn known_to(mut self, uncertainty: f64) -> Self {
        self.uncertainty = Some(uncertainty);
        self
    }

    /// The value at the accused's best: less what is tolerated and what may be measured wrong.
    pub fn at_least(&self) -> f64 {
        self.value - self.tolerance.unwrap_or(0.0) - self.uncertainty.unwrap_or(0.0)
    }

    /// How far it lies beyond its limit at the accused's best; none where it may lie within.
    pub fn excess(&self) -> Option<f64> {
        let excess = self.at_least() - self.limit?;
        (excess > 0.0).then_some(excess)
    }

    fn problem(&self) -> Option<&'static str> {
        let parts = [Some(self.value), self.limit, self.tolerance, self.uncertainty];
        if parts.into_iter().flatten().any(|number| !number.is_finite()) {
            return Some("holds a value that is no number");
        }
        let below = |part: Option<f64>| part.is_some_and(|part| part < 0.0);
        (below(self.tolerance) || below(self.uncertainty))
            .then_some("holds a tolerance or an uncertainty below 0")
    }
}

impl Facts {
    /// The family's name in JSON.
    pub const fn family(&self) -> &'static str {
        match self {
            Self::Signal(_) => "signal",
            Self::Line(_) => "line",
            Self::Lane(_) => "lane",
            Self::Direction(_) => "direction",
            Self::Zone(_) => "zone",
            Self::Speed(_) => "speed",
            Self::AverageSpeed(_) => "average_speed",
            Self::Appearance(_) => "appearance",
        }
    }

    /// The lamp that the act was done under, where it was one's to obey.
    pub const fn lit(&self) -> Option<&Lit> {
        match self {
            Self::Signal(signal) => Some(&signal.lit),
            Self::Line(line) => line.lit.as_ref(),
            _ => None,
        }
    }

    /// The movement made, where that is what was judged.
    pub const fn movement(&self) -> Option<Movement> {
        match self {
            Self::Signal(signal) => Some(signal.movement),
            Self::Lane(lane) => Some(lane.movement),
            Self::Direction(direction) => direction.movement,
            _ => None,
        }
    }

    /// The name of the place in the camera's plan: lane, line, stretch or zone.
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::Line(line) => line.place.as_deref(),
            Self::Lane(lane) => Some(&lane.lane),
            Self::Direction(direction) => direction.place.as_deref(),
            Self::Zone(zone) => Some(&zone.zone),
            _ => None,
        }
    }

    /// Every measured value with its name.
    pub fn measured(&self) -> Vec<(&'static str, Measured)> {
        let named = |name, part: &Option<Measured>| part.map(|part| (name, part));
        let parts = match self {
            Self::Signal(signal) => vec![Some(("red", signal.lit.red))],
            Self::Line(line) => vec![
                line.lit.as_ref().map(|lit| ("red", lit.red)),
                named("over", &line.over),
                named("stood", &line.stood),
            ],
            Self::Lane(_) => Vec::new(),
            Self::Direction(it) => vec![named("heading", &it.heading), named("way", &it.way)],
            Self::Zone(zone) => vec![Some(("dwell", zone.dwell))],
            Self::Speed(Speed { speed, distance, took })
            | Self::AverageSpeed(AverageSpeed { speed, distance, took, .. }) => {
                vec![Some(("speed", *speed)), Some(("distance", *distance)), Some(("took", *took))]
            }
            Self::Appearance(appearance) => vec![Some(("looks", appearance.looks))],
        };
        parts.into_iter().flatten().collect()
    }

    /// What may not stand in a manifest, if anything.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let texts: [Option<&String>; 2] = match self {
            Self::Lane(lane) => [Some(&lane.lane), None],
            Self::Line(line) => [line.place.as_ref(), None],
            Self::Direction(direction) => [direction.place.as_ref(), None],
            Self::Zone(zone) => [Some(&zone.zone), None],
            Self::AverageSpeed(it) => [Some(&it.from_camera), Some(&it.to_camera)],
            _ => [None, None],
        };
        for text in texts.into_iter().flatten() {
            if text.trim().is_empty() {
                return Some("leaves a name empty");
            }
            if let Some(problem) = crate::manifest::text_problem(text) {
                return Some(problem);
            }
        }
        let listed = match self {
            Self::Lane(lane) => lane.allowed.len(),
            Self::Zone(zone) => zone.classes.len(),
            _ => 0,
        };
        if listed > MAX_LISTED {
            return Some("lists more than 8 of a kind");
        }
        self.measured().iter().find_map(|(_, measured)| measured.problem())
    }
}
