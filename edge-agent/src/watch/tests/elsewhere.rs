//! Two cameras of one agent and a way between them.

use std::path::PathBuf;

use contract::Facts;
use contract::plate::PlateColour;
use plate_model::reader::{BLANK, POSITIONS, SYMBOLS};

use super::*;
use crate::config;
use crate::watch::elsewhere::Passages;

/// Two kilometres at 60 take two minutes.
const CONFIG: &str = r#"
[[camera]]
id = "cam-01"
place = "Km 10"
direction = "Nam → Bắc"
plan = "KH-1"
[camera.average_speed]
line = [[0.1, 0.6], [0.9, 0.6]]

[[camera]]
id = "cam-02"
place = "Km 12"
direction = "Nam → Bắc"
plan = "KH-1"
[camera.average_speed]
line = [[0.1, 0.6], [0.9, 0.6]]
from = "cam-01"
metres = 2000
limit = 60
"#;

/// Sees one motorbike on its way, and its plate.
struct Plated(&'static str);

impl Eyes for Plated {
    fn vehicles(
        &mut self,
        planes: &Planes<'_>,
        view: &View,
    ) -> plate_model::Result<Vec<Detection>> {
        Script(through).vehicles(planes, view)
    }

    fn plate(
        &mut self,
        _planes: &Planes<'_>,
        bbox: BBox,
    ) -> plate_model::Result<Option<(PlateQuad, Characters)>> {
        let ([x, _], y) = (bbox.centre(), bbox.y1 + 0.67 * bbox.height());
        let corner = |dx: f32, dy: f32| [x + dx * 16.0, y + dy * 11.0];
        let quad = PlateQuad {
            corners: [corner(-0.5, -0.5), corner(0.5, -0.5), corner(0.5, 0.5), corner(-0.5, 0.5)],
            score: 0.9,
            rows: 2,
            rows_confidence: 0.99,
            colour: PlateColour::White,
            colour_confidence: 0.99,
            cut: false,
        };
        let mut probabilities = [[0.001; SYMBOLS]; POSITIONS];
        for (at, into) in probabilities.iter_mut().enumerate() {
            let read = self.0.as_bytes().get(at).copied();
            let known = plate_model::reader::ALPHABET.iter();
            let symbol = read.and_then(|c| known.clone().position(|other| *other == c));
            into[symbol.unwrap_or(BLANK)] = 0.97;
        }
        Ok(Some((quad, Characters { probabilities, sharpness: 1.0, glare: false })))
    }

    fn fusion(&self, class: VehicleClass) -> Fusion {
        Fusion::new(class)
    }
}

/// A motorbike that passes `cam-01` with one plate and, so many seconds later, `cam-02` with another.
fn ride(plates: [&'static str; 2], seconds: i64) -> Vec<Accused> {
    ride_by(plates, seconds, 0)
}

/// The same, all clocks set ahead by so many milliseconds on the way.
fn ride_by(plates: [&'static str; 2], seconds: i64, step_ms: i64) -> Vec<Accused> {
    ride_while(plates, seconds, step_ms, CONFIG)
}

/// The same, with another configuration in force when it comes to the second camera.
fn ride_while(plates: [&'static str; 2], seconds: i64, step_ms: i64, then: &str) -> Vec<Accused> {
    let agent = config::parse(&[(PathBuf::from("agent.toml"), CONFIG.into())]).unwrap();
    let passages = Arc::new(Passages::of(&agent.cameras));
    let found: Arc<Mutex<Vec<Accused>>> = Arc::default();
    for (index, (camera, plate)) in agent.cameras.iter().zip(plates).enumerate() {
        if index == 1 {
            let next = config::parse(&[(PathBuf::from("agent.toml"), then.into())]).unwrap();
            passages.keep_for(&next.cameras);
        }
        let inbox = Arc::clone(&found);
        let context = Context {
            device: "edge-01".into(),
            models: vec![],
            plates_per_frame: 4,
            wanted: Wanted::Suspects,
            passages: Arc::clone(&passages),
        };
        let board = Board::new(Arc::new(System::default())).camera(&camera.id);
        let pool = Arc::new(Pool::new(Plated(plate), vec![], Settings::default()));
        let mut watch = Watch::new(Arc::clone(camera), context, pool, board, move |accused| {
            inbox.lock().unwrap().push(accused);
        });
        for i in 0..100 {
            let mut picture = picture(i, i, SIDE, Light::Red, ClockSource::Rtcp, 0);
            let since = picture.captured_at - OffsetDateTime::UNIX_EPOCH;
            let way = time::Duration::seconds(index as i64 * seconds);
            let step = time::Duration::milliseconds(index as i64 * step_ms);
            picture.steady = (since + way).try_into().ok();
            picture.captured_at += way + step;
            watch.look(&picture, &AnyClip(true));
        }
        watch.finish(&AnyClip(true));
    }
    std::mem::take(&mut *found.lock().unwrap())
}

const PLATE: &str = "29X112345";

#[test]
fn too_fast_from_one_camera_to_the_other_is_shown_by_both() {
    let found = ride([PLATE, PLATE], 80);
    let [accused] = found.as_slice() else { panic!("{} accusations", found.len()) };
    let accusation = &accused.accusation;
    let violation = &accusation.violation;
    assert_eq!((violation.act.name(), accusation.camera.id.as_str()), ("speed", "cam-02"));
    let Facts::AverageSpeed(facts) = &violation.facts else { panic!("{:?}", violation.facts) };
    assert!((facts.speed.value - 90.0).abs() < 0.2, "{facts:?}");
    let roles: Vec<_> = violation.moments.iter().map(|moment| moment.role).collect();
    assert_eq!(roles, [MomentRole::Begin, MomentRole::End]);
    let [begun, ended] = accusation.moments.as_slice() else { panic!() };
    let origin = begun.elsewhere.as_ref().unwrap();
    assert_eq!(origin.camera.id, "cam-01");
    assert!(ended.elsewhere.is_none());
    assert!(matches!(begun.shot.pixels, Pixels::Jpeg { .. }), "kept long: compressed");
    let apart = (ended.shot.captured_at - begun.shot.captured_at).as_seconds_f64();
    assert!((apart - 80.0).abs() < 0.2, "{apart}");
    assert_eq!(accusation.plate.as_ref().unwrap().text.as_deref(), Some(PLATE));
    let again = Basis::parse(&accusation.basis).unwrap().verdict();
    let Ok(judge::Verdict::Violation(finding)) = again else { panic!("{again:?}") };
    assert_eq!(finding.facts, violation.facts);
}

/// Where the first camera's line was moved on the way, its passage was of another way.
#[test]
fn a_passage_at_a_camera_that_is_drawn_anew_begins_no_way() {
    let place = CONFIG.replacen("place = \"Km 12\"", "place = \"Km 12,0\"", 1);
    assert_eq!(ride_while([PLATE, PLATE], 80, 0, &place).len(), 1, "the other end is its own");
    let moved = CONFIG.replacen("[0.1, 0.6], [0.9, 0.6]", "[0.1, 0.7], [0.9, 0.7]", 1);
    assert!(ride_while([PLATE, PLATE], 80, 0, &moved).is_empty());
}

#[test]
fn nobody_else_is_accused_on_the_average() {
    for (name, plates, seconds) in [
        ("as fast as allowed", [PLATE, PLATE], 120),
        ("another vehicle", [PLATE, "29X112346"], 80),
        ("faster than anybody is: one plate on two vehicles", [PLATE, PLATE], 20),
    ] {
        assert!(ride(plates, seconds).is_empty(), "{name}");
    }
}

#[test]
fn clocks_that_step_on_the_way_make_nobody_fast() {
    // 120 s on the way look like 80, or like less than 120.
    assert!(ride_by([PLATE, PLATE], 120, -40_000).is_empty());
    assert!(ride_by([PLATE, PLATE], 120, -1_500).is_empty());
    // What may have been a step is in what is not known.
    let known_to = |step_ms| {
        let found = ride_by([PLATE, PLATE], 80, step_ms);
        let [accused] = found.as_slice() else { panic!("{} accusations", found.len()) };
        let Facts::AverageSpeed(facts) = &accused.accusation.violation.facts else { panic!() };
        facts.took.uncertainty.unwrap()
    };
    let steady = known_to(0);
    for step in [-400, 400] {
        let more = known_to(step) - steady;
        assert!((more - 0.4).abs() < 0.02, "{more} for {step}");
    }
}

#[test]
fn a_way_must_begin_where_passages_are_timed() {
    let complaints = |text: String| {
        let found = config::parse(&[(PathBuf::from("agent.toml"), text)]);
        found.unwrap_err().to_string()
    };
    let nowhere = complaints(CONFIG.replace("from = \"cam-01\"", "from = \"cam-09\""));
    assert!(nowhere.contains("agent.toml:17: camera[1].average_speed.from"), "{nowhere}");
    let untimed = CONFIG.replacen(
        "[camera.average_speed]\nline = [[0.1, 0.6], [0.9, 0.6]]",
        "[[camera.no_stopping]]\nname = \"1\"\narea = [[0.1, 0.9], [0.2, 0.5], [0.8, 0.5]]",
        1,
    );
    let untimed = complaints(untimed);
    assert!(untimed.contains("\"cam-01\", which times nobody"), "{untimed}");
}
