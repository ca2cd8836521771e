//! `verify --store --judge` over a store with every act: what the drill's simulated cameras sealed
//! is judged again here, another program's doing, and gives the same; what was changed is refused by
//! its seal; what another build of a rule would say is told in words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use central_api::case::acts;
use central_api::evidence::EvidenceStore;
use central_api::verify::{Depth, Report, verify_store};
use contract::manifest::{BASIS_FILE, File, FileRole, Manifest};
use contract::{Digest, Facts, MomentRole};
use drill::Caught;
use object_store::memory::InMemory;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::setting::{Setting, manifest_of};

/// Cases of each act.
const EACH: usize = 10;

struct Shelf {
    setting: Setting,
    sequence: u64,
}

impl Shelf {
    async fn new() -> Self {
        let mut setting = Setting::new().await;
        setting.state.evidence = EvidenceStore::new(Arc::new(InMemory::new()));
        Self { setting, sequence: 0 }
    }

    /// Seals what a camera caught as an agent does, changed by `edit`; gives its evidence id.
    async fn seal(
        &mut self,
        caught: &Caught,
        edit: impl FnOnce(&mut Manifest, &mut String),
    ) -> String {
        self.sequence += 1;
        let mut manifest = manifest_of(self.sequence);
        let finding = &caught.finding;
        // The drill's cameras have no name and place: they get those of the manifest.
        let mut config: Value = serde_json::from_str(&caught.config).unwrap();
        let Value::Object(camera) = serde_json::to_value(&manifest.camera).unwrap() else {
            panic!("a camera is an object");
        };
        config.as_object_mut().unwrap().extend(camera);
        let config = config.to_string();
        let mut basis: Value = serde_json::from_slice(&caught.basis).unwrap();
        basis["config"] = config.clone().into();
        let now = basis["now"].as_u64().unwrap();
        let at = OffsetDateTime::parse(basis["captured_at"].as_str().unwrap(), &Rfc3339).unwrap();
        let mut basis = basis.to_string();
        let dated = |t: u64| at + time::Duration::nanoseconds(t as i64 - now as i64);
        let main = finding.moments.iter().find(|(role, _)| *role == finding.main);
        manifest.violation.at = dated(main.unwrap().1);
        manifest.violation.act = finding.act.clone();
        manifest.violation.track = caught.track;
        manifest.violation.vehicle = caught.class;
        manifest.violation.facts = finding.facts.clone();
        manifest.violation.reason = finding.reason.clone();
        manifest.config = Digest::of(config.as_bytes());
        let plate = manifest.plate.as_mut().unwrap();
        plate.text = Some(format!("29AB{:05}", 10_000 + 7 * self.sequence));
        edit(&mut manifest, &mut basis);
        let mut files = BTreeMap::new();
        let mut listed = Vec::new();
        let mut add = |name: &'static str, role, media_type: &str, content: Bytes, at| {
            listed.push(File {
                name: name.into(),
                role,
                media_type: media_type.into(),
                bytes: content.len() as u64,
                sha256: Digest::of(&content),
                captured_at: at,
                view: None,
            });
            files.insert(name, content);
        };
        for (role, t) in &finding.moments {
            let name = picture(*role);
            add(name, FileRole::Scene, "image/jpeg", Bytes::from(name), dated(*t));
        }
        let at = manifest.violation.at;
        add("closeup.jpg", FileRole::CloseUp, "image/jpeg", Bytes::from_static(b"plate"), at);
        add(BASIS_FILE, FileRole::Basis, "application/json", Bytes::from(basis), at);
        manifest.files = listed;
        let id = manifest.evidence_id.to_string();
        self.setting.case_of(manifest, files).await;
        id
    }

    async fn verify(&self) -> Report {
        let state = &self.setting.state;
        let depth = Depth::Verdicts;
        verify_store(&state.store, &state.evidence, &state.law, depth).await.unwrap()
    }

    /// Changes the basis of packages where it lies, and puts it back once `look` has seen it.
    async fn tampered(&self, ids: &[String], change: impl Fn(&str) -> String) -> Report {
        let evidence = &self.setting.state.evidence;
        let mut kept = Vec::new();
        for id in ids {
            let basis = evidence.read(id, BASIS_FILE).await.unwrap();
            let text = std::str::from_utf8(&basis).unwrap();
            let changed = change(text);
            assert_eq!(changed.len(), text.len(), "one digit");
            evidence.put_file(id, BASIS_FILE, changed.into()).await.unwrap();
            kept.push(basis);
        }
        let report = self.verify().await;
        for (id, basis) in ids.iter().zip(kept) {
            evidence.put_file(id, BASIS_FILE, basis).await.unwrap();
        }
        report
    }
}

fn picture(role: MomentRole) -> &'static str {
    match role {
        MomentRole::Before => "before.jpg",
        MomentRole::On => "on.jpg",
        MomentRole::Past => "past.jpg",
        MomentRole::Begin => "begin.jpg",
        MomentRole::During => "during.jpg",
        MomentRole::End => "end.jpg",
    }
}

