//! The rules after the real tracker: a vehicle's way as a list of places in time, a lamp as a list
//! of changes. Whatever is accused is judged again from what would be sealed.

mod movement;
mod red_light;
mod stop_line;

use contract::{Act, Movement, VehicleClass};
use judge::basis::Basis;
use judge::lamp::{Lamp, Light, Reading};
use judge::road::Road;
use judge::rules::Elsewhere;
use judge::{Scene, Verdict};
use plate_model::BBox;

use crate::config::Camera;
use crate::see::lamp;
use crate::see::track::Sighting;
use crate::see::tracker::{Settings, Tracker};
use crate::see::{Nanos, SECOND};
use crate::watch::sample;

pub const FPS: u64 = 10;

/// Light shown from a time on, in seconds.
pub type Phases<'a> = &'a [(f32, Light)];

/// One road, one vehicle under test, others beside it.
pub struct Script<'a> {
    pub camera: Camera,
    pub phases: Phases<'a>,
    /// When the right arrow is lit.
    pub arrow: std::ops::Range<f32>,
    pub class: VehicleClass,
    /// (seconds, x, y) of the contact point in a 1000 × 1000 frame; straight ways between.
    pub way: &'a [(f32, f32, f32)],
    pub others: &'a [&'a [(f32, f32, f32)]],
    /// When others pass before its lower edge, so that it jumps up and down.
    pub hidden: std::ops::Range<f32>,
}

impl Default for Script<'_> {
    fn default() -> Self {
        Self {
            camera: sample::camera(),
            phases: &[(0.0, Light::Red)],
            arrow: 0.0..0.0,
            class: VehicleClass::Motorbike,
            way: &[],
            others: &[],
            hidden: 0.0..0.0,
        }
    }
}

fn place(way: &[(f32, f32, f32)], t: f32) -> Option<[f32; 2]> {
    let after = way.iter().position(|(at, ..)| *at > t)?;
    let (a, b) = (way.get(after.checked_sub(1)?)?, way[after]);
    let f = (t - a.0) / (b.0 - a.0);
    Some([a.1 + f * (b.1 - a.1), a.2 + f * (b.2 - a.2)])
}

fn sighting(class: VehicleClass, [x, y]: [f32; 2]) -> Sighting {
    let (w, h) = if class.is_two_wheeled() { (50.0, 100.0) } else { (160.0, 140.0) };
    Sighting {
        bbox: BBox { x1: x - w / 2.0, y1: y - h, x2: x + w / 2.0, y2: y },
        class,
        score: 0.8,
        appearance: None,
    }
}

impl Script<'_> {
    /// Every final verdict on the vehicle under test (the one that `way` moves).
    pub fn play(&self, act: &Act) -> Verdict {
        let rule = self.camera.site.rule(act).unwrap();
        let road = Road::new(self.camera.site.junction.as_ref().unwrap(), 1000, 1000);
        let mut lamps: Vec<Lamp> = self.camera.lamps.iter().map(lamp::unseen).collect();
        let mut tracker = Tracker::new(Settings::default(), 1);
        let end = self.way.last().map_or(0.0, |last| last.0) + 3.0;
        let mut subject = None;
        for i in 0..(end * FPS as f32) as u64 {
            let (t, now): (f32, Nanos) = (i as f32 / FPS as f32, i * SECOND / FPS);
            let shown = self.phases.iter().rev().find(|(from, _)| *from <= t).map(|(_, l)| *l);
            for lamp in &mut lamps {
                let reading = if lamp.arrow {
                    if self.arrow.contains(&t) { Reading::Lit(Light::Green) } else { Reading::Dark }
                } else {
                    shown.map_or(Reading::Dark, Reading::Lit)
                };
                lamp.history.push(now, reading);
            }
            let mine = place(self.way, t);
            let mut seen: Vec<Sighting> = mine
                .into_iter()
                .chain(self.others.iter().filter_map(|way| place(way, t)))
                .map(|p| sighting(self.class, p))
                .collect();
            if let Some(subject) = seen.first_mut().filter(|_| self.hidden.contains(&t)) {
                subject.bbox.y2 -= [0.0, 0.15, 0.3][i as usize % 3] * subject.bbox.height();
            }
            let step = tracker.step(now, &seen);
            if subject.is_none() && mine.is_some() {
                subject = tracker.tracks().first().map(|track| track.id);
            }
            let scene = Scene {
                road: Some(&road),
                lamps: &lamps,
                company: &[],
                elsewhere: Elsewhere::default(),
                size: [1000, 1000],
                now,
                captured_at: None,
                ended: false,
            };
            let alive = tracker.tracks().iter().map(|track| (track, false));
            for (track, ended) in alive.chain(step.ended.iter().map(|track| (track, true))) {
                if Some(track.id) != subject || !track.confirmed {
                    continue;
                }
                let scene = Scene { ended, ..scene };
                let verdict = rule.judge(track, &scene);
                if verdict != Verdict::Pending {
                    let basis = Basis::new(act.clone(), rule, &self.camera.text(), track, &scene);
                    let again = Basis::parse(&basis.to_bytes()).unwrap().verdict();
                    assert_eq!(again.as_ref(), Ok(&verdict), "judged again");
                    return verdict;
                }
            }
        }
        Verdict::Pending
    }
}

/// The movement accused, none where there is no violation.
pub fn accused(verdict: &Verdict) -> Option<Movement> {
    match verdict {
        Verdict::Violation(finding) => finding.facts.movement(),
        _ => None,
    }
}
