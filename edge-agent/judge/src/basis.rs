//! What a verdict stood on, as it is sealed beside the pictures, and the judgement made again from
//! it: the same on any machine with the same rules, else the difference is named.

use contract::geometry::BBox;
use contract::manifest::Manifest;
use contract::{Act, Digest};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::lamp::Lamp;
use crate::road::Road;
use crate::rules::{Finding, Rule, Scene, Verdict};
use crate::site::Site;
use crate::time::{Nanos, SECOND};
use crate::track::{Companion, Track};

/// Most bytes of a basis.
const MAX_BYTES: usize = 8 << 20;
/// Stream times are counted from the camera's start: none is later than ten years.
const LATEST: Nanos = 10 * 366 * 24 * 3600 * SECOND;
/// No box reaches farther out of its picture, pixels.
const FARTHEST: f32 = 1e6;
/// Most lamps of a camera.
const MOST: usize = 64;

/// The form that is written.
const FORM: u32 = 1;

/// Everything that one verdict was a function of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    form: u32,
    /// The rules that judged: version of this crate.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    Same,
    /// What differs, each in words.
    Differs(Vec<String>),
}

impl Basis {
    /// Of the `company` only as much is sealed as `rule` looks at.
    pub fn new(act: Act, rule: &dyn Rule, config: &str, track: &Track, scene: &Scene<'_>) -> Self {
        let others = if rule.company() > 0 { scene.others(track) } else { Vec::new() };
        Self {
            form: FORM,
            judge: env!("CARGO_PKG_VERSION").into(),
            act,
            config: config.into(),
            size: scene.size,
            now: scene.now,
            ended: scene.ended,
            captured_at: scene.captured_at,
            lamps: scene.lamps.to_vec(),
            track: track.clone(),
            company: others.into_iter().cloned().collect(),
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
        } else if all().any(|seen| {
            let BBox { x1, y1, x2, y2 } = seen.bbox;
            [x1, y1, x2, y2].into_iter().any(far)
        }) || others().any(|(_, [x, y])| far(*x) || far(*y))
            || self.company.iter().flat_map(|other| &other.heights).any(|high| far(*high))
        {
            Some("a place far outside the picture")
        } else if self.lamps.len() > MOST || self.company.len() > MOST * MOST {
            Some("more lamps or vehicles than a camera sees")
        } else {
            None
        }
    }

    /// The version of the rules that judged.
    pub fn judge(&self) -> &str {
        &self.judge
    }

    /// The verdict of the rules of this build.
    pub fn verdict(&self) -> Result<Verdict, BasisError> {
        let site = |problem: String| BasisError::Site(problem);
        let config: serde_json::Value =
            serde_json::from_str(&self.config).map_err(|error| site(error.to_string()))?;
        let restored = Site::restore(config["site"].clone()).map_err(site)?;
        let [width, height] = self.size;
        let road = restored.junction.as_ref().map(|drawn| Road::new(drawn, width, height));
        let scene = Scene {
            road: road.as_ref(),
            lamps: &self.lamps,
            company: &self.company,
            size: self.size,
            now: self.now,
            captured_at: self.captured_at,
            ended: self.ended,
        };
        let rule = restored.rule(&self.act).ok_or_else(|| BasisError::NoRule(self.act.clone()))?;
        Ok(rule.judge(&self.track, &scene))
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
        let finding = match self.verdict()? {
            Verdict::Violation(finding) => finding,
            Verdict::Lawful(reason) => return Ok(differs(format!("lawful: {}", reason.name()))),
            Verdict::Abstained(doubt) => return Ok(differs(format!("doubt: {}", doubt.name()))),
            Verdict::Pending => return Ok(differs("not decided".into())),
        };
        let mut differences = Vec::new();
        let mut says = |what: &str, found: &str, sealed: &str| {
            if found != sealed {
                differences.push(format!("{what}: {found}, sealed: {sealed}"));
            }
        };
        says("act", finding.act.name(), sealed.act.name());
        says("vehicle", self.track.class.name(), sealed.vehicle.name());
        says("track", &self.track.id.to_string(), &sealed.track.to_string());
        says("facts", &json(&finding.facts), &json(&sealed.facts));
        says("moments", &roles(&finding), &{
            let roles: Vec<_> = sealed.moments.iter().map(|moment| json(&moment.role)).collect();
            roles.join(" ")
        });
        says("reason", &finding.reason, &sealed.reason);
        Ok(if differences.is_empty() { Again::Same } else { Again::Differs(differences) })
    }
}

fn differs(what: String) -> Again {
    Again::Differs(vec![what])
}

fn json(value: &impl Serialize) -> String {
    // Facts and roles are plain values: serialisation cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn roles(finding: &Finding) -> String {
    let roles: Vec<_> = finding.moments.iter().map(|(role, _)| json(role)).collect();
    roles.join(" ")
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

    #[test]
    fn what_is_no_basis_is_refused() {
        assert!(matches!(Basis::parse(b"{}"), Err(BasisError::Syntax(_))));
        assert_eq!(Basis::parse(br#"{"form":2}"#), Err(BasisError::Form(2)));
        assert!(matches!(Basis::parse(br#"{"form":1,"act":"x"}"#), Err(BasisError::Syntax(_))));
        assert!(matches!(Basis::parse(&[b' '; MAX_BYTES + 1]), Err(BasisError::Impossible(_))));
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
