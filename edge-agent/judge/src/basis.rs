//! What a verdict stood on, as it is sealed beside the pictures, and the judgement made again from
//! it: the same on any machine with the same rules, else the difference is named.

use std::fmt;
use std::time::Duration;

use contract::facts::Measured;
use contract::geometry::BBox;
use contract::manifest::Manifest;
use contract::{Act, Digest, Facts, MomentRole};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::lamp::Lamp;
use crate::road::Road;
use crate::rules::{Doubt, Elsewhere, Lawful, Plates, Rule, Scene, Verdict};
use crate::site::Site;
use crate::time::{Nanos, SECOND};
use crate::track::{Companion, Looked, Passed, Track};

/// Most bytes of a basis.
const MAX_BYTES: usize = 8 << 20;
/// Stream times are counted from the camera's start: none is later than ten years.
const LATEST: Nanos = 10 * 366 * 24 * 3600 * SECOND;
/// No box reaches farther out of its picture, pixels.
const FARTHEST: f32 = 1e6;
/// Most lamps of a camera.
const MOST: usize = 64;

/// The picture of a moment lies no farther from the moment.
const SHOWN_WITHIN: time::Duration = time::Duration::seconds(2);

/// The form that is written.
const FORM: u32 = 1;

/// These rules, as a basis names those that judged.
pub const BUILD: &str = env!("JUDGE_BUILD");

/// Everything that one verdict was a function of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    form: u32,
    /// The rules that judged: version and text of this crate.
    judge: String,
    act: Act,
    /// The camera's effective configuration, the very text whose digest the manifest holds; its
    /// `site` is what the rules read.
    config: String,
    /// Width and height of the picture, pixels.
    size: [u32; 2],
    /// When the verdict was given, and whether the track was over.
    now: Nanos,
    ended: bool,
    #[serde(with = "time::serde::rfc3339::option")]
    captured_at: Option<OffsetDateTime>,
    lamps: Vec<Lamp>,
    track: Track,
    company: Vec<Companion>,
    /// What was known of it beyond this camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plate: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    passed: Vec<Passed>,
    #[serde(default, skip_serializing_if = "is_default")]
    clock_known_to_ms: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    looks: Vec<Looked>,
    /// Vehicles looked at before it, and those whose plate was read.
    #[serde(default, skip_serializing_if = "is_default")]
    others: [u32; 2],
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Why a basis says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BasisError {
    #[error("the basis is not valid JSON of the expected form: {0}")]
    Syntax(String),
    #[error("the basis has form {0}, only {FORM} is known")]
    Form(u32),
    #[error("the basis is of the configuration {found}, the manifest names {expected}")]
    Config { found: Digest, expected: Digest },
    #[error("the site in the basis does not read: {0}")]
    Site(String),
    #[error("the basis is of {found}, the manifest accuses of {expected}")]
    Act { found: Act, expected: Act },
    #[error("the basis has no rule for {0}")]
    NoRule(Act),
    #[error("the basis is impossible: {0}")]
    Impossible(&'static str),
}

/// What judging again gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Again {
    Same,
    Differs(Vec<Difference>),
}

/// What these rules say otherwise than was sealed.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// They accuse nobody.
    Lawful(Lawful),
    /// They abstain.
    Doubt(Doubt),
    /// They would go on looking.
    Undecided,
    Facts {
        found: Box<Facts>,
        sealed: Box<Facts>,
    },
    /// Another text: of the vehicle, its track, the moments, the reason.
    Said {
        what: &'static str,
        found: String,
        sealed: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lawful(why) => {
                write!(f, "these rules accuse nobody: {}", why.name().replace('_', " "))
            }
            Self::Doubt(why) => write!(f, "these rules abstain: {}", why.name().replace('_', " ")),
            Self::Undecided => f.write_str("these rules have not decided by then"),
            Self::Facts { found, sealed } => facts(f, found, sealed),
            Self::Said { what, found, sealed } => write!(f, "{what}: {found}; sealed: {sealed}"),
        }
    }
}

