//! One passage, one case: what certainly shows the same passage joins its case as further evidence,
//! in whatever order it comes, and decides nothing; what is only likely stays a case of its own.

use std::cell::Cell;

use axum::http::StatusCode;
use central_api::admin::users::Role;
use central_api::case::passage::{Likeness, Limits, Uncertain, View, likeness};
use central_api::case::{self, MOST_FURTHER};
use central_api::verify::{Depth, verify_store};
use contract::facts::{Facts, Lane, Line, LineKind, Movement};
use contract::manifest::{ClockSource, Manifest, SourceKind};
use contract::plate::PlateColour;
use contract::{Act, VehicleClass};
use proptest::prelude::*;
use time::Duration;

use crate::setting::browserless::Visitor;
use crate::setting::{Setting, manifest_of};
use crate::support::{Database, World, on_both};

on_both!(two_boxes_at_once_make_one_case);

/// The passage of package 1, so many milliseconds later, by another camera of the junction.
/// `sequence` is the package's own.
pub fn second_camera(manifest: &mut Manifest, sequence: i64, later_ms: i64) {
    let by = Duration::milliseconds(later_ms) - Duration::minutes(sequence - 1);
    manifest.violation.at += by;
    for file in &mut manifest.files {
        file.captured_at += by;
    }
    manifest.camera.id = "cam-02".into();
    manifest.camera.place = "Trần Phú, cột số 2".into();
    manifest.camera.gps = Some([16.8162, 107.1004]);
}

/// Ahead from the lane that leads to the left.
pub fn lane() -> Facts {
    Facts::Lane(Lane {
        lane: "1".into(),
        movement: Movement::Straight,
        allowed: vec![Movement::Left],
    })
}

fn solid() -> Facts {
    Facts::Line(Line { line: LineKind::Solid, place: None, lit: None, over: None, stood: None })
}

fn over_the_line(manifest: &mut Manifest) {
    manifest.violation.act = Act::STOP_LINE;
    manifest.violation.facts = crate::gate::stood(4.0);
}

async fn officers(setting: &Setting) -> (Visitor, Visitor) {
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    let an = Visitor::officer(&setting.state, "an").await;
    (an, Visitor::officer(&setting.state, "binh").await)
}

async fn verified(setting: &Setting) {
    let state = &setting.state;
    let report = verify_store(&state.store, &state.evidence, &state.law, Depth::Seals).await;
    let report = report.unwrap();
    assert!(report.ok, "{:?}", report.findings);
}

async fn decide(officer: &mut Visitor, case: &str, action: &str, fields: &[(&str, &str)]) {
    let answer = officer.decide(case, action, fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

#[tokio::test]
async fn a_second_camera_s_package_joins_the_case_and_is_shown() {
    for setting in Setting::each().await {
        let (mut an, mut binh) = officers(&setting).await;
        let case = setting.case(1, |_| {}).await;
        assert_eq!(setting.case(2, |m| second_camera(m, 2, 900)).await, case);
        let detail = an.get(&format!("/api/v1/cases/{case}")).await.json();
        assert_eq!(detail["further"].as_array().unwrap().len(), 1);
        assert_eq!(detail["further"][0]["manifest"]["camera"]["id"], "cam-02");
        assert_eq!(detail["further"][0]["verified"], true);
        assert_eq!(detail["case"]["version"], 1);
        assert_eq!(detail["related"].as_array().unwrap().len(), 0);
        let page = an.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains("Bằng chứng bổ sung của cùng một lần đi qua"));
        assert!(page.contains("Thêm bằng chứng") && page.contains("Vượt đèn đỏ · cam-02"));
        let evidence = detail["further"][0]["evidence_id"].as_str().unwrap();
        let picture = an.get(&format!("/ho-so/{case}/tep/{evidence}/on.jpg")).await;
        assert_eq!(picture.status, StatusCode::OK);

        decide(&mut an, &case, "accept", &[]).await;
        decide(&mut binh, &case, "approve", &[]).await;
        verified(&setting).await;
        // After the notice a third one comes: shown, and nothing is decided anew.
        let before = an.get(&format!("/api/v1/cases/{case}")).await.json();
        assert_eq!(setting.case(3, |m| second_camera(m, 3, -700)).await, case);
        let after = an.get(&format!("/api/v1/cases/{case}")).await.json();
        assert_eq!(after["further"].as_array().unwrap().len(), 2);
        assert_eq!(after["case"], before["case"]);
        assert_eq!(after["case"]["state"], "notified");
        assert_eq!(after["notice"], before["notice"]);
        verified(&setting).await;
        // A further package that does not verify is named, and closes no gate.
        let path = setting.file(evidence, "on.jpg");
        let mut content = std::fs::read(&path).unwrap();
        content[500] ^= 1;
        std::fs::write(&path, content).unwrap();
        let after = an.get(&format!("/api/v1/cases/{case}")).await.json();
        assert_eq!(after["further"][0]["verified"], false);
        assert_eq!(
            (&after["verified"], after["blockers"].as_array().unwrap().len()),
            (&true.into(), 0)
        );
        let page = an.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains("KHÔNG hợp lệ") && page.contains("on.jpg"));
    }
}

