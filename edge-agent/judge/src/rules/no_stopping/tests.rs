use contract::facts::Facts;
use contract::{MomentRole, VehicleClass};
use time::macros::datetime;

use super::*;
use crate::lamp::Light;
use crate::rules::Elsewhere;
use crate::script::{Luck, Script, other, site};
use crate::time::seconds;
use crate::track::Companion;

const AREA: &str = "area = [[0.2, 0.3], [0.8, 0.3], [0.8, 0.9], [0.2, 0.9]]";

fn rule(more: &str) -> NoStopping {
    let text = format!("[[no_stopping]]\nname = \"cổng trường\"\n{AREA}\nseconds = 20\n{more}");
    site(&text, NoStopping::read).unwrap().unwrap()
}

/// Comes to (500, 600) after 3 s and stands there until `until`.
fn stands(until: f32) -> [(f32, f32, f32); 4] {
    [(0.0, 500.0, 50.0), (3.0, 500.0, 600.0), (until, 500.0, 600.0), (until + 3.0, 500.0, 1000.0)]
}

fn car(way: &[(f32, f32, f32)]) -> Script<'_> {
    Script { class: VehicleClass::Car, way, ..Script::default() }
}

fn bike(way: &[(f32, f32, f32)]) -> Script<'_> {
    Script { class: VehicleClass::Motorbike, ..car(way) }
}

#[track_caller]
fn accused(script: &Script<'_>, rule: &NoStopping) -> Finding {
    match script.watch(rule).0 {
        Verdict::Violation(finding) => *finding,
        other => panic!("not accused: {other:?}"),
    }
}

#[test]
fn standing_beyond_the_limit_is_charged_for_every_class() {
    for class in VehicleClass::ALL {
        let way = stands(40.0);
        let finding = accused(&Script { class, ..car(&way) }, &rule(""));
        assert_eq!(finding.act.name(), "stop_place");
        let Facts::Zone(facts) = &finding.facts else { panic!("{finding:?}") };
        assert_eq!(facts.zone, "cổng trường");
        let dwell = facts.dwell;
        assert!(dwell.excess().is_some_and(|excess| excess < 1.0), "{dwell:?}");
        assert_eq!((dwell.limit, dwell.uncertainty), (Some(20.0), Some(1.0)));
        let roles: Vec<_> = finding.moments.iter().map(|(role, _)| *role).collect();
        assert_eq!(roles, [MomentRole::Begin, MomentRole::During, MomentRole::End]);
        assert!(finding.moments.is_sorted_by_key(|(_, t)| *t));
    }
}

#[test]
fn the_pictures_kept_are_those_of_the_moments() {
    let way = stands(70.0);
    let queue = [other(2, &[(0.0, 500.0, 800.0), (30.0, 500.0, 800.0), (32.0, 500.0, 1500.0)])];
    for seed in 0..30 {
        for company in [&[][..], &queue] {
            let script = Script { company, jitter: 0.03, seed, ..car(&way) };
            let (verdict, album) = script.watch(&rule(""));
            let Verdict::Violation(finding) = verdict else { panic!("{verdict:?}") };
            for (role, t) in finding.moments {
                let kept = album.time(role).unwrap();
                assert!(kept.abs_diff(t) <= SECOND, "{seed} {role:?}: {kept} for {t}");
            }
            assert!(album.time(MomentRole::Begin).unwrap() >= seconds(2.5), "it stood by then");
        }
    }
}

#[test]
fn any_place_plainly_inside_counts() {
    for (x, y) in [(260.0, 450.0), (740.0, 450.0), (500.0, 840.0), (300.0, 700.0)] {
        let way = [(0.0, x, 100.0), (2.0, x, y), (40.0, x, y)];
        accused(&car(&way), &rule(""));
    }
}

