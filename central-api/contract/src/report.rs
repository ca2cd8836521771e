//! How a box is: what it tells the central of itself every minute, so that whoever answers for three
//! hundred of them sees which one needs somebody. No plate, no picture, no name, no password.
//!
//! - `POST /device/v1/report` with [`Report`] → 204
//!
//! What another version says besides is left out: boxes are renewed one by one.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::manifest::{ModelUsed, text_problem};

/// Largest report, bytes.
pub const MAX_REPORT_BYTES: usize = 64 * 1024;
/// Most cameras, models and troubles that one tells of.
pub const MAX_EACH: usize = 64;
/// How often a box reports, seconds; after five of them without one it is silent.
pub const EVERY_S: u64 = 60;

/// One box, now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// By the box's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Since the program began, seconds of a clock that never steps.
    pub up_s: u64,
    /// Name and version.
    pub software: String,
    pub models: Vec<ModelUsed>,
    pub configuration: Configuration,
    pub cameras: Vec<Camera>,
    pub spool: Spool,
    /// What keeps violations from being seen, sealed and delivered until somebody helps, in words.
    pub troubles: Vec<String>,
    /// Absent where the box takes no updates.
    #[serde(default)]
    pub update: Option<Update>,
}

/// Which release a box runs ([`crate::release`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Update {
    /// Its number; 0: what was installed.
    pub release: u64,
    /// It has to show yet that the box is well with it.
    pub on_trial: bool,
    /// The last release that this box would not have or went back from.
    pub undone: Option<Undone>,
    /// Why what is given to it is not taken, or not yet, in words.
    #[serde(default)]
    pub not_taken: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Undone {
    pub release: u64,
    /// Why, in words.
    pub reason: String,
}

/// Which configuration is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Configuration {
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Why what its files say now is not.
    pub refused: Option<String>,
    /// Sections that only a restart brings into force.
    pub awaits_restart: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Camera {
    pub id: String,
    /// The box's word for it; `streaming` is the one that is well.
    pub state: String,
    /// Why, in words.
    pub detail: String,
    /// Analysed pictures a second.
    pub fps: f64,
    /// Since the last picture, seconds.
    pub quiet_s: Option<u64>,
    pub reconnects: u64,
    /// What is wrong with it besides, in words: its clock, the wires of its lamps.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl Camera {
    pub fn is_well(&self) -> bool {
        self.state == "streaming"
    }
}

/// Sealed packages on the box.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Spool {
    /// Not yet delivered.
    pub pending: u64,
    pub bytes: u64,
    /// Set aside: refused by the central, found damaged.
    pub refused: u64,
    pub damaged: u64,
    pub full: bool,
    pub failed: bool,
}

impl Report {
    /// # Errors
    /// What is more or longer than a report may be, in words.
    pub fn check(&self) -> Result<(), String> {
        let Configuration { refused, awaits_restart, .. } = &self.configuration;
        let date = |at: OffsetDateTime| (2020..2100).contains(&at.year());
        if !date(self.at) || !date(self.configuration.since) {
            return Err("at and configuration.since must be of this century, from 2020 on".into());
        }
        for (name, count) in [
            ("models", self.models.len()),
            ("cameras", self.cameras.len()),
            ("troubles", self.troubles.len()),
            ("configuration.awaits_restart", awaits_restart.len()),
        ] {
            if count > MAX_EACH {
                return Err(format!("{name} has {count} entries, {MAX_EACH} are the most"));
            }
        }
        if let Some(camera) = self.cameras.iter().find(|camera| camera.warnings.len() > MAX_EACH) {
            return Err(format!("camera {} has more than {MAX_EACH} warnings", camera.id));
        }
        let warnings = self.cameras.iter().flat_map(|camera| &camera.warnings);
        let warnings = warnings.map(|text| ("warnings", text.clone()));
        let of_camera = |camera: &'_ Camera| {
            [
                ("id", camera.id.clone()),
                ("state", camera.state.clone()),
                ("detail", camera.detail.clone()),
            ]
        };
        let cameras = self.cameras.iter().flat_map(of_camera);
        let models = self.models.iter().map(|model| ("models.name", model.name.clone()));
        let troubles = self.troubles.iter().map(|text| ("troubles", text.clone()));
        let rest =
            [("software", Some(&self.software)), ("configuration.refused", refused.as_ref())];
        let rest = rest.into_iter().filter_map(|(name, text)| Some((name, text?.clone())));
        let sections = awaits_restart.iter().map(|text| ("awaits_restart", text.clone()));
        let undone = self.update.iter().filter_map(|update| update.undone.as_ref());
        let undone = undone.map(|undone| ("update.undone.reason", undone.reason.clone()));
        let not_taken = self.update.iter().filter_map(|update| update.not_taken.clone());
        let not_taken = not_taken.map(|text| ("update.not_taken", text));
        let update = undone.chain(not_taken);
        for (name, text) in cameras
            .chain(warnings)
            .chain(models)
            .chain(troubles)
            .chain(rest)
            .chain(sections)
            .chain(update)
        {
            if let Some(problem) = text_problem(&text) {
                return Err(format!("{name} {problem}"));
            }
        }
        if let Some(camera) = self.cameras.iter().find(|camera| !camera.fps.is_finite()) {
            return Err(format!("fps of camera {} is no number", camera.id));
        }
        Ok(())
    }
}