#[tokio::test]
async fn a_rejected_case_keeps_what_comes_later() {
    let setting = Setting::new().await;
    let (mut an, _) = officers(&setting).await;
    let case = setting.case(1, |_| {}).await;
    decide(&mut an, &case, "reject", &[("reason", "officer_signal")]).await;
    assert_eq!(setting.case(2, |m| second_camera(m, 2, 0)).await, case);
    let detail = an.get(&format!("/api/v1/cases/{case}")).await.json();
    assert_eq!(detail["case"]["state"], "rejected");
    assert_eq!(detail["further"].as_array().unwrap().len(), 1);
    verified(&setting).await;
}

#[tokio::test]
async fn the_act_that_includes_the_other_carries_the_case_while_nobody_has_decided() {
    for setting in Setting::each().await {
        let (mut an, _) = officers(&setting).await;
        let case = setting.case(1, over_the_line).await;
        decide(&mut an, &case, "take", &[]).await;
        // The officer has the page of the stop line open when the red light comes.
        let seen = an.get(&format!("/api/v1/cases/{case}")).await.json();
        assert_eq!(setting.case(2, |m| second_camera(m, 2, 2500)).await, case);
        let csrf = an.csrf.clone();
        let version = seen["case"]["version"].to_string();
        let old = [("csrf", csrf.as_str()), ("version", &version), ("action", "accept")];
        let conflict = an.post(&format!("/ho-so/{case}/quyet-dinh"), &old).await;
        assert_eq!(conflict.status, StatusCode::CONFLICT);
        let detail = an.get(&format!("/api/v1/cases/{case}")).await.json();
        assert_eq!(detail["case"]["act"], "red_light");
        assert_eq!(detail["case"]["camera"], "cam-02");
        assert_eq!(detail["case"]["state"], "in_review");
        assert_eq!(detail["law"]["clause"], 7);
        assert_eq!(detail["further"][0]["manifest"]["violation"]["act"], "stop_line");
        assert_eq!(detail["blockers"].as_array().unwrap().len(), 0, "{detail}");
        let page = an.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains("Còn ghi nhận, đã bao gồm"));
        verified(&setting).await;

        // Once somebody stands behind the smaller act, the graver one is a case of its own that
        // waits for an officer's word.
        setting.clock.advance(Duration::minutes(10));
        let small = setting.case(3, over_the_line).await;
        decide(&mut an, &small, "accept", &[]).await;
        let grave = setting.case(4, |m| second_camera(m, 4, 2 * 60_000)).await;
        assert_ne!(grave, small);
        let detail = an.get(&format!("/api/v1/cases/{grave}")).await.json();
        assert_eq!(detail["blockers"][0]["code"], "same_act");
        verified(&setting).await;
    }
}

/// Package 1 and the same passage by a second camera, changed by `edit`.
fn pair(edit: impl FnOnce(&mut Manifest)) -> [Manifest; 2] {
    let (one, mut other) = (manifest_of(1), manifest_of(2));
    second_camera(&mut other, 2, 900);
    edit(&mut other);
    [one, other]
}

fn limits() -> Limits {
    Limits::of(&central_api::config::Config::embedded().unwrap().cases)
}

fn both_ways(one: &Manifest, other: &Manifest) -> Likeness {
    let found = likeness(&View::sealed(one), &View::sealed(other), &limits());
    let back = likeness(&View::sealed(other), &View::sealed(one), &limits());
    assert_eq!(found, back, "the same the other way round");
    found
}

