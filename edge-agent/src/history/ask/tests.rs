use std::fs;
use std::io::Write as _;

use contract::VehicleClass;
use time::macros::datetime;
use uuid::Uuid;

use super::super::frame::framed;
use super::super::record::Place;
use super::*;

const AT: OffsetDateTime = datetime!(2026-11-28 08:15:30 +07:00);

fn track(camera: &str, id: u64, begin: i64, end: i64) -> Record {
    let said = [
        ("red_light", Word::Lawful("lamp_not_red".into())),
        ("stop_line", Word::Doubt("poorly_seen".into())),
        (
            "solid_line",
            Word::Accused {
                act: "lane_change".into(),
                at: millis(AT),
                reason: "crossed it".into(),
                evidence: Uuid::from_u128(9),
            },
        ),
    ];
    Record::Track(Followed {
        camera: camera.into(),
        track: id,
        class: VehicleClass::Car,
        begin: millis(AT) + 1000 * begin,
        end: millis(AT) + 1000 * end,
        clock: ClockSource::Rtcp,
        offset_ms: Some(12),
        seen: 40,
        clear: 97,
        path: vec![Place(0, 500, 900), Place(4000, 500, 100)],
        said: said.into_iter().map(|(rule, word)| (rule.into(), word)).collect(),
    })
}

fn state(at: i64, state: &str) -> Record {
    let at = millis(AT) + 1000 * at;
    Record::State(State { camera: "cam-03".into(), at, state: state.into(), detail: String::new() })
}

fn folder(segments: &[(&str, &[Record])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, records) in segments {
        let mut file = fs::File::create(dir.path().join(name)).unwrap();
        for record in *records {
            file.write_all(&framed(&serde_json::to_string(record).unwrap()).unwrap()).unwrap();
        }
    }
    dir
}

fn asked(dir: &Path, seconds: u64) -> Answer {
    let within = Duration::from_secs(seconds);
    ask(dir, &Question { camera: "cam-03", at: AT, within }).unwrap()
}

#[test]
fn who_was_there_is_told_with_place_and_words() {
    let records = [
        track("cam-03", 1, -60, -20),
        track("cam-03", 2, -2, 2),
        track("cam-04", 3, -2, 2),
        track("cam-03", 4, 9, 13),
    ];
    // Written long after, and in other hours.
    let dir = folder(&[
        ("2026-11-28T00Z.log", &records[..2]),
        ("2026-11-28T03Z.log", &records[2..]),
        ("notes.txt", &records[..2]),
    ]);
    let answer = asked(dir.path(), 5);
    let [vehicle] = answer.vehicles.as_slice() else { panic!("{answer:#?}") };
    assert_eq!((vehicle.track, vehicle.place), (2, Some([0.5, 0.5])));
    let words: Vec<&str> = vehicle.said.iter().map(|said| said.words.as_str()).collect();
    assert_eq!(
        words,
        [
            "its lamp was not red when it crossed the line",
            "crossed it",
            "it was not seen clearly enough"
        ]
    );
    assert_eq!(asked(dir.path(), 10).vehicles.len(), 2);
    assert_eq!(asked(dir.path(), 20).vehicles.len(), 3, "who was gone just then, too");
    let text = super::super::tell::told(&answer);
    assert!(text.contains("ACCUSED    crossed it; lane_change, evidence 00000000-"), "{text}");
    assert!(text.contains("car, track 2, 08:15:28.0 – 08:15:32.0"), "{text}");
    let none = ask(dir.path(), &Question { camera: "x", at: AT, within: Duration::from_secs(1) });
    assert_eq!(
        none.unwrap_err().to_string(),
        "the history knows no camera \"x\", only: cam-03, cam-04"
    );
}

#[test]
fn states_last_until_the_next_and_a_start_ends_them() {
    let started = |at: i64| Record::Started { at: millis(AT) + 1000 * at, version: "1".into() };
    let records = [
        started(-500),
        state(-400, "streaming"),
        state(-3, "blinded"),
        // A new segment says again how it was.
        state(-3, "blinded"),
        state(2, "streaming"),
        started(4),
        state(6, "connecting"),
    ];
    let dir = folder(&[("2026-11-28T01Z.log", &records)]);
    let told = |seconds| {
        let states = asked(dir.path(), seconds).states;
        states.into_iter().map(|stretch| stretch.state).collect::<Vec<_>>()
    };
    assert_eq!(told(1), ["blinded"]);
    assert_eq!(told(5), ["streaming", "blinded", "streaming", "restarted"]);
    assert_eq!(told(9), ["streaming", "blinded", "streaming", "restarted", "connecting"]);
    let states = asked(dir.path(), 9).states;
    assert_eq!(states[1].to, Some(AT + Duration::from_secs(2)));
    assert_eq!(states[4].to, None);
}

#[test]
fn what_is_missing_is_said() {
    let gap = Record::Missed {
        from: millis(AT) - 60_000,
        to: millis(AT),
        records: 7,
        why: "no space left".into(),
    };
    let dir = folder(&[("2026-11-28T01Z.log", &[track("cam-03", 1, 100, 104), gap])]);
    let path = dir.path().join("2026-11-28T01Z.log");
    let mut torn = fs::read(&path).unwrap();
    torn[20] ^= 1;
    torn.extend(b"0123");
    fs::write(&path, torn).unwrap();
    let lacking = asked(dir.path(), 5).lacking.join("\n");
    for part in ["7 records are missing: no space left", "1 lines are torn", "not whole"] {
        assert!(lacking.contains(part), "{part} is not in {lacking}");
    }
    let dir = folder(&[("2026-11-28T01Z.log", &[track("cam-03", 1, 100, 104)])]);
    let lacking = asked(dir.path(), 5).lacking.join("\n");
    assert!(lacking.contains("begins at 2026-11-28 08:17:10, after the time"), "{lacking}");
    let error =
        ask(&dir.path().join("no"), &Question { camera: "c", at: AT, within: Duration::ZERO });
    assert!(error.unwrap_err().to_string().starts_with("no history at "));
}
