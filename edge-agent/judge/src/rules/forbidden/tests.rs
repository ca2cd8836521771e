use contract::VehicleClass;
use time::macros::datetime;

use super::*;
use crate::rules::Doubt;
use crate::script::{Luck, Script, site};
use crate::time::seconds;

/// A lane from the lower edge up, 200 to 500 across.
const AREA: &str = "area = [[0.2, 0.05], [0.5, 0.05], [0.5, 0.95], [0.2, 0.95]]";

fn rule(more: &str) -> Forbidden {
    drawn(AREA, more)
}

fn drawn(area: &str, more: &str) -> Forbidden {
    let text = format!("[[forbidden]]\nname = \"làn ô tô\"\n{area}\n{more}");
    site(&text, Forbidden::read).unwrap().unwrap()
}

fn drives(class: VehicleClass, way: &[(f32, f32, f32)]) -> Script<'_> {
    Script { class, way, ..Script::default() }
}

const UP: [(f32, f32, f32); 2] = [(0.0, 350.0, 900.0), (6.0, 350.0, 150.0)];

#[test]
fn driving_where_its_class_may_not_is_charged() {
    for class in VehicleClass::ALL {
        let rule = rule(&format!("classes = [{:?}]", class.name()));
        let (verdict, album) = drives(class, &UP).watch(&rule);
        let Verdict::Violation(finding) = verdict else { panic!("{class:?}: {verdict:?}") };
        assert_eq!(finding.act.name(), "prohibited_road");
        for (role, t) in &finding.moments {
            let kept = album.time(*role).unwrap();
            assert!(kept.abs_diff(*t) <= SECOND / 2, "{role:?}: {kept} for {t}");
        }
        let caption = rule.caption(&finding.facts);
        assert!(caption.starts_with("Đi vào khu vực, đường cấm xe "), "{caption}");
        assert_eq!(rule.marks(&Site::default(), &finding.facts)[0].len(), 5);
    }
}

#[test]
fn other_places_and_ways_count_too() {
    let ways = [
        vec![(0.0, 250.0, 200.0), (6.0, 250.0, 900.0)],
        vec![(0.0, 800.0, 900.0), (1.0, 400.0, 850.0), (7.0, 350.0, 100.0)],
        vec![(0.0, 460.0, 900.0), (8.0, 240.0, 200.0)],
    ];
    for way in ways {
        let verdict =
            drives(VehicleClass::Motorbike, &way).play(&rule("classes = [\"motorbike\"]"));
        assert!(matches!(verdict, Verdict::Violation(_)), "{way:?}: {verdict:?}");
    }
}

#[test]
fn in_its_hours_and_days_it_is_charged() {
    // 2026-11-21 is a Saturday.
    let at = |start| Script { start, ..drives(VehicleClass::Truck, &UP) };
    let rule =
        rule("classes = [\"truck\"]\nhours = [\"06:00-09:00\", \"16:00-20:00\"]\ndays = [\"sat\"]");
    for (start, charged) in [
        (datetime!(2026-11-21 08:00 +7), true),
        (datetime!(2026-11-21 10:00 UTC), true),
        (datetime!(2026-11-21 12:00 +7), false),
        (datetime!(2026-11-22 08:00 +7), false),
        (datetime!(2026-11-21 08:59 +7), false),
    ] {
        let verdict = at(start).play(&rule);
        assert_eq!(matches!(verdict, Verdict::Violation(_)), charged, "{start}: {verdict:?}");
    }
}

#[test]
fn look_alikes_are_not_accused() {
    use Lawful::{Brief, ClassAllowed, NeverThere, NotInForce};
    use VehicleClass::{Car, Motorbike, Truck};
    let lawful = Verdict::Lawful;
    let doubt = Verdict::Abstained;
    let bikes = || rule("classes = [\"motorbike\"]");
    let lorries = || rule("classes = [\"truck\"]\nhours = [\"06:00-09:00\"]");
    let beside = [(0.0, 600.0, 900.0), (6.0, 600.0, 100.0)];
    let along_edge = [(0.0, 505.0, 900.0), (6.0, 505.0, 100.0)];
    let inside_edge = [(0.0, 490.0, 900.0), (6.0, 490.0, 100.0)];
    let corner = [(0.0, 620.0, 600.0), (2.0, 380.0, 500.0), (4.0, 620.0, 400.0)];
    let across = [(0.0, 60.0, 500.0), (6.0, 900.0, 500.0)];
    let stands = [(0.0, 350.0, 500.0), (30.0, 350.0, 500.0)];
    let at_the_edge = drawn(
        "area = [[0.0, 0.0], [0.3, 0.0], [0.3, 1.0], [0.0, 1.0]]",
        "classes = [\"motorbike\"]",
    );
    let cut = [(0.0, 26.0, 900.0), (6.0, 26.0, 150.0)];
    let cases: Vec<(&str, Script<'_>, Forbidden, Verdict)> = vec![
        ("another class", drives(Car, &UP), bikes(), lawful(ClassAllowed)),
        ("beside the area", drives(Motorbike, &beside), bikes(), lawful(NeverThere)),
        ("along its edge outside", drives(Motorbike, &along_edge), bikes(), lawful(NeverThere)),
        ("along its edge inside", drives(Motorbike, &inside_edge), bikes(), lawful(Brief)),
        ("passing an obstacle", drives(Motorbike, &corner), bikes(), lawful(Brief)),
        (
            "crossing the lane",
            drives(Motorbike, &across),
            rule("classes = [\"motorbike\"]\nheights = 4"),
            lawful(Brief),
        ),
        ("standing there", drives(Motorbike, &stands), bikes(), lawful(Brief)),
        ("cut by the picture's edge", drives(Motorbike, &cut), at_the_edge, lawful(NeverThere)),
        (
            "outside the hours",
            Script { start: datetime!(2026-11-21 12:00 +7), ..drives(Truck, &UP) },
            lorries(),
            lawful(NotInForce),
        ),
        (
            "no clock",
            Script { clock: false, ..drives(Truck, &UP) },
            lorries(),
            doubt(Doubt::ClockUnknown),
        ),
        (
            "exchanged",
            Script { doubts: &[1.0], ..drives(Motorbike, &UP) },
            bikes(),
            doubt(Doubt::IdentityUncertain),
        ),
        (
            "perhaps a bus",
            Script { class_share: Some(0.55), ..drives(Truck, &UP) },
            lorries(),
            doubt(Doubt::ClassUncertain),
        ),
        (
            "barely seen",
            Script { weak: true, ..drives(Motorbike, &UP) },
            bikes(),
            doubt(Doubt::PoorlySeen),
        ),
        (
            "hidden on most of it",
            Script { unseen: &[(0.9, 2.5), (3.5, 5.5)], ..drives(Motorbike, &UP) },
            bikes(),
            lawful(Brief),
        ),
    ];
    for (name, script, rule, wanted) in cases {
        assert_eq!(script.play(&rule), wanted, "{name}");
    }
}