type Edit = fn(&mut Manifest);

#[test]
fn whatever_is_not_certain_says_why() {
    use Uncertain::{
        Clock, Direction, Place, PlateColour as Colour, PlateDiffers, PlateWeak, Time, Vehicle, Way,
    };
    let cases: [(&str, &[Uncertain], Edit); 17] = [
        ("certain", &[], |_| {}),
        ("bus for car alike", &[], |m| m.camera.lane = Some("2".into())),
        ("weakly read", &[PlateWeak], |m| m.plate.as_mut().unwrap().confidence = 0.89),
        ("one character", &[PlateDiffers], |m| number(m, "29AA12346")),
        ("colour", &[Colour], |m| m.plate.as_mut().unwrap().colour = PlateColour::Blue),
        ("car", &[Vehicle], |m| m.violation.vehicle = VehicleClass::Car),
        ("clock off", &[Clock], |m| m.clock.offset_ms = Some(-2001)),
        ("clock far off", &[Clock], |m| m.clock.offset_ms = Some(i64::MIN)),
        ("recording's clock", &[Clock], |m| m.clock.source = ClockSource::Recording),
        ("file", &[Clock], |m| m.source = Some(SourceKind::File)),
        ("seven seconds", &[Time], |m| later(m, 6_900)),
        ("four minutes", &[Time], |m| later(m, 240_000)),
        ("a hundred metres", &[Place], |m| m.camera.gps = Some([16.8169, 107.1])),
        ("no position", &[Place], |m| m.camera.gps = None),
        ("direction", &[Direction], |m| m.camera.direction = "Hướng Nam – Bắc".into()),
        ("left", &[Way], |m| crate::gate::signal(m).movement = Movement::Left),
        ("several", &[PlateWeak, Time, Direction], |m| {
            m.plate.as_mut().unwrap().confidence = 0.5;
            later(m, 20_000);
            m.camera.direction = "Bắc".into();
        }),
    ];
    for (what, doubts, edit) in cases {
        let [one, other] = pair(edit);
        let expected = match doubts {
            [] => Likeness::Same,
            doubts => Likeness::Perhaps(doubts.to_vec()),
        };
        assert_eq!(both_ways(&one, &other), expected, "{what}");
    }
}

#[test]
fn what_is_certainly_another_passage_is_no_doubt() {
    let cases: [(&str, Edit); 8] = [
        ("another number", |m| number(m, "29AA12367")),
        ("a longer number", |m| number(m, "29AA123451")),
        ("no number", |m| m.plate.as_mut().unwrap().text = None),
        ("one character and a minute", |m| {
            number(m, "29AA12346");
            later(m, 60_000);
        }),
        ("a car's, a minute later", |m| {
            m.violation.vehicle = VehicleClass::Car;
            later(m, 60_000);
        }),
        ("six minutes", |m| later(m, 360_000)),
        ("four hundred metres", |m| m.camera.gps = Some([16.8196, 107.1])),
        ("no position, another unit", |m| {
            m.camera.gps = None;
            m.unit.code = "PC08-D9".into();
        }),
    ];
    for (what, edit) in cases {
        let [one, other] = pair(edit);
        assert_eq!(both_ways(&one, &other), Likeness::Other, "{what}");
    }
    // The next junction's lamp, run five seconds later, is another act though the clocks agree.
    let [one, next] = pair(|m| {
        later(m, 4_000);
        m.camera.gps = Some([16.8169, 107.1]);
    });
    assert_eq!(both_ways(&one, &next), Likeness::Perhaps(vec![Uncertain::Place]));
}

#[test]
fn places_are_told_apart_by_camera_then_words_and_position_then_unit() {
    let place = |edit: Edit| {
        let [one, other] = pair(edit);
        both_ways(&one, &other)
    };
    let perhaps = Likeness::Perhaps(vec![Uncertain::Place]);
    let words =
        |m: &mut Manifest| m.camera.place = "nút giao TRẦN PHÚ - Hùng Vương, phường Đông Hà".into();
    let cases: [(Edit, Likeness); 3] = [
        (|m| m.camera = manifest_of(1).camera, Likeness::Same),
        (|m| m.camera.km = Some("Km 7".into()), Likeness::Same),
        (
            |m| {
                m.camera.km = Some("Km 7".into());
                m.camera.gps = None;
            },
            perhaps.clone(),
        ),
    ];
    for (edit, expected) in cases {
        assert_eq!(place(edit), expected);
    }
    let [one, mut other] = pair(words);
    other.camera.gps = None;
    assert_eq!(both_ways(&one, &other), Likeness::Same);
    other.camera.gps = Some([16.8178, 107.1]);
    assert_eq!(both_ways(&one, &other), Likeness::Same, "a large junction of one name");
    other.camera.gps = Some([16.83, 107.1]);
    assert_eq!(both_ways(&one, &other), perhaps, "a name that two places have");
}