#[test]
fn the_law_s_other_keys_are_accused_of() {
    for key in ["park_place", "park_junction", "park_railway", "stop_one_way_left", "stop_tunnel"] {
        let rule = rule(&format!("act = {key:?}"));
        let way = stands(40.0);
        let finding = accused(&car(&way), &rule);
        assert_eq!(finding.act.name(), key);
        assert!(rule.accuses(&finding.act) && !rule.accuses(&Act::RED_LIGHT));
        // On the left of a one-way street the law knows cars alone.
        let rider = Script { class: VehicleClass::Motorbike, ..car(&way) }.play(&rule);
        assert_eq!(matches!(rider, Verdict::Violation(_)), key != "stop_one_way_left", "{key}");
        let caption = rule.caption(&finding.facts);
        assert!(caption.contains("đứng yên 21,5 s, giới hạn 20 s"), "{caption}");
        assert_eq!(rule.marks(&Site::default(), &finding.facts)[0].len(), 5);
    }
}

#[test]
fn minutes_are_measured_beyond_the_path_s_last_one() {
    let rule = rule("").with_seconds(240.0);
    let way = stands(300.0);
    let found = car(&way).play(&rule);
    let Verdict::Violation(finding) = found else { panic!("{found:?}") };
    let (from, to) = finding.span();
    assert!(to - from >= seconds(241.0), "{}", in_seconds(to - from));
    let short = stands(200.0);
    assert_eq!(car(&short).play(&rule), Verdict::Lawful(Lawful::NotStanding));
}

impl NoStopping {
    fn with_seconds(mut self, seconds: f32) -> Self {
        self.places[0].seconds = seconds;
        self
    }
}

#[test]
fn hidden_for_a_moment_at_the_same_place_it_still_stands() {
    let way = stands(40.0);
    for unseen in [&[(10.0f32, 11.5f32)][..], &[(8.0, 14.0)], &[(6.0, 8.0), (12.0, 20.0)]] {
        accused(&Script { unseen, ..car(&way) }, &rule(""));
    }
}

#[test]
fn after_a_jam_the_time_begins_with_its_end() {
    let way = stands(70.0);
    let company = [other(2, &[(0.0, 500.0, 800.0), (30.0, 500.0, 800.0), (32.0, 500.0, 1500.0)])];
    let finding = accused(&Script { company: &company, ..car(&way) }, &rule(""));
    assert!(finding.span().0 >= seconds(34.0), "{finding:?}");
}

#[test]
fn a_lone_stop_passed_by_others_is_no_jam() {
    let way = stands(40.0);
    let passing: Vec<Companion> = (0..8)
        .map(|i| {
            let start = 5.0 * i as f32;
            other(10 + i, &[(start, 700.0, 0.0), (start + 4.0, 700.0, 1000.0)])
        })
        .collect();
    accused(&Script { company: &passing, ..car(&way) }, &rule(""));
    // Nor where somebody stands far away.
    let mut company = passing;
    company.push(other(2, &[(0.0, 20.0, 20.0), (70.0, 20.0, 20.0)]));
    company[8].height = 20.0;
    accused(&Script { company: &company, ..bike(&way) }, &rule(""));
}

#[test]
fn who_comes_nearer_from_far_away_does_not_stand() {
    // Small at first, and hardly moving in the picture.
    let comes = |from: u64| {
        let y = |s: u64| 1200.0 / (12 - s) as f32;
        let seen = (0..11).map(|s| ((from + s) * SECOND, [300.0, y(s)])).collect();
        let heights = (0..11).map(|s| 0.25 * y(s)).collect();
        Companion { id: 10 + from, class: VehicleClass::Car, height: 300.0, seen, heights }
    };
    let company: Vec<Companion> = (0..8).map(|i| comes(4 * i)).collect();
    accused(&Script { company: &company, ..car(&stands(40.0)) }, &rule(""));
    // As tall all the time, it stood at first.
    let mut tall = company;
    tall.iter_mut().for_each(|it| it.heights.clear());
    let verdict = Script { company: &tall, ..car(&stands(40.0)) }.play(&rule(""));
    assert!(!matches!(verdict, Verdict::Violation(_)), "{verdict:?}");
}