#[test]
fn thousands_of_lawful_ways_accuse_nobody() {
    let rule = rule("classes = [\"motorbike\", \"truck\"]");
    for seed in 0..4000u64 {
        let mut luck = Luck(seed);
        let mut between = |from: f32, to: f32| luck.uniform(from.into(), to.into()) as f32;
        let class = [VehicleClass::Motorbike, VehicleClass::Truck][(seed % 2) as usize];
        // Beside it, at most a wheel over its edge; now and then evading into it for a moment.
        let beside = if seed % 3 == 0 { between(80.0, 200.0) } else { between(500.0, 900.0) };
        let (start, end) = (between(800.0, 940.0), between(100.0, 300.0));
        let (t, middle) = (between(3.0, 8.0), (start + end) / 2.0);
        let evades = if seed % 5 == 0 { beside.clamp(240.0, 460.0) } else { beside };
        let way = [
            (0.0, beside, start),
            (t / 2.0 - 0.6, beside, middle + 60.0),
            (t / 2.0, evades, middle),
            (t / 2.0 + 0.6, beside, middle - 60.0),
            (t, beside, end),
        ];
        let hide = between(0.0, t);
        let unseen = [(hide, hide + between(0.0, 1.0))];
        let jitter = between(0.0, 0.04);
        let script =
            Script { class, way: &way, unseen: &unseen, jitter, seed, ..Script::default() };
        let verdict = script.play(&rule);
        assert!(!matches!(verdict, Verdict::Violation(_)), "{seed}: {verdict:?}");
    }
}

#[test]
fn trembling_boxes_do_not_hide_the_act() {
    let rule = rule("classes = [\"motorbike\"]");
    for seed in 0..200 {
        let jitter = 0.03;
        let verdict = Script { jitter, seed, ..drives(VehicleClass::Motorbike, &UP) }.play(&rule);
        let Verdict::Violation(finding) = verdict else { panic!("{seed}: {verdict:?}") };
        assert!(finding.span().1 <= seconds(6.0));
    }
}

#[test]
fn settings_are_sealed_and_restored() {
    let rule = rule("classes = [\"truck\"]\nhours = [\"06:00-09:00\"]\ndays = [\"mon\"]");
    let again = (KIND.restore)(rule.settings()).unwrap();
    assert_eq!(again.settings(), rule.settings());
}

#[test]
fn complaints_name_what_would_be_right() {
    let complaints = |more: &str| {
        site(&format!("[[forbidden]]\nname = \"a\"\n{more}\n"), Forbidden::read)
            .unwrap_err()
            .join("\n")
    };
    let cases = [
        (AREA.to_owned(), "site.toml:1: forbidden[0].classes is missing"),
        (format!("{AREA}\nclasses = [\"lorry\"]"), "must be one of \"motorbike\", \"car\""),
        ("classes = [\"truck\"]".to_owned(), "area is missing"),
        (
            format!("{AREA}\nclasses = [\"truck\"]\nheights = 0.5"),
            "site.toml:5: forbidden[0].heights is 0.5",
        ),
        (format!("{AREA}\nclasses = [\"truck\"]\ndays = [\"monday\"]"), "must be one of \"mon\""),
        (format!("{AREA}\nclasses = [\"truck\"]\nhours = [\"25:00-26:00\"]"), "spans of the day"),
    ];
    for (more, wanted) in cases {
        let found = complaints(&more);
        assert!(found.contains(wanted), "{more:?} gave {found}");
    }
    assert_eq!(site("", Forbidden::read).unwrap(), None);
}
