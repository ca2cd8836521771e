use contract::VehicleClass;
use time::macros::datetime;
use time::{Duration as Span, OffsetDateTime};

use super::*;
use crate::rules::Elsewhere;
use crate::rules::speed::KMH;
use crate::script::{Luck, SIZE, holds_again, rule, site};
use crate::track::Observation;

const START: OffsetDateTime = datetime!(2026-11-28 08:00 +7);
const PLATE: &str = "30F25658";
const METRES: f64 = 2000.0;
/// When a vehicle crosses the line of [`passes`], seconds after its first sighting.
const CROSSED: f64 = 2.05;

/// The end of a way of two kilometres from `cam-01`, allowed 60.
fn end(more: &str) -> std::sync::Arc<dyn Rule> {
    rule(&format!(
        "id = \"cam-02\"\n[average_speed]\nline = [[0.1, 0.5], [0.9, 0.5]]\nfrom = \"cam-01\"\n\
         metres = {METRES}\nlimit = 60\n{more}"
    ))
}

fn seen(i: u64, y: f32) -> Observation {
    let bbox = contract::geometry::BBox::new(420.0, y - 140.0, 580.0, y);
    Observation { t: i * SECOND / 10, bbox, strong: true }
}

/// Up the picture over the line, four seconds in all.
fn passes(class: VehicleClass) -> Track {
    let mut track = Track::new(1, class, seen(0, 705.0));
    (1..=40).for_each(|i| track.see(seen(i, 705.0 - 10.0 * i as f32)));
    track
}

/// The time that the way takes at a speed, seconds.
fn at(speed: f64) -> f64 {
    METRES / speed * KMH
}

/// At `cam-01`, so many seconds before a vehicle of [`passes`] crosses the line.
fn passed(before: f64) -> Passed {
    Passed {
        camera: "cam-01".into(),
        plate: PLATE.into(),
        class: VehicleClass::Car,
        at: START + Span::seconds_f64(CROSSED - before),
        known_to_ms: 200,
    }
}

struct Exit<'a> {
    rule: &'a dyn Rule,
    track: Track,
    plate: Option<&'a str>,
    known_to: Duration,
    clock: bool,
}

impl<'a> Exit<'a> {
    fn of(rule: &'a dyn Rule) -> Self {
        let known_to = Duration::from_millis(100);
        let track = passes(VehicleClass::Car);
        Self { rule, track, plate: Some(PLATE), known_to, clock: true }
    }

    /// The verdict once it is gone; who is accused is found again from what is sealed.
    fn judged(&self, passed: &[Passed]) -> Verdict {
        let now = self.track.last().t;
        let scene = Scene {
            road: None,
            lamps: &[],
            company: &[],
            elsewhere: Elsewhere {
                plate: self.plate,
                passed,
                known_to: self.known_to,
                ..Elsewhere::default()
            },
            size: SIZE,
            now,
            captured_at: self.clock.then(|| START + std::time::Duration::from_nanos(now)),
            ended: true,
        };
        let still = Scene { ended: false, ..scene };
        assert_eq!(self.rule.judge(&self.track, &still), Verdict::Pending);
        let verdict = self.rule.judge(&self.track, &scene);
        holds_again(self.rule, None, &self.track, &scene, &verdict);
        verdict
    }
}

#[test]
fn too_fast_on_the_average_is_speeding() {
    let rule = end("");
    for speed in [70.0, 78.0, 120.0] {
        let passed = [passed(at(speed) + 900.0), passed(at(speed))];
        let Verdict::Violation(finding) = Exit::of(&*rule).judged(&passed) else {
            panic!("{speed}")
        };
        assert_eq!((finding.act.name(), finding.main), ("speed", MomentRole::End));
        assert!((finding.at as f64 / SECOND as f64 - CROSSED).abs() < 0.1, "{}", finding.at);
        let Facts::AverageSpeed(facts) = &finding.facts else { panic!("{finding:?}") };
        assert!((facts.speed.value - speed).abs() < 0.2, "{facts:?}");
        assert!(facts.speed.excess().is_some());
        assert_eq!((facts.from_camera.as_str(), facts.to_camera.as_str()), ("cam-01", "cam-02"));
        let caption = rule.caption(&finding.facts);
        assert!(caption.contains("trung bình") && caption.contains("2000 m"), "{caption}");
    }
}