/// Every case looks like the act and is none.
#[test]
fn look_alikes_are_not_accused() {
    use Lawful::{ClassAllowed, NeverThere, NotInForce, NotStanding, WaitedForGreen};
    let lawful = Verdict::Lawful;
    let doubt = Verdict::Abstained;
    let (short, long) = (stands(20.0), stands(60.0));
    let queue_ahead = [other(2, &[(0.0, 500.0, 900.0), (62.0, 500.0, 900.0)])];
    let beside = [other(2, &[(0.0, 700.0, 600.0), (62.0, 700.0, 600.0)])];
    let jam_far = [other(2, &[(0.0, 20.0, 20.0), (70.0, 20.0, 20.0)])].map(|mut far| {
        far.height = 20.0;
        far
    });
    let crept: Vec<(f32, f32, f32)> = (0..40)
        .flat_map(|i| {
            let (t, y) = (i as f32 * 8.0, 320.0 + 14.0 * i as f32);
            [(t, 500.0, y), (t + 6.5, 500.0, y)]
        })
        .collect();
    let stop_and_go: Vec<(f32, f32, f32)> = (0..6)
        .flat_map(|i| {
            let (t, y) = (i as f32 * 16.0, 320.0 + 90.0 * i as f32);
            [(t, 500.0, y), (t + 14.0, 500.0, y)]
        })
        .collect();
    let red = [(0.0, Light::Red), (58.0, Light::Green)];
    let cases: Vec<(&str, Script<'_>, NoStopping, Verdict)> = vec![
        ("dropping off", car(&short), rule(""), lawful(NotStanding)),
        (
            "driving through",
            car(&[(0.0, 500.0, 0.0), (30.0, 500.0, 1000.0)]),
            rule(""),
            lawful(NotStanding),
        ),
        ("creeping", car(&crept), rule(""), lawful(NotStanding)),
        ("stop and go", car(&stop_and_go), rule(""), lawful(NotStanding)),
        (
            "a queue ahead",
            Script { company: &queue_ahead, ..car(&long) },
            rule(""),
            doubt(Doubt::Congested),
        ),
        (
            "another beside it",
            Script { company: &beside, ..car(&long) },
            rule(""),
            doubt(Doubt::Congested),
        ),
        (
            "traffic stands, nobody passes",
            Script { company: &jam_far, ..bike(&long) },
            rule(""),
            doubt(Doubt::Congested),
        ),
        (
            "the lamp's queue",
            Script { phases: &red, ..car(&long) },
            rule("lamp = true"),
            lawful(WaitedForGreen),
        ),
        (
            "a dark lamp's queue",
            Script { phases: &[], ..car(&long) },
            rule("lamp = true"),
            doubt(Doubt::LampUnknown),
        ),
        (
            "beside the area",
            car(&[(0.0, 900.0, 0.0), (3.0, 900.0, 600.0), (60.0, 900.0, 600.0)]),
            rule(""),
            lawful(NeverThere),
        ),
        (
            "on the edge",
            car(&[(0.0, 215.0, 0.0), (3.0, 215.0, 600.0), (60.0, 215.0, 600.0)]),
            rule(""),
            lawful(NeverThere),
        ),
        (
            "just outside",
            car(&[(0.0, 195.0, 0.0), (3.0, 195.0, 600.0), (60.0, 195.0, 600.0)]),
            rule(""),
            lawful(NeverThere),
        ),
        (
            "hidden too long",
            Script { unseen: &[(15.0, 45.0)], ..car(&long) },
            rule(""),
            lawful(NotStanding),
        ),
        (
            "exchanged in between",
            Script { doubts: &[12.0], ..car(&long) },
            rule(""),
            doubt(Doubt::IdentityUncertain),
        ),
        ("barely seen", Script { weak: true, ..car(&long) }, rule(""), doubt(Doubt::PoorlySeen)),
        (
            "there already, gone soon",
            car(&[(0.0, 500.0, 600.0), (18.0, 500.0, 600.0), (20.0, 500.0, 990.0)]),
            rule(""),
            lawful(NotStanding),
        ),
        ("another class", car(&long), rule("classes = [\"truck\"]"), lawful(ClassAllowed)),
        (
            "a car where motorbikes may not",
            car(&long),
            rule("act = \"stop_bridge\""),
            lawful(ClassAllowed),
        ),
        (
            "perhaps another class",
            Script { class_share: Some(0.6), ..car(&long) },
            rule("classes = [\"car\"]"),
            doubt(Doubt::ClassUncertain),
        ),
        ("before the hours", car(&long), rule("hours = [\"09:00-11:00\"]"), lawful(NotInForce)),
        ("another day", car(&long), rule("days = [\"mon\", \"fri\"]"), lawful(NotInForce)),
        (
            "no clock",
            Script { clock: false, ..car(&long) },
            rule("hours = [\"06:00-11:00\"]"),
            doubt(Doubt::ClockUnknown),
        ),
        (
            "the hours end",
            Script { start: datetime!(2026-11-21 08:59:00 +7), ..car(&long) },
            rule("hours = [\"06:00-09:00\"]"),
            lawful(NotInForce),
        ),
    ];
    for (name, script, rule, wanted) in cases {
        assert_eq!(script.play(&rule), wanted, "{name}");
    }
}