/// The measured values that differ, else everything that was found.
fn facts(f: &mut fmt::Formatter<'_>, found: &Facts, sealed: &Facts) -> fmt::Result {
    let (ours, theirs) = (found.measured(), sealed.measured());
    let mut told = 0;
    for (name, measured) in &ours {
        let other = theirs.iter().find(|(other, _)| other == name).map(|(_, other)| other);
        if let Some(other) = other.filter(|other| *other != measured) {
            let comma = if told == 0 { "" } else { ", " };
            write!(f, "{comma}{name}: {}; sealed: {}", value(measured), value(other))?;
            told += 1;
        }
    }
    match told {
        0 => write!(f, "facts: {}; sealed: {}", json(found), json(sealed)),
        _ => Ok(()),
    }
}

/// `2333 ms, limit 300`.
fn value(measured: &Measured) -> String {
    let unit = json(&measured.unit);
    let unit = unit.trim_matches('"').replace('_', " ");
    let parts = [
        ("limit", measured.limit),
        ("tolerance", measured.tolerance),
        ("uncertainty", measured.uncertainty),
    ];
    let parts = parts.map(|(name, part)| part.map(|part| format!(", {name} {part}")));
    format!("{} {unit}{}", measured.value, parts.into_iter().flatten().collect::<String>())
}

impl Basis {
    /// Of the `company` only as much is sealed as `rule` looks at.
    pub fn new(act: Act, rule: &dyn Rule, config: &str, track: &Track, scene: &Scene<'_>) -> Self {
        let others = if rule.company() > 0 { scene.others(track) } else { Vec::new() };
        let asked = rule.asks_for_plates();
        let plates = if asked { scene.elsewhere.plates } else { Plates::default() };
        Self {
            form: FORM,
            judge: BUILD.into(),
            act,
            config: config.into(),
            size: scene.size,
            now: scene.now,
            ended: scene.ended,
            captured_at: scene.captured_at,
            lamps: scene.lamps.to_vec(),
            track: track.clone(),
            company: others.into_iter().cloned().collect(),
            plate: scene.elsewhere.plate.map(str::to_owned),
            passed: scene.elsewhere.passed.to_vec(),
            clock_known_to_ms: millis(scene.elsewhere.known_to),
            looks: plates.looks.to_vec(),
            others: [plates.others, plates.others_read],
        }
    }

