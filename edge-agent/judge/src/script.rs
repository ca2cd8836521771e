//! Scripted roads for the tests of the rules: a vehicle's way as a list of places in time, seen
//! plainly in every picture, and lamps as lists of changes.

mod luck;
mod site;

use contract::facts::Measured;
use contract::geometry::BBox;
use contract::{MomentRole, Movement, VehicleClass};
use time::OffsetDateTime;
use time::macros::datetime;

pub use self::luck::Luck;
pub use self::site::{
    Camera, JUNCTION, LEFT, RIGHT, ROUND, STRAIGHT, Way, drawn, junction, rule, site,
};
use crate::basis::Basis;
use crate::lamp::{History, Lamp, Light, Reading};
use crate::road::Road;
use crate::rules::{Album, Elsewhere, Finding, Rule, Scene, Verdict};
use crate::site::Junction;
use crate::time::{Nanos, SECOND, seconds};
use crate::track::{Companion, Gap, Observation, Track};

pub const SIZE: [u32; 2] = [1000, 1000];
pub const FPS: u64 = 10;

/// One vehicle's way over one road.
#[derive(Clone)]
pub struct Script<'a> {
    pub junction: Option<Junction>,
    /// Light of the head for straight on and left, from a time on, in seconds.
    pub phases: &'a [(f32, Light)],
    pub class: VehicleClass,
    pub company: &'a [Companion],
    pub start: OffsetDateTime,
    /// (seconds, x, y) of the contact point in a 1000 × 1000 picture; straight ways between.
    pub way: &'a [(f32, f32, f32)],
    /// How the boxes tremble: each side by this share of the height, normally distributed.
    pub jitter: f32,
    pub seed: u64,
    /// When it is out of sight; when it may have been taken for another.
    pub unseen: &'a [(f32, f32)],
    pub doubts: &'a [f32],
    /// When so much of its lower part is covered, as a share of its height.
    pub covered: &'a [(f32, f32, f32)],
    /// Whether it is only seen where it was expected.
    pub weak: bool,
    /// Share of the looks that found this class; whether the time of day is known.
    pub class_share: Option<f32>,
    pub clock: bool,
    pub camera: Camera,
    /// How high the horizon lies in the scripted picture: towards it a vehicle becomes smaller.
    pub horizon: Option<f32>,
    /// Movements that the head of `phases` governs, and whether it is dark every other half second.
    pub controls: &'a [Movement],
    pub flashes: bool,
    /// Lamps beside it.
    pub beside: &'a [Arrow<'a>],
}

/// A lamp of arrows: its movements, whether one of its lights is red, and what it shows from a time
/// on.
#[derive(Debug, Clone, Copy)]
pub struct Arrow<'a> {
    pub controls: &'a [Movement],
    pub red: bool,
    pub phases: &'a [(f32, Option<Light>)],
}

impl Default for Script<'_> {
    fn default() -> Self {
        Self {
            junction: Some(junction()),
            phases: &[(0.0, Light::Red)],
            class: VehicleClass::Motorbike,
            company: &[],
            start: datetime!(2026-11-21 08:00 +7),
            way: &[],
            jitter: 0.0,
            seed: 0,
            unseen: &[],
            doubts: &[],
            covered: &[],
            weak: false,
            class_share: None,
            clock: true,
            camera: Camera::default(),
            horizon: None,
            controls: &[Movement::Straight, Movement::Left],
            flashes: false,
            beside: &[],
        }
    }
}