#[test]
fn look_alikes_are_not_accused() {
    let (rule, lawful, doubt) = (end(""), Verdict::Lawful, Verdict::Abstained);
    let exit = || Exit::of(&*rule);
    let fast = || passed(at(90.0));
    let not_there = lawful(Lawful::NotFromThere);
    for (name, begun, wanted) in [
        ("within the limit", passed(at(58.0)), lawful(Lawful::WithinLimit)),
        ("within the tolerance", passed(at(62.9)), lawful(Lawful::WithinLimit)),
        ("less than the law fines", passed(at(66.0)), doubt(Doubt::Inexact)),
        ("another plate", Passed { plate: "30F25653".into(), ..fast() }, not_there.clone()),
        ("another camera", Passed { camera: "cam-03".into(), ..fast() }, not_there.clone()),
        ("the other way round", passed(-300.0), not_there.clone()),
        ("another class", Passed { class: VehicleClass::Truck, ..fast() }, {
            doubt(Doubt::ClassUncertain)
        }),
        (
            "a clock that may be wrong",
            Passed { known_to_ms: 9000, ..fast() },
            doubt(Doubt::Inexact),
        ),
        ("one plate on two vehicles", passed(9.0), doubt(Doubt::IdentityUncertain)),
    ] {
        assert_eq!(exit().judged(&[begun]), wanted, "{name}");
    }
    assert_eq!(exit().judged(&[]), not_there, "never seen there");
    let unread = Exit { plate: None, ..exit() };
    assert_eq!(unread.judged(&[fast()]), doubt(Doubt::PlateUnread));
    let timeless = Exit { clock: false, ..exit() };
    assert_eq!(timeless.judged(&[fast()]), doubt(Doubt::ClockUnknown));
    let vague = Exit { known_to: Duration::from_secs(9), ..exit() };
    assert_eq!(vague.judged(&[fast()]), doubt(Doubt::Inexact));
    let mut exchanged = exit();
    exchanged.track.doubts.push(SECOND / 2);
    assert_eq!(exchanged.judged(&[fast()]), doubt(Doubt::IdentityUncertain));
    let mut lost = exit();
    lost.track.path.retain(|seen| !(16..26).contains(&(seen.t * 10 / SECOND)));
    assert_eq!(lost.judged(&[fast()]), doubt(Doubt::LostAtLine));
    // Twice there, it is timed from the last.
    let twice = [fast(), passed(at(40.0)), passed(at(50.0))];
    let mut earlier = twice.clone();
    earlier[0].at -= Span::minutes(20);
    assert_eq!(exit().judged(&earlier), lawful(Lawful::WithinLimit));
}

#[test]
fn nobody_within_the_limit_is_accused() {
    let mut luck = Luck(3);
    let rule = end("tolerance = 0\n[average_speed.limits]\ntruck = 50");
    for _ in 0..3000 {
        let truck = luck.uniform(0.0, 1.0) < 0.5;
        let (class, limit) =
            if truck { (VehicleClass::Truck, 50.0) } else { (VehicleClass::Car, 60.0) };
        // The way is up to 5 m longer or shorter, the clocks up to 200 and 100 ms wrong.
        let way = METRES + luck.uniform(-5.0, 5.0);
        let took = way / luck.uniform(0.8 * limit, limit) * KMH;
        let wrong = luck.uniform(-0.2, 0.2) + luck.uniform(-0.1, 0.1);
        let exit = Exit { track: passes(class), ..Exit::of(&*rule) };
        let judged = exit.judged(&[Passed { class, ..passed(took + wrong) }]);
        assert!(!matches!(judged, Verdict::Violation(_)), "{judged:?}");
    }
}