    /// The bytes to seal.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Plain values with string keys, every number finite: serialisation cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, BasisError> {
        #[derive(Deserialize)]
        struct Formed {
            form: u32,
        }
        let syntax = |error: serde_json::Error| BasisError::Syntax(error.to_string());
        if bytes.len() > MAX_BYTES {
            return Err(BasisError::Impossible("it has more than 8 MiB"));
        }
        match serde_json::from_slice::<Formed>(bytes).map_err(syntax)?.form {
            FORM => {}
            other => return Err(BasisError::Form(other)),
        }
        let basis: Self = serde_json::from_slice(bytes).map_err(syntax)?;
        match basis.problem() {
            Some(problem) => Err(BasisError::Impossible(problem)),
            None => Ok(basis),
        }
    }

    /// What no camera can have seen: rules reckon with these values and must not be led astray.
    fn problem(&self) -> Option<&'static str> {
        let all = || self.track.whole();
        let others = || self.company.iter().flat_map(|other| &other.seen);
        let lights = || self.lamps.iter().flat_map(|lamp| lamp.history.stretches());
        let times = all().map(|seen| seen.t).chain(others().map(|(t, _)| *t));
        let mut times = times
            .chain(lights().flat_map(|stretch| [stretch.from, stretch.to]))
            .chain(self.looks.iter().map(|look| look.t))
            .chain(self.track.doubts.iter().copied())
            .chain(self.track.gaps.iter().flat_map(|gap| [gap.from, gap.to]))
            .chain([self.now]);
        let far = |side: f32| !side.is_finite() || side.abs() > FARTHEST;
        if self.track.path.is_empty() || self.size.iter().any(|side| !(1..=65_535).contains(side)) {
            Some("a track without a sighting, or a picture without size")
        } else if times.any(|t| t > LATEST) {
            Some("a time of years")
        } else if !all().map(|seen| seen.t).is_sorted_by(|a, b| a < b) {
            Some("sightings that are not in the order of time")
        } else if self.company.iter().any(|it| !it.seen.is_sorted_by(|a, b| a.0 <= b.0)) {
            Some("sightings of others that are not in the order of time")
        } else if all().any(|seen| {
            let BBox { x1, y1, x2, y2 } = seen.bbox;
            [x1, y1, x2, y2].into_iter().any(far)
        }) || others().any(|(_, [x, y])| far(*x) || far(*y))
            || self.company.iter().flat_map(|other| &other.heights).any(|high| far(*high))
        {
            Some("a place far outside the picture")
        } else if self.lamps.len().max(self.passed.len()) > MOST
            || self.company.len().max(self.looks.len()) > MOST * MOST
        {
            Some("more lamps, vehicles or passages than a camera sees")
        } else {
            None
        }
    }

    /// The rules that judged.
    pub fn judge(&self) -> &str {
        &self.judge
    }

    /// The verdict of the rules of this build.
    pub fn verdict(&self) -> Result<Verdict, BasisError> {
        Ok(self.judged()?.0)
    }

    /// The camera's configuration.
    fn camera(&self) -> Result<serde_json::Value, BasisError> {
        serde_json::from_str(&self.config).map_err(|error| BasisError::Site(error.to_string()))
    }

    /// The same, and the passage elsewhere at which what is accused began.
    fn judged(&self) -> Result<(Verdict, Option<Passed>), BasisError> {
        let site = |problem: String| BasisError::Site(problem);
        let restored = Site::restore(self.camera()?["site"].take()).map_err(site)?;
        let [width, height] = self.size;
        let road = restored.junction.as_ref().map(|drawn| Road::new(drawn, width, height));
        let scene = Scene {
            road: road.as_ref(),
            lamps: &self.lamps,
            company: &self.company,
            elsewhere: Elsewhere {
                plate: self.plate.as_deref(),
                passed: &self.passed,
                known_to: Duration::from_millis(self.clock_known_to_ms.into()),
                plates: Plates {
                    looks: &self.looks,
                    others: self.others[0],
                    others_read: self.others[1],
                },
            },
            size: self.size,
            now: self.now,
            captured_at: self.captured_at,
            ended: self.ended,
        };
        let rule = restored.rule(&self.act).ok_or_else(|| BasisError::NoRule(self.act.clone()))?;
        Ok((rule.judge(&self.track, &scene), rule.begun(&scene).cloned()))
    }

    /// When the picture at stream time `t` was captured; none where the clock was not known.
    fn captured(&self, t: Nanos) -> Option<OffsetDateTime> {
        let apart = time::Duration::nanoseconds(t.cast_signed() - self.now.cast_signed());
        self.captured_at?.checked_add(apart)
    }

    /// Judges again and holds the verdict against what `manifest` accuses of.
    pub fn again(&self, manifest: &Manifest) -> Result<Again, BasisError> {
        let found = Digest::of(self.config.as_bytes());
        if found != manifest.config {
            return Err(BasisError::Config { found, expected: manifest.config });
        }
        let sealed = &manifest.violation;
        if self.act != sealed.act {
            let expected = sealed.act.clone();
            return Err(BasisError::Act { found: self.act.clone(), expected });
        }
        let (verdict, begun) = self.judged()?;
        let finding = match verdict {
            Verdict::Violation(finding) => finding,
            Verdict::Lawful(why) => return Ok(Again::Differs(vec![Difference::Lawful(why)])),
            Verdict::Abstained(why) => return Ok(Again::Differs(vec![Difference::Doubt(why)])),
            Verdict::Pending => return Ok(Again::Differs(vec![Difference::Undecided])),
        };
        let mut differences = Vec::new();
        if finding.facts != sealed.facts {
            differences.push(Difference::Facts {
                found: Box::new(finding.facts.clone()),
                sealed: Box::new(sealed.facts.clone()),
            });
        }
        let mut says = |what: &'static str, found: &str, sealed: &str| {
            if found != sealed {
                let (found, sealed) = (found.to_owned(), sealed.to_owned());
                differences.push(Difference::Said { what, found, sealed });
            }
        };
        says("act", finding.act.name(), sealed.act.name());
        says("vehicle", self.track.class.name(), sealed.vehicle.name());
        says("track", &self.track.id.to_string(), &sealed.track.to_string());
        let elsewhere = begun.as_ref().map(|_| MomentRole::Begin);
        let found = finding.moments.iter().map(|(role, _)| *role);
        let roles = sealed.moments.iter().map(|moment| moment.role);
        says("moments", &named(elsewhere.into_iter().chain(found)), &named(roles));
        if let Some(begun) = begun {
            let read = manifest.plate.as_ref().and_then(|plate| plate.text.as_deref());
            says("plate", &begun.plate, read.unwrap_or_default());
            let at = sealed.moments.first().map_or(begun.at, |moment| moment.at);
            if (at - begun.at).abs() > SHOWN_WITHIN {
                says("begin", &begun.at.to_string(), &at.to_string());
            }
        }
        says("reason", &finding.reason, &sealed.reason);
        // What was judged happened when and where the manifest says: hours and signs hang on it.
        let pictured = sealed.moments.iter().skip(usize::from(elsewhere.is_some()));
        let main = finding.moments.iter().find(|(role, _)| *role == finding.main);
        let moments = finding.moments.iter().zip(pictured.map(|it| it.at));
        for (&(_, t), at) in moments.chain(main.map(|main| (main, sealed.at))) {
            let judged = self.captured(t);
            if judged.is_none_or(|judged| (at - judged).abs() > SHOWN_WITHIN) {
                let judged = judged.map_or_else(|| "unknown".into(), |at| at.to_string());
                says("time", &judged, &at.to_string());
            }
        }
        let configured = self.camera()?;
        for (field, sealed) in named_camera(manifest) {
            let judged = &configured[&field];
            if *judged != sealed {
                says("camera", &format!("{field} {judged}"), &format!("{field} {sealed}"));
            }
        }
        Ok(if differences.is_empty() { Again::Same } else { Again::Differs(differences) })
    }
}

