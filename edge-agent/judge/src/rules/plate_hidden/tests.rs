use contract::VehicleClass;
use contract::geometry::BBox;

use super::*;
use crate::rules::{Elsewhere, Plates};
use crate::script::{SIZE, holds_again, rule, site};

/// Three seconds past the camera, ten sightings a second, 300 high at its nearest.
struct Passing {
    class: VehicleClass,
    away: bool,
    looks: Vec<Looked>,
    plate: Option<&'static str>,
    others: [u32; 2],
    doubt: Option<Nanos>,
    size: f32,
}

impl Passing {
    /// Looked at in every second picture, and nothing found.
    fn new(class: VehicleClass) -> Self {
        let look =
            |i: u64| Looked { t: 2 * i * SECOND / 10, found: i.is_multiple_of(3), read: false };
        Self {
            class,
            away: true,
            looks: (0..12).map(look).collect(),
            plate: None,
            others: [10, 8],
            doubt: None,
            size: 300.0,
        }
    }

    fn judged(&self) -> Verdict {
        let rule = rule(
            "[plate_hidden]\nname = \"1\"\narea = [[0.0, 1.0], [0.0, 0.2], [1.0, 0.2], [1.0, 1.0]]",
        );
        let seen = |i: u64| {
            let far = if self.away { i } else { 30 - i } as f32;
            let (y, high) = (850.0 - 15.0 * far, self.size * (1.0 - 0.012 * far));
            let bbox = BBox::new(480.0 - high / 4.0, y - high, 480.0 + high / 4.0, y);
            Observation { t: i * SECOND / 10, bbox, strong: true }
        };
        let mut track = Track::new(1, self.class, seen(0));
        let mut album = Album::default();
        let scene = |now: Nanos, ended: bool| Scene {
            road: None,
            lamps: &[],
            company: &[],
            elsewhere: Elsewhere {
                plate: self.plate,
                plates: Plates {
                    looks: &self.looks,
                    others: self.others[0],
                    others_read: self.others[1],
                },
                ..Elsewhere::default()
            },
            size: SIZE,
            now,
            captured_at: None,
            ended,
        };
        rule.attend(&track, &scene(0, false), &mut album);
        for i in 1..=30 {
            track.see(seen(i));
            rule.attend(&track, &scene(i * SECOND / 10, false), &mut album);
            assert_eq!(rule.judge(&track, &scene(i * SECOND / 10, false)), Verdict::Pending);
        }
        track.doubts.extend(self.doubt);
        let ended = scene(5 * SECOND, true);
        let verdict = rule.judge(&track, &ended);
        if let Verdict::Violation(finding) = &verdict {
            let held: Vec<_> = finding.moments.iter().map(|(role, _)| album.time(*role)).collect();
            let told: Vec<_> = finding.moments.iter().map(|(_, t)| Some(*t)).collect();
            assert_eq!(held, told);
            holds_again(&*rule, None, &track, &ended, &verdict);
        }
        verdict
    }
}

#[test]
fn whose_plate_is_not_recognised_in_many_plain_looks_is_a_candidate() {
    for class in VehicleClass::ALL {
        let Verdict::Violation(finding) = Passing::new(class).judged() else { panic!("{class:?}") };
        assert_eq!((finding.main, finding.at), (MomentRole::Begin, 0));
        assert!(finding.reason.starts_with("no character of a plate in 12 plain looks"));
        let coming = Passing { away: false, ..Passing::new(class) }.judged();
        if class.is_two_wheeled() {
            assert_eq!(coming, Verdict::Lawful(Lawful::PlateBehind), "it has none in front");
        } else {
            assert!(matches!(coming, Verdict::Violation(it) if it.main == MomentRole::End));
        }
    }
}

#[test]
fn whoever_may_have_had_one_is_none() {
    let passing = || Passing::new(VehicleClass::Car);
    let mut once = passing();
    once.looks[7].read = true;
    assert_eq!(once.judged(), Verdict::Lawful(Lawful::PlateShown));
    let read = Passing { plate: Some("30F25658"), ..passing() };
    assert_eq!(read.judged(), Verdict::Lawful(Lawful::PlateShown));
    let mut few = passing();
    few.looks.truncate(7);
    assert_eq!(few.judged(), Verdict::Lawful(Lawful::Brief));
    let far = Passing { size: 150.0, ..passing() };
    assert_eq!(far.judged(), Verdict::Lawful(Lawful::Brief), "too small to be read");
    for others in [[10, 5], [5, 5], [0, 0]] {
        let glare = Passing { others, ..passing() };
        assert_eq!(glare.judged(), Verdict::Abstained(Doubt::OthersUnread), "{others:?}");
    }
    let exchanged = Passing { doubt: Some(SECOND), ..passing() };
    assert_eq!(exchanged.judged(), Verdict::Abstained(Doubt::IdentityUncertain));
}

#[test]
fn the_section_says_what_is_wrong_with_it() {
    let wrong = site("[plate_hidden]\nheight = 2.0", crate::Site::read).unwrap_err();
    assert!(wrong.iter().any(|it| it.contains("area") && it.contains("is missing")), "{wrong:?}");
    assert!(wrong.iter().any(|it| it.contains("height")), "{wrong:?}");
}