#[test]
fn a_smaller_vehicle_in_the_place_of_a_hidden_one_stands_since_then() {
    // The first drives off while hidden, a lower one comes: never both together long enough.
    let rule = rule("");
    let mut track: Option<Track> = None;
    let mut verdict = Verdict::Pending;
    for i in 0..360u64 {
        let (t, now) = (i as f32 / 10.0, i * SECOND / 10);
        if (15.0..22.0).contains(&t) {
            continue;
        }
        let high = if t < 15.0 { 140.0 } else { 110.0 };
        let bbox = contract::geometry::BBox::new(420.0, 600.0 - high, 580.0, 600.0);
        let seen = crate::track::Observation { t: now, bbox, strong: true };
        match &mut track {
            Some(track) => track.see(seen),
            None => track = Some(Track::new(1, VehicleClass::Car, seen)),
        }
        let scene = scene_at(now, i == 359);
        verdict = rule.judge(track.as_ref().unwrap(), &scene);
        assert!(!matches!(verdict, Verdict::Violation(_)), "{t}");
    }
    assert_eq!(verdict, Verdict::Lawful(Lawful::NotStanding));
}

fn scene_at(now: Nanos, ended: bool) -> Scene<'static> {
    Scene {
        road: None,
        lamps: &[],
        company: &[],
        elsewhere: Elsewhere::default(),
        size: [1000, 1000],
        now,
        captured_at: None,
        ended,
    }
}

#[test]
fn from_the_hours_on_it_counts() {
    // 08:57 and on; in force from 09:00, plainly from 09:02.
    let way = stands(400.0);
    let script = Script { start: datetime!(2026-11-21 08:57 +7), ..car(&way) };
    let finding = accused(&script, &rule("hours = [\"09:00-11:00\"]"));
    assert!(finding.span().0 >= seconds(300.0), "{finding:?}");
}

#[test]
fn trembling_boxes_change_nothing() {
    for seed in 0..40 {
        let way = stands(40.0);
        let jitter = 0.02 + 0.02 * (seed % 2) as f32;
        let unseen = [(9.0, 9.0 + (seed % 5) as f32)];
        accused(&Script { jitter, seed, unseen: &unseen, ..car(&way) }, &rule(""));
    }
}

#[test]
fn thousands_of_lawful_ways_accuse_nobody() {
    let rule = rule("").with_seconds(8.0);
    for seed in 0..3000u64 {
        let mut luck = Luck(seed);
        let mut between = |from: f32, to: f32| luck.uniform(from.into(), to.into()) as f32;
        let (x, y) = (between(230.0, 770.0), between(330.0, 870.0));
        let stop = 2.0 + between(0.0, 7.5);
        let edge = seed % 3 == 0;
        // At the edge for long, inside only shortly.
        let (x, until) =
            if edge { (if seed % 2 == 0 { 185.0 } else { 820.0 }, 22.0) } else { (x, stop) };
        let way = [(0.0, x, 10.0), (2.0, x, y), (until, x, y), (until + 2.0, x, 1000.0)];
        let hide = between(2.0, 9.0);
        let unseen = [(hide, hide + between(0.0, 4.0))];
        let class = VehicleClass::ALL[(seed % 4) as usize];
        let jitter = between(0.0, 0.04);
        let script =
            Script { class, way: &way, unseen: &unseen, jitter, seed, ..Script::default() };
        let verdict = script.play(&rule);
        assert!(!matches!(verdict, Verdict::Violation(_)), "{seed}: {verdict:?}");
    }
}