/// `text` as a report may hold it: on one line, and its end cut where it is too long.
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars().take(255) {
        let plain = text_problem(c.encode_utf8(&mut [0; 4])).is_none();
        line.push(if plain { c } else { ' ' });
    }
    if text.chars().nth(255).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_becomes_one_line(text in "(.|[\u{0}-\u{20}\u{202E}]){0,400}") {
            prop_assert_eq!(text_problem(&one_line(&text)), None);
        }
    }

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-29 10:00 UTC);

    fn report() -> Report {
        Report {
            at: NOW,
            up_s: 5,
            software: "edge-agent 0.1.0".into(),
            models: Vec::new(),
            configuration: Configuration { since: NOW, refused: None, awaits_restart: Vec::new() },
            cameras: vec![Camera {
                id: "cam-1".into(),
                state: "streaming".into(),
                detail: String::new(),
                fps: 5.0,
                quiet_s: Some(0),
                reconnects: 0,
                warnings: Vec::new(),
            }],
            spool: Spool::default(),
            troubles: Vec::new(),
            update: None,
        }
    }

    #[test]
    fn a_box_of_before_and_one_of_later_are_heard() {
        let mut text = serde_json::to_value(report()).unwrap();
        text.as_object_mut().unwrap().remove("update");
        assert_eq!(serde_json::from_value::<Report>(text.clone()).unwrap(), report());
        text["update"] = serde_json::json!({ "release": 7, "on_trial": true, "slot": "b" });
        let update = serde_json::from_value::<Report>(text).unwrap().update.unwrap();
        assert_eq!(update, Update { release: 7, on_trial: true, ..Update::default() });
    }

    #[test]
    fn what_is_too_much_is_named() {
        assert_eq!(report().check(), Ok(()));
        let mut many = report();
        many.cameras = vec![many.cameras[0].clone(); MAX_EACH + 1];
        assert!(many.check().unwrap_err().starts_with("cameras has 65"));
        let mut long = report();
        long.cameras[0].detail = "a".repeat(300);
        assert!(long.check().unwrap_err().starts_with("detail is longer"));
        let mut refused = report();
        refused.configuration.refused = Some("a\nb".into());
        assert!(refused.check().unwrap_err().starts_with("configuration.refused holds"));
        let mut undone = report();
        let said = Undone { release: 3, reason: "a\nb".into() };
        undone.update = Some(Update { undone: Some(said), ..Update::default() });
        assert!(undone.check().unwrap_err().starts_with("update.undone.reason holds"));
        let mut late = report();
        late.configuration.since = time::macros::datetime!(9999-12-31 23:59 UTC);
        assert!(late.check().unwrap_err().contains("2020"));
        let mut odd = report();
        odd.cameras[0].fps = f64::NAN;
        assert!(odd.check().unwrap_err().contains("cam-1"));
    }
}