#[test]
fn a_beginning_times_who_passes_and_accuses_nobody() {
    let rule = rule("id = \"cam-01\"\n[average_speed]\nline = [[0.1, 0.5], [0.9, 0.5]]");
    let mut exit = Exit::of(&*rule);
    let scene = |track: &Track, ended| Scene {
        road: None,
        lamps: &[],
        company: &[],
        elsewhere: Elsewhere::default(),
        size: SIZE,
        now: track.last().t,
        captured_at: Some(START),
        ended,
    };
    assert_eq!(
        rule.judge(&exit.track, &scene(&exit.track, true)),
        Verdict::Lawful(Lawful::NothingEndsHere)
    );
    let (at, known_to) = rule.timed(&exit.track, &scene(&exit.track, false)).unwrap();
    assert!((at as f64 / SECOND as f64 - CROSSED).abs() < 0.1);
    assert!(known_to < Duration::from_millis(250));
    // Possibly another vehicle's plate: not timed.
    exit.track.doubts.push(SECOND);
    assert_eq!(rule.timed(&exit.track, &scene(&exit.track, false)), None);
    assert_eq!(rule.begins_at(), None);
    let (from, within) = end("").begins_at().map(|(from, t)| (from.to_owned(), t)).unwrap();
    assert_eq!((from.as_str(), within.as_secs()), ("cam-01", 120));
}

/// Away from a camera 6 m high at 13 m/s, over the line after a second and on towards the horizon.
fn drives_away() -> Track {
    let seen = |i: u64| {
        let metres = 8.0 + 1.3 * i as f32;
        let (high, y) = (1100.0 / metres, 300.0 + 4400.0 / metres);
        let bbox =
            contract::geometry::BBox::new(500.0 - high / 2.0, y - high, 500.0 + high / 2.0, y);
        Observation { t: i * SECOND / 10, bbox, strong: true }
    };
    let mut track = Track::new(1, VehicleClass::Car, seen(0));
    (1..=100).for_each(|i| track.see(seen(i)));
    track
}

/// A line is wider than the whole road beyond it is high in the picture: what is far is told by the
/// vehicle's own size.
#[test]
fn far_beyond_the_line_nothing_is_read_and_nothing_doubted() {
    let (begins, ends) =
        (rule("id = \"cam-01\"\n[average_speed]\nline = [[0.1, 0.5], [0.9, 0.5]]"), end(""));
    let whole = drives_away();
    let scene = |track: &Track| Scene {
        road: None,
        lamps: &[],
        company: &[],
        elsewhere: Elsewhere::default(),
        size: SIZE,
        now: track.last().t,
        captured_at: Some(START),
        ended: false,
    };
    let attention = |tenths: u64| {
        let track = whole.clone().until(tenths * SECOND / 10).unwrap();
        begins.attend(&track, &scene(&track), &mut Album::default())
    };
    assert_eq!([0, 10, 20, 30].map(attention), [Attention::Suspect; 4]);
    assert_eq!([45, 60, 100].map(attention), [Attention::Idle; 3]);
    for (doubted, certain) in [(0.5, false), (2.0, false), (4.0, false), (6.0, true), (9.0, true)] {
        let mut track = whole.clone();
        track.doubts.push((doubted * SECOND as f64) as Nanos);
        let timed = begins.timed(&track, &scene(&track));
        assert_eq!(timed.is_some(), certain, "doubted at {doubted} s");
        let verdict = Exit { track, ..Exit::of(&*ends) }.judged(&[passed(at(90.0))]);
        let wanted = Verdict::Abstained(Doubt::IdentityUncertain);
        assert_eq!(matches!(verdict, Verdict::Violation(_)), certain, "{doubted} s: {verdict:?}");
        assert_eq!(verdict == wanted, !certain, "{doubted} s: {verdict:?}");
    }
}

#[test]
fn complaints_name_what_would_be_right() {
    let line = "line = [[0.1, 0.5], [0.9, 0.5]]";
    for (text, wanted) in [
        (format!("{line}\nfrom = \"a\"\nmetres = 900\nlimit = 60"), "from is this camera itself"),
        (format!("{line}\nfrom = \"b\"\nlimit = 60"), "metres is missing"),
        (format!("{line}\nfrom = \"b\"\nmetres = 900"), "limit is missing"),
        (format!("{line}\nmetres = 50\nlimit = 60"), "metres is 50, must be 200"),
        ("from = \"b\"\nmetres = 900\nlimit = 60".into(), "line is missing"),
        (format!("{line}\n[speed]\nlimit = 50"), "a camera measures speed in one way"),
    ] {
        let text = format!("id = \"a\"\n[average_speed]\n{text}");
        let found = site(&text, Site::read).unwrap_err().join("\n");
        assert!(found.contains(wanted), "{text:?} gave {found}");
    }
}