#[test]
fn settings_are_sealed_and_restored() {
    let rule = rule("lamp = true\nclasses = [\"car\"]\nhours = [\"22:00-05:00\"]");
    let again = (KIND.restore)(rule.settings()).unwrap();
    assert_eq!(again.settings(), rule.settings());
}

#[test]
fn complaints_name_what_would_be_right() {
    let complaints = |more: &str| {
        let text = format!("[[no_stopping]]\n{more}\n");
        site(&text, NoStopping::read).unwrap_err().join("\n")
    };
    let cases = [
        ("name = \"a\"", "site.toml:1: no_stopping[0].area is missing"),
        (AREA, "no_stopping[0].name is missing"),
        ("nam = \"a\"", "did you mean `name`?"),
        ("name = \"a\"\nseconds = 2", "site.toml:3: no_stopping[0].seconds is 2, must be 5"),
        (
            "name = \"a\"\nact = \"red_light\"",
            "act is \"red_light\", must be one of \"stop_place\"",
        ),
        (
            "name = \"a\"\nact = \"stop_one_way_left\"\nclasses = [\"motorbike\"]",
            "has no act \"stop_one_way_left\"",
        ),
        ("name = \"a\"\nhours = [\"6-9\"]", "hours must be spans of the day"),
        ("name = \"a\"\nlamp = true\nseconds = 100", "seconds must be at most 60"),
    ];
    for (more, wanted) in cases {
        let found = complaints(more);
        assert!(found.contains(wanted), "{more:?} gave {found}");
    }
    let twice = format!("[[no_stopping]]\nname = \"a\"\n{AREA}\n").repeat(2);
    assert!(site(&twice, NoStopping::read).unwrap_err()[0].contains("two of the name \"a\""));
    assert_eq!(site("", NoStopping::read).unwrap(), None);
}

/// Three lanes of cars in a jam that moves by a car's length now and then.
fn jam(luck: &mut Luck) -> Vec<Vec<(f32, f32, f32)>> {
    let mut between = |from: f64, to: f64| luck.uniform(from, to) as f32;
    let mut ways = Vec::new();
    for lane in [300.0, 500.0, 700.0] {
        let (mut t, mut moves) = (0.0, Vec::new());
        while t < 90.0 {
            let (stands, drives) = (between(8.0, 45.0), between(1.5, 4.0));
            moves.push((t + stands, t + stands + drives, between(150.0, 300.0)));
            t += stands + drives;
        }
        for place in 0..4 {
            let mut y = -500.0 + 300.0 * place as f32 + between(-30.0, 30.0);
            let mut way = vec![(0.0, lane, y)];
            for (from, to, far) in &moves {
                way.push((*from, lane, y));
                y += far;
                way.push((*to, lane, y));
            }
            ways.push(way);
        }
    }
    ways
}

#[test]
fn nobody_in_a_jam_is_accused() {
    let rule = rule("").with_seconds(10.0);
    for seed in 0..16u64 {
        let ways = jam(&mut Luck(seed));
        for (subject, way) in ways.iter().enumerate() {
            let company: Vec<Companion> = ways
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != subject)
                .map(|(i, way)| other(i as u64, way))
                .collect();
            let script = Script { company: &company, jitter: 0.02, seed, ..car(way) };
            let verdict = script.play(&rule);
            assert!(!matches!(verdict, Verdict::Violation(_)), "{seed}.{subject}: {verdict:?}");
        }
    }
}
