//! What is kept of a vehicle that may yet be accused: for every rule the pictures of the moments it
//! asks for, the best look at the vehicle, and its plate readings. A few frames a vehicle, shared
//! between rules and between vehicles of the same picture.

use std::collections::VecDeque;
use std::sync::Arc;

use contract::manifest::Clock;
use contract::{Act, MomentRole};
use judge::track::Looked;
use judge::{Album, Attention, Rule, Scene};
use plate_model::{BBox, Fusion};

use crate::accusation::{Pixels, Shot};
use crate::evidence::frames;
use crate::see::track::Track;
use crate::see::{Nanos, SECOND};
use crate::source::Picture;

/// Boxes that cover each other by this share (IoU) are two sights of one vehicle.
const SAME: f32 = 0.7;

/// Acts that take longer than this have their pictures compressed: frames are a decoder's memory.
const LONG: Nanos = 45 * SECOND;

/// Places kept of a vehicle: longer than from where a plate is legible to the end of a clip.
const PLACES: usize = 100;

/// Where a vehicle was in one picture, pixels.
#[derive(Debug, Clone)]
pub struct Place {
    pub t: Nanos,
    pub vehicle: BBox,
    /// Other vehicles that reach into its box.
    pub others: Vec<BBox>,
}

/// One vehicle's evidence so far.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub fusion: Fusion,
    /// Acts of which it is known whether they were done.
    pub decided: Vec<Act>,
    /// How much it matters just now, to any rule.
    pub attention: Attention,
    /// The best look so far and how good it is.
    pub close_up: Option<(f32, Shot)>,
    /// Looks at the plate, with or without one found; no more than their budget.
    pub looks: Vec<Looked>,
    /// Where it was lately, if its plate is to be looked for later.
    pub places: VecDeque<Place>,
    /// A roll a rule, in the camera's order.
    rolls: Vec<Roll>,
    last: Option<Nanos>,
}

/// The picture of a moment, and how its time is known.
#[derive(Debug, Clone)]
pub struct Kept {
    pub role: MomentRole,
    pub t: Nanos,
    pub shot: Shot,
    pub clock: Clock,
}

/// The pictures kept for one rule.
#[derive(Debug, Clone)]
struct Roll {
    act: Act,
    album: Album,
    shots: Vec<Kept>,
}

impl Candidate {
    pub fn new(fusion: Fusion, rules: &[Arc<dyn Rule>]) -> Self {
        let roll = |rule: &Arc<dyn Rule>| Roll {
            act: rule.act(),
            album: Album::default(),
            shots: Vec::new(),
        };
        Self {
            fusion,
            decided: Vec::new(),
            attention: Attention::Idle,
            close_up: None,
            looks: Vec::new(),
            places: VecDeque::new(),
            rolls: rules.iter().map(roll).collect(),
            last: None,
        }
    }

    /// Whether it was seen within the last seconds.
    pub fn fresh(&self, now: Nanos) -> bool {
        self.last.is_some_and(|t| now.saturating_sub(t) < 3 * SECOND)
    }

    /// The time of the earliest picture kept.
    pub fn since(&self) -> Option<Nanos> {
        self.rolls.iter().flat_map(|roll| &roll.shots).map(|kept| kept.t).min()
    }

    /// The picture of a moment kept for the rule of `act`.
    pub fn shot(&self, act: &Act, role: MomentRole) -> Option<&Kept> {
        let roll = self.rolls.iter().find(|roll| roll.act == *act)?;
        roll.shots.iter().find(|kept| kept.role == role)
    }

    /// Takes in a picture in which the vehicle was seen; `present` are the boxes of every vehicle
    /// in it.
    pub fn see(
        &mut self,
        track: &Track,
        scene: &Scene<'_>,
        rules: &[Arc<dyn Rule>],
        picture: &Picture,
        present: &[BBox],
    ) {
        self.last = Some(picture.t);
        self.attention = Attention::Idle;
        let bbox = track.last().bbox;
        let taken = || shot(picture, bbox, None, present);
        for (rule, roll) in rules.iter().zip(&mut self.rolls) {
            self.attention = self.attention.max(rule.attend(track, scene, &mut roll.album));
            let album = &roll.album;
            roll.shots.retain(|kept| album.time(kept.role) == Some(kept.t));
            for &(role, t) in album.held() {
                if t == picture.t {
                    let shot = if rule.longest() > LONG { compressed(taken()) } else { taken() };
                    roll.shots.push(Kept { role, t, shot, clock: picture.clock.clone() });
                }
            }
        }
        if self.rolls.iter().all(|roll| roll.shots.is_empty()) {
            self.close_up = None;
        } else if self.attention < Attention::Suspect {
            self.consider(bbox.area() * 1e-6, taken);
        }
    }

    /// Takes note of where it is at `t`.
    pub fn place(&mut self, t: Nanos, vehicle: BBox, present: &[BBox]) {
        if self.places.len() == PLACES {
            self.places.pop_front();
        }
        self.places.push_back(Place { t, vehicle, others: reaching_into(&vehicle, present) });
    }

    /// Keeps a look if it is clearly better than the one kept. Looks with a plate count from 1 up,
    /// looks without below.
    pub fn consider(&mut self, quality: f32, shot: impl FnOnce() -> Shot) {
        if self.close_up.as_ref().is_none_or(|(best, _)| quality > best * 1.1) {
            self.close_up = Some((quality, shot()));
        }
    }
}

/// The shot with its picture compressed, where that succeeds: to be kept for long.
pub fn compressed(mut taken: Shot) -> Shot {
    if let Pixels::Frame(frame) = &taken.pixels
        && let Ok(pixels) = frames::compressed(frame)
    {
        taken.pixels = pixels;
    }
    taken
}

/// `vehicle` in `picture`; `present` are the boxes of every vehicle in it.
pub fn shot(
    picture: &Picture,
    vehicle: BBox,
    plate: Option<[[f32; 2]; 4]>,
    present: &[BBox],
) -> Shot {
    Shot {
        pixels: Pixels::Frame(picture.frame.clone()),
        captured_at: picture.captured_at,
        vehicle,
        others: reaching_into(&vehicle, present),
        plate,
    }
}

/// Those of `present` that reach into the box of `vehicle` and are not itself.
fn reaching_into(vehicle: &BBox, present: &[BBox]) -> Vec<BBox> {
    let apart = |other: &&BBox| other.intersection(vehicle) > 0.0 && other.iou(vehicle) < SAME;
    present.iter().filter(apart).copied().collect()
}