/// What the drill catches of each act, so many of each.
fn caught() -> BTreeMap<&'static str, Vec<Caught>> {
    let mut all: BTreeMap<&'static str, Vec<Caught>> = BTreeMap::new();
    // The average speed begins with a picture of another camera, which the drill has none of; the
    // agent's own tests judge it again.
    let classes = drill::violations().into_iter().filter(|class| class.act == class.charged_as());
    let classes: Vec<_> = classes.collect();
    for seed in 1..40 {
        for class in &classes {
            let of_act = all.entry(class.act).or_default();
            if of_act.len() < EACH
                && let Ok(caught) = drill::try_one(class, seed).unwrap()
            {
                of_act.push(caught);
            }
        }
    }
    all
}

/// `text` with another digit behind `mark`, at the first number after `from`.
fn digit(text: &str, from: &str, mark: &str) -> String {
    let start = text.find(from).unwrap_or_else(|| panic!("{from} in {text}"));
    let at = start + text[start..].find(mark).unwrap() + mark.len();
    let at = at + text[at..].find(|c: char| c.is_ascii_digit()).unwrap();
    let other = if text.as_bytes()[at] == b'1' { "2" } else { "1" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

#[tokio::test]
async fn every_act_is_judged_again_the_same_and_what_was_changed_is_named() {
    let caught = caught();
    let known: BTreeSet<_> = acts::ALL.iter().map(|row| row.act).collect();
    assert_eq!(caught.keys().copied().collect::<BTreeSet<_>>(), known, "every act is there");
    let mut shelf = Shelf::new().await;
    let mut firsts = Vec::new();
    for (act, all) in &caught {
        assert_eq!(all.len(), EACH, "{act}");
        for (nth, caught) in all.iter().enumerate() {
            let id = shelf.seal(caught, |_, _| {}).await;
            if nth == 0 {
                firsts.push(id);
            }
        }
    }
    let began = Instant::now();
    let report = shelf.verify().await;
    println!("{} packages verified and judged again in {:?}", report.packages, began.elapsed());
    assert!(report.ok, "{:?} {:?}", report.findings, report.judged);
    let judged = report.judged.unwrap();
    assert_eq!((judged.same, judged.without), ((firsts.len() * EACH) as u64, 0));

    // One digit of where a vehicle was seen, and one of what is drawn.
    let path = |text: &str| digit(text, "\"track\":{", "\"x1\":");
    let drawn = |text: &str| digit(text, "\"config\":", "[[");
    for what in ["path", "drawn"] {
        let report = match what {
            "path" => shelf.tampered(&firsts, path).await,
            _ => shelf.tampered(&firsts, drawn).await,
        };
        let subjects: BTreeSet<_> =
            report.findings.iter().map(|found| found.subject.clone()).collect();
        let expected: BTreeSet<_> =
            firsts.iter().map(|id| format!("evidence {id}: {BASIS_FILE}")).collect();
        assert_eq!(subjects, expected, "{what}");
        for found in &report.findings {
            assert!(found.problem.contains(", the manifest says "), "{what}: {}", found.problem);
        }
        let judged = report.judged.unwrap();
        assert_eq!(
            (judged.same, judged.differing),
            ((firsts.len() * (EACH - 1)) as u64, Vec::new()),
            "{what}"
        );
    }
    assert!(shelf.verify().await.ok, "everything was put back");
}

#[tokio::test]
async fn what_another_build_of_a_rule_sealed_is_told_in_words() {
    let caught = caught();
    let mut shelf = Shelf::new().await;
    type Edit = fn(&mut Manifest, &mut String);
    let cases: [(&str, &str, Edit); 6] = [
        ("red_light", "these rules accuse nobody: lamp not red", |_, basis| {
            *basis = basis.replace("\"light\":\"red\"", "\"light\":\"green\"");
        }),
        ("speed", "; sealed: 150.5 km/h, limit 50", |manifest, _| {
            let Facts::Speed(facts) = &mut manifest.violation.facts else { panic!() };
            facts.speed.value = 150.5;
        }),
        ("park_place", "dwell: ", |manifest, _| {
            let Facts::Zone(facts) = &mut manifest.violation.facts else { panic!() };
            facts.dwell.value += 60.0;
        }),
        ("wrong_lane", "movement", |manifest, _| {
            let Facts::Lane(facts) = &mut manifest.violation.facts else { panic!() };
            facts.lane = "9".into();
        }),
        ("wrong_way", "reason: ", |manifest, _| {
            manifest.violation.reason = "was seen by somebody".into();
        }),
        ("solid_line", "vehicle: ", |manifest, _| {
            manifest.violation.vehicle = match manifest.violation.vehicle {
                contract::VehicleClass::Bus => contract::VehicleClass::Truck,
                _ => contract::VehicleClass::Bus,
            };
        }),
    ];
    for (act, words, edit) in cases {
        let id = shelf.seal(&caught[act][0], edit).await;
        let report = shelf.verify().await;
        assert!(!report.ok && report.findings.is_empty(), "{:?}", report.findings);
        let judged = report.judged.unwrap();
        let last = judged.differing.last().unwrap();
        assert_eq!(last.subject, format!("evidence {id}"), "{act}");
        assert!(last.problem.contains(words), "{act}: {}", last.problem);
    }
}