fn number(manifest: &mut Manifest, text: &str) {
    manifest.plate.as_mut().unwrap().text = Some(text.into());
}

fn later(manifest: &mut Manifest, ms: i64) {
    manifest.violation.at += Duration::milliseconds(ms);
    for moment in &mut manifest.violation.moments {
        moment.at += Duration::milliseconds(ms);
    }
    for file in &mut manifest.files {
        file.captured_at += Duration::milliseconds(ms);
    }
}

/// What one package of the random roads shows.
#[derive(Debug, Clone, Copy)]
struct Seen {
    vehicle: u32,
    /// Passages of a vehicle lie a minute apart.
    passage: i64,
    act: usize,
    camera: u32,
    ms: i64,
}

const ACTS: [&str; 5] = ["red_light", "stop_line", "wrong_lane", "lane_change", "solid_line"];

impl Seen {
    /// What it belongs to: acts that one includes are one.
    fn of(self) -> (u32, i64, &'static str) {
        let act = match ACTS[self.act] {
            "stop_line" => "red_light",
            "solid_line" => "lane_change",
            other => other,
        };
        (self.vehicle, self.passage, act)
    }

    fn manifest(self, sequence: u64, round: u32) -> Manifest {
        let mut manifest = manifest_of(sequence);
        number(&mut manifest, &format!("29AB{round:02}{:03}", 100 + self.vehicle * 111));
        let start = manifest_of(1).violation.at - manifest.violation.at;
        later(&mut manifest, start.whole_milliseconds() as i64 + self.passage * 60_000 + self.ms);
        manifest.violation.act = Act::parse(ACTS[self.act]).unwrap();
        match ACTS[self.act] {
            "stop_line" => over_the_line(&mut manifest),
            "wrong_lane" => manifest.violation.facts = lane(),
            "lane_change" | "solid_line" => manifest.violation.facts = solid(),
            _ => {}
        }
        manifest.camera.id = format!("cam-{}", self.camera);
        manifest
    }
}

fn seen() -> impl Strategy<Value = Seen> {
    let parts = (0..2_u32, 0..3_i64, 0..ACTS.len(), 0..4_u32, 0..3_000_i64);
    parts.prop_map(|(vehicle, passage, act, camera, ms)| Seen { vehicle, passage, act, camera, ms })
}

/// Packages in some order, as (what each shows, whether it is sent twice).
fn deliveries() -> impl Strategy<Value = Vec<(Seen, bool)>> {
    prop::collection::vec((seen(), any::<bool>()), 1..9)
        .prop_flat_map(|all| Just(all).prop_shuffle())
}