/// What the manifest says of its camera, field by field.
fn named_camera(manifest: &Manifest) -> serde_json::Map<String, serde_json::Value> {
    match serde_json::to_value(&manifest.camera) {
        Ok(serde_json::Value::Object(fields)) => fields,
        // A struct of plain values is an object.
        _ => serde_json::Map::new(),
    }
}

fn json(value: &impl Serialize) -> String {
    // Facts and roles are plain values: serialisation cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn named(roles: impl Iterator<Item = MomentRole>) -> String {
    roles.map(MomentRole::name).collect::<Vec<_>>().join(" ")
}

fn millis(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lamp::{History, Light, Reading};
    use crate::rules::red_light::RedLight;
    use crate::script::{Script, junction};

    const RULE: RedLight = RedLight { right_on_red: false, grace_ms: 300, amber_grace_ms: None };

    #[test]
    fn a_scripted_red_light_is_accused() {
        let straight = &[(0.0, 500.0, 950.0), (4.0, 500.0, 150.0)];
        let script = Script { way: straight, ..Script::default() };
        assert!(matches!(script.play(&RULE), Verdict::Violation(_)));
        let phases = &[(0.0, Light::Green)];
        assert!(matches!(Script { phases, ..script }.play(&RULE), Verdict::Lawful(_)));
    }

    /// The parser is asked for exactness (`float_roundtrip`): without, one in seventy speeds is read
    /// back as its neighbour and judged to differ.
    #[test]
    fn numbers_are_read_back_to_the_bit() {
        for number in [7.899_999_999_999_999_5, 1.900_000_000_000_000_1, 0.1 + 0.2] {
            let written = serde_json::to_string(&number).unwrap();
            assert_eq!(
                serde_json::from_str::<f64>(&written).unwrap().to_bits(),
                f64::to_bits(number)
            );
        }
    }

    #[test]
    fn what_is_no_basis_is_refused() {
        assert!(matches!(Basis::parse(b"{}"), Err(BasisError::Syntax(_))));
        assert_eq!(Basis::parse(br#"{"form":2}"#), Err(BasisError::Form(2)));
        assert!(matches!(Basis::parse(br#"{"form":1,"act":"x"}"#), Err(BasisError::Syntax(_))));
        assert!(matches!(Basis::parse(&[b' '; MAX_BYTES + 1]), Err(BasisError::Impossible(_))));
    }

    #[test]
    fn what_others_did_is_in_the_order_of_time() {
        let with = |times: [u64; 2]| {
            let mut basis: serde_json::Value = serde_json::from_str(SEALED).unwrap();
            let seen = times.map(|t| serde_json::json!([t, [1.0, 1.0]]));
            basis["company"] = serde_json::json!([
                { "id": 9, "class": "car", "height": 40.0, "seen": seen }
            ]);
            Basis::parse(basis.to_string().as_bytes())
        };
        assert!(with([1, 2]).is_ok());
        assert!(matches!(with([2, 1]), Err(BasisError::Impossible(_))));
    }

    /// A basis as an agent sealed it.
    const SEALED: &str =
        include_str!("../../../central-api/contract/tests/packages/v2-red-light/basis.json");

    /// `text` with the `at`-th of its numbers written as `by`.
    fn with_number(text: &str, at: usize, by: &str) -> String {
        let digit = |c: char| c.is_ascii_digit();
        let starts: Vec<usize> = text
            .char_indices()
            .filter(|(i, c)| digit(*c) && !text[..*i].ends_with(|c| digit(c) || c == '.'))
            .map(|(i, _)| i)
            .collect();
        let start = starts[at % starts.len()];
        let rest = &text[start..];
        let end = rest.find(|c: char| !digit(c) && c != '.').unwrap_or(rest.len());
        format!("{}{by}{}", &text[..start], &rest[end..])
    }

    proptest! {
        /// A hostile box seals what it likes: it is refused or judged, and never ends the program.
        #[test]
        fn no_number_leads_astray(
            changes in prop::collection::vec(
                (any::<usize>(), prop::sample::select(vec![
                    "0", "1", "1e38", "-1e38", "1e-38", "65535", "4294967295", "999999999999999999",
                    "18446744073709551615", "-5", "0.5", "1000000", "316224000000000000",
                ])),
                1..6,
            ),
        ) {
            let changed = changes.iter().fold(SEALED.to_owned(), |text, (at, by)| {
                with_number(&text, *at, by)
            });
            if let Ok(basis) = Basis::parse(changed.as_bytes()) {
                let _ = basis.verdict();
            }
        }

        /// Whatever was seen, what is read back is what was written, and so is the verdict.
        #[test]
        fn a_basis_survives_writing_and_reading(
            places in prop::collection::vec((0.0f32..1000.0, 0.0f32..1000.0, 0u8..4), 2..60),
            changes in prop::collection::vec((0u64..90, 0usize..4), 0..20),
            ended in any::<bool>(),
        ) {
            let seen = |(i, (x, y, flags)): (usize, (f32, f32, u8))| crate::track::Observation {
                t: i as u64 * SECOND / 10,
                bbox: contract::geometry::BBox::new(x - 30.0, y - 80.0, x + 31.7, y),
                strong: flags > 0,
            };
            let mut all = places.into_iter().enumerate().map(seen);
            let first = all.next().unwrap();
            let mut track = Track::new(7, contract::VehicleClass::Car, first);
            all.for_each(|observation| track.see(observation));
            let mut history = History::default();
            for i in 0..track.path.len() as u64 {
                let light = changes.iter().rev().find(|(from, _)| *from <= i).map(|(_, light)| *light);
                let reading = match light {
                    Some(0) => Reading::Lit(Light::Green),
                    Some(1) => Reading::Lit(Light::Amber),
                    Some(2) => Reading::Dark,
                    _ => Reading::Lit(Light::Red),
                };
                history.push(i * SECOND / 10, reading);
            }
            let lamps = [Lamp {
                name: "main".into(),
                controls: vec![contract::Movement::Straight, contract::Movement::Left],
                arrow: false,
                red_arrow: false,
                history,
            }];
            let junction = junction();
            let road = Road::new(&junction, 1000, 1000);
            let scene = Scene {
                road: Some(&road),
                lamps: &lamps,
                company: &[],
                elsewhere: Elsewhere::default(),
                size: [1000, 1000],
                now: track.last().t,
                captured_at: None,
                ended,
            };
            let site = Site { junction: Some(junction.clone()), rules: vec![std::sync::Arc::new(RULE)] };
            let config = serde_json::json!({ "site": site }).to_string();
            let basis = Basis::new(RULE.act(), &RULE, &config, &track, &scene);
            let read = Basis::parse(&basis.to_bytes()).unwrap();
            prop_assert_eq!(read.to_bytes(), basis.to_bytes());
            prop_assert_eq!(read.verdict().unwrap(), RULE.judge(&track, &scene));
        }
    }
}