impl Script<'_> {
    /// The first final verdict of `rule`. Who is accused has its pictures, and is found again from
    /// what is sealed.
    pub fn play(&self, rule: &dyn Rule) -> Verdict {
        let (verdict, album) = self.watch(rule);
        if let Verdict::Violation(finding) = &verdict {
            is_shown(finding, rule, &album);
        }
        verdict
    }

    /// The same, with the pictures kept by then.
    pub fn watch(&self, rule: &dyn Rule) -> (Verdict, Album) {
        let mut album = Album::default();
        let road = self.junction.as_ref().map(|drawn| Road::new(drawn, SIZE[0], SIZE[1]));
        let lamp = |controls: &[Movement], arrow, red_arrow| Lamp {
            name: "lamp".into(),
            controls: controls.to_vec(),
            arrow,
            red_arrow,
            history: History::default(),
        };
        let mut lamps = vec![lamp(self.controls, false, false)];
        lamps.extend(self.beside.iter().map(|it| lamp(it.controls, !it.red, it.red)));
        let mut luck = Luck(self.seed);
        let mut track: Option<Track> = None;
        let end = self.way.last().map_or(0.0, |last| last.0);
        for i in 0..=(end * FPS as f32) as u64 + 20 {
            let (t, now): (f32, Nanos) = (i as f32 / FPS as f32, i * SECOND / FPS);
            let shown = self.phases.iter().rev().find(|(from, _)| *from <= t).map(|(_, l)| *l);
            let shown = shown.filter(|_| !self.flashes || (i / (FPS / 2)).is_multiple_of(2));
            lamps[0].history.push(now, shown.map_or(Reading::Dark, Reading::Lit));
            for (lamp, it) in lamps[1..].iter_mut().zip(self.beside) {
                let shown = it.phases.iter().rev().find(|(from, _)| *from <= t);
                let shown = shown.and_then(|(_, light)| *light);
                lamp.history.push(now, shown.map_or(Reading::Dark, Reading::Lit));
            }
            let ended = t > end;
            let hidden = self.unseen.iter().any(|(from, to)| (*from..*to).contains(&t));
            let mut seen_now = false;
            if let Some(place) = place(self.way, t).filter(|_| !hidden) {
                let scale = self.horizon.map_or(1.0, |it| (place[1] - it) / (SIZE[1] as f32 - it));
                let [x, y] = self.camera.sees(place.map(|side| side / SIZE[0] as f32));
                let foot = [x * SIZE[0] as f32, y * SIZE[1] as f32];
                let mut bbox = bbox(self.class, foot, scale);
                let covered = self.covered.iter().find(|(from, to, _)| (*from..*to).contains(&t));
                bbox.y2 -= covered.map_or(0.0, |(.., share)| share * bbox.height());
                let bbox = luck.tremble(bbox, self.jitter);
                let seen = Observation { t: now, bbox, strong: !self.weak };
                match &mut track {
                    Some(track) => {
                        let from = track.last().t;
                        if now - from > SECOND / FPS {
                            track.gaps.push(Gap { from, to: now });
                        }
                        track.see(seen);
                    }
                    None => track = Some(Track::new(1, self.class, seen)),
                }
                seen_now = true;
            }
            let Some(track) = &mut track else { continue };
            track.class_share = self.class_share;
            track.doubts =
                self.doubts.iter().filter(|at| **at <= t).map(|at| seconds(*at)).collect();
            let scene = Scene {
                road: road.as_ref(),
                lamps: &lamps,
                // The agent gives nobody to a rule that does not ask.
                company: if rule.company() > 0 { self.company } else { &[] },
                elsewhere: Elsewhere::default(),
                size: SIZE,
                now,
                captured_at: self.clock.then(|| self.start + std::time::Duration::from_nanos(now)),
                ended,
            };
            if seen_now {
                rule.attend(track, &scene, &mut album);
            }
            let verdict = rule.judge(track, &scene);
            if verdict != Verdict::Pending || ended {
                holds_again(rule, self.junction.as_ref(), track, &scene, &verdict);
                return (verdict, album);
            }
        }
        (Verdict::Pending, album)
    }
}

/// Asserts that a violation has its moments in order, pictures of them, and facts beyond their limits.
#[track_caller]
fn is_shown(finding: &Finding, rule: &dyn Rule, album: &Album) {
    for (role, t) in &finding.moments {
        let kept = album.time(*role);
        // Past the line a later picture shows more.
        let shows =
            |kept: Nanos| kept.abs_diff(*t) <= SECOND || *role == MomentRole::Past && kept > *t;
        assert!(kept.is_some_and(shows), "{role:?}: {kept:?} for {t}");
    }
    assert!(finding.moments.is_sorted_by_key(|(_, t)| *t), "{:?}", finding.moments);
    assert!(finding.moments.iter().any(|(role, _)| *role == finding.main));
    assert!(!rule.caption(&finding.facts).is_empty() && !finding.reason.is_empty());
    let exact = |measured: &Measured| measured.excess().is_some();
    let bad = finding.facts.measured().into_iter().find(|(_, m)| {
        m.value < m.limit.unwrap_or(f64::MIN) || m.uncertainty.is_some() && !exact(m)
    });
    assert_eq!(bad, None, "within its limit");
}

/// Asserts that a violation is found again from what it seals.
#[track_caller]
pub fn holds_again(
    rule: &dyn Rule,
    junction: Option<&Junction>,
    track: &Track,
    scene: &Scene<'_>,
    verdict: &Verdict,
) {
    let Verdict::Violation(finding) = verdict else { return };
    let rules = serde_json::json!([{ "act": rule.act(), "settings": rule.settings() }]);
    let config = serde_json::json!({ "site": { "junction": junction, "rules": rules } });
    let bytes = Basis::new(finding.act.clone(), rule, &config.to_string(), track, scene).to_bytes();
    assert_eq!(Basis::parse(&bytes).unwrap().verdict().as_ref(), Ok(verdict));
}

/// Another vehicle about, seen once a second on its way.
pub fn other(id: u64, way: &[(f32, f32, f32)]) -> Companion {
    let end = way.last().map_or(0.0, |last| last.0);
    let seen = (0..=end as u64).filter_map(|s| Some((s * SECOND, place(way, s as f32)?)));
    let (class, seen) = (VehicleClass::Car, seen.collect());
    Companion { id, class, height: 140.0, seen, heights: Vec::new() }
}

fn place(way: &[(f32, f32, f32)], t: f32) -> Option<[f32; 2]> {
    let after = way.iter().position(|(at, ..)| *at > t)?;
    let (a, b) = (way.get(after.checked_sub(1)?)?, way[after]);
    let f = (t - a.0) / (b.0 - a.0);
    Some([a.1 + f * (b.1 - a.1), a.2 + f * (b.2 - a.2)])
}

fn bbox(class: VehicleClass, [x, y]: [f32; 2], scale: f32) -> BBox {
    let size = if class.is_two_wheeled() { [50.0, 100.0] } else { [160.0, 140.0] };
    let [w, h] = size.map(|side| scale * side);
    BBox::new(x - w / 2.0, y - h, x + w / 2.0, y)
}