#[test]
fn in_whatever_order_packages_come_each_passage_s_act_is_one_case() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let setting = runtime.block_on(Setting::new());
    let (round, sequence) = (Cell::new(0), Cell::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&deliveries(), |sent| {
        // Other numbers each time: one store for all.
        round.set(round.get() + 1);
        let manifests: Vec<_> = sent
            .iter()
            .map(|(seen, _)| {
                sequence.set(sequence.get() + 1);
                seen.manifest(sequence.get(), round.get())
            })
            .collect();
        runtime.block_on(async {
            let mut cases = Vec::new();
            for ((seen, twice), manifest) in sent.iter().zip(&manifests) {
                let case = setting.keep_manifest(manifest.clone()).await;
                if *twice {
                    let mut tx = setting.state.store.begin().await.unwrap();
                    let terms = setting.state.terms();
                    let now = setting.state.clock.now();
                    let again = case::open(&mut tx, terms, manifest, now).await.unwrap();
                    assert_eq!(again, case, "what is told twice changes nothing");
                    tx.commit().await.unwrap();
                }
                cases.push((seen.of(), case));
            }
            for (one, case) in &cases {
                for (other, there) in &cases {
                    assert_eq!(one == other, case == there, "{sent:?}");
                }
            }
            for (_, id) in &cases {
                let case = case::find(&setting.state.store, id).await.unwrap().unwrap();
                let of_case = sent.iter().zip(&cases).filter(|(_, (_, there))| there == id);
                let gravest = of_case.map(|((seen, _), _)| seen.act).min().unwrap();
                assert_eq!(case.act.name(), ACTS[gravest], "the act that includes the other");
            }
        });
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(verified(&setting));
}

/// A package that the gate would hold keeps no case from a notice, and swallows nothing.
#[tokio::test]
async fn evidence_that_can_stand_carries_the_case() {
    let setting = Setting::new().await;
    let (mut an, _) = officers(&setting).await;
    let expired = |m: &mut Manifest| {
        let verification = m.camera.verification.as_mut().unwrap();
        verification.valid_to = time::macros::date!(2026 - 01 - 01);
    };
    let case = setting.case(1, expired).await;
    let detail = an.get(&format!("/api/v1/cases/{case}")).await.json();
    assert_eq!(detail["blockers"][0]["code"], "verification_expired");
    let own = setting.case(2, |m| {
        second_camera(m, 2, 500);
        over_the_line(m);
    });
    let own = own.await;
    assert_ne!(own, case, "who may be fined for the line is not lost in a case that cannot stand");
    assert_eq!(setting.case(3, |m| second_camera(m, 3, 900)).await, case);
    let detail = an.get(&format!("/api/v1/cases/{case}")).await.json();
    assert_eq!(detail["case"]["camera"], "cam-02");
    assert_eq!(detail["blockers"].as_array().unwrap().len(), 0, "{detail}");
    assert_eq!(detail["related"][0]["same_act"], true);
    // And once more one that cannot stand: it is shown.
    let third = setting.case(4, |m| {
        second_camera(m, 4, 300);
        expired(m);
    });
    assert_eq!(third.await, case);
    let detail = an.get(&format!("/api/v1/cases/{case}")).await.json();
    assert_eq!(detail["further"].as_array().unwrap().len(), 2);
    assert_eq!(detail["case"]["version"], 2);
    verified(&setting).await;
}

#[tokio::test]
async fn a_camera_that_repeats_itself_fills_no_page() {
    let setting = Setting::new().await;
    let first = setting.case(1, |_| {}).await;
    let most = MOST_FURTHER as u64;
    for sequence in 2..2 + most {
        let joined = setting.case(sequence, |m| second_camera(m, sequence as i64, 10)).await;
        assert_eq!(joined, first);
    }
    let next = 2 + most;
    let own = setting.case(next, |m| second_camera(m, next as i64, 10)).await;
    assert_ne!(own, first);
    let (mut an, mut binh) = officers(&setting).await;
    decide(&mut an, &first, "accept", &[]).await;
    decide(&mut binh, &first, "approve", &[]).await;
    let detail = an.get(&format!("/api/v1/cases/{own}")).await.json();
    assert_eq!(detail["blockers"][0]["code"], "same_act");
    verified(&setting).await;
}

/// Two boxes deliver the two views of one passage at the same moment, many times over.
async fn two_boxes_at_once_make_one_case(database: Database) {
    let world = World::new(database).await;
    let mut one = world.road_box("edge-01", 1).await;
    let mut other = world.road_box("edge-02", 2).await;
    for round in 1..=6 {
        let here = one.sealed(one.next());
        let there = other.sealed(other.next().with(|m| {
            m.camera.id = "cam-2".into();
            if round % 2 == 0 {
                over_the_line(m);
            }
        }));
        let (a, b) = tokio::join!(one.deliver(&here), other.deliver(&there));
        a.unwrap();
        b.unwrap();
        one.advance(&here);
        other.advance(&there);
        assert_eq!(world.cases().await, round);
    }
    let carried = "SELECT COUNT(*) FROM cases WHERE act = 'red_light'";
    assert_eq!(world.count(carried).await, 6);
    assert_eq!(world.count("SELECT COUNT(*) FROM audit WHERE action = 'case.joined'").await, 6);
    let report = world.verify().await;
    assert!(report.ok, "{:?}", report.findings);
    world.stop().await;
}
