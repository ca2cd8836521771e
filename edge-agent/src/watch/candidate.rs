//! What is kept of a vehicle that may yet be accused: the pictures before, on and past the line,
//! the best look at it, and its plate readings. At most four frames a vehicle, shared between
//! vehicles of the same picture.

use contract::Rule;
use contract::manifest::Clock;
use plate_model::{BBox, Fusion};

use crate::accusation::Shot;
use crate::see::road::Road;
use crate::see::track::Track;
use crate::see::{Nanos, SECOND};
use crate::source::Picture;

/// Before the line by this share of the vehicle's height counts as plainly before.
const BEFORE: f32 = 0.3;
/// Farther before the line than this, in heights, nothing is kept.
const FAR: f32 = 6.0;
/// Past the line by this share the picture past it is final.
const PAST: f32 = 1.0;
/// Boxes that cover each other by this share (IoU) are two sights of one vehicle.
const SAME: f32 = 0.7;

/// One vehicle's evidence so far.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub fusion: Fusion,
    pub decided: Vec<Rule>,
    pub before: Option<Shot>,
    pub on: Option<(Shot, Clock)>,
    pub past: Option<Shot>,
    /// The best look so far and how good it is.
    pub close_up: Option<(f32, Shot)>,
    /// Looks at the plate, with or without one found.
    pub looks: u32,
    /// When its plate was last looked for.
    pub looked: Option<Nanos>,
    past_is_final: bool,
    last: Option<(Nanos, f32, [f32; 2])>,
}

impl Candidate {
    pub const fn new(fusion: Fusion) -> Self {
        Self {
            fusion,
            decided: Vec::new(),
            before: None,
            on: None,
            past: None,
            close_up: None,
            looks: 0,
            looked: None,
            past_is_final: false,
            last: None,
        }
    }

    /// Whether it was seen within the last seconds.
    pub fn fresh(&self, now: Nanos) -> bool {
        self.last.is_some_and(|(t, ..)| now.saturating_sub(t) < 3 * SECOND)
    }

    /// Takes in a picture in which the vehicle was seen. While crossing is lawful (`tense` false)
    /// nothing is kept of vehicles before the line.
    /// `present` are the boxes of every vehicle in the picture.
    pub fn see(
        &mut self,
        track: &Track,
        road: &Road,
        picture: &Picture,
        tense: bool,
        present: &[BBox],
    ) {
        let bbox = track.last().bbox;
        let foot = bbox.foot();
        let beyond = road.stop.beyond(foot) / bbox.height().max(1.0);
        let shot = || shot(picture, bbox, None, present);
        let previous = self.last.replace((picture.t, beyond, foot));
        if beyond < 0.0 {
            // Coming back beside the line it has turned round, not gone back.
            if self.past.is_some() && self.past_is_final && road.beside_oncoming(foot) {
                return;
            }
            self.on = None;
            self.past = None;
            self.past_is_final = false;
            if !tense || beyond < -FAR {
                self.before = None;
                self.close_up = None;
                return;
            }
            if beyond <= -BEFORE || self.before.is_none() {
                self.before = Some(shot());
            }
            self.consider(bbox.area() * 1e-6, shot());
            return;
        }
        let Some((_, was, from)) = previous else { return };
        if was < 0.0 {
            self.on = self.before.is_some().then(|| (shot(), picture.clock.clone()));
        } else if self.on.is_some() && !self.past_is_final {
            self.past = Some(shot());
            self.past_is_final = beyond >= PAST || road.leaves(from, foot);
        }
    }

    /// Keeps a look if it is clearly better than the one kept. Looks with a plate count from 1 up,
    /// looks without below.
    pub fn consider(&mut self, quality: f32, shot: Shot) {
        if self.close_up.as_ref().is_none_or(|(best, _)| quality > best * 1.1) {
            self.close_up = Some((quality, shot));
        }
    }
}

/// `vehicle` in `picture`; `present` are the boxes of every vehicle in it.
pub fn shot(
    picture: &Picture,
    vehicle: BBox,
    plate: Option<[[f32; 2]; 4]>,
    present: &[BBox],
) -> Shot {
    let apart = |other: &&BBox| other.intersection(&vehicle) > 0.0 && other.iou(&vehicle) < SAME;
    Shot {
        frame: picture.frame.clone(),
        captured_at: picture.captured_at,
        vehicle,
        others: present.iter().filter(apart).copied().collect(),
        plate,
    }
}
