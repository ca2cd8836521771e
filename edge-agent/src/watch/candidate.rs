//! What is kept of a vehicle that may yet be accused: for every rule the pictures of the moments it
//! asks for, the best look at the vehicle, and its plate readings. A few frames a vehicle, shared
//! between rules and between vehicles of the same picture.

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
    /// A roll a rule, in the camera's order.
    rolls: Vec<Roll>,
    last: Option<Nanos>,
}

/// The pictures kept for one rule.
#[derive(Debug, Clone)]
struct Roll {
    act: Act,
    album: Album,
    shots: Vec<(MomentRole, Nanos, Shot, Clock)>,
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
            rolls: rules.iter().map(roll).collect(),
            last: None,
        }
    }

    /// Whether it was seen within the last seconds.
    pub fn fresh(&self, now: Nanos) -> bool {
        self.last.is_some_and(|t| now.saturating_sub(t) < 3 * SECOND)
    }

    /// The picture of a moment kept for the rule of `act`, and how its time is known.
    pub fn shot(&self, act: &Act, role: MomentRole) -> Option<(&Shot, &Clock)> {
        let roll = self.rolls.iter().find(|roll| roll.act == *act)?;
        let kept = roll.shots.iter().find(|(held, ..)| *held == role)?;
        Some((&kept.2, &kept.3))
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
            roll.shots.retain(|(role, t, ..)| album.time(*role) == Some(*t));
            for &(role, t) in album.held() {
                if t == picture.t {
                    let shot = if rule.longest() > LONG { kept(taken()) } else { taken() };
                    roll.shots.push((role, t, shot, picture.clock.clone()));
                }
            }
        }
        if self.rolls.iter().all(|roll| roll.shots.is_empty()) {
            self.close_up = None;
        } else if self.attention < Attention::Suspect {
            self.consider(bbox.area() * 1e-6, taken);
        }
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
pub fn kept(mut taken: Shot) -> Shot {
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
    let apart = |other: &&BBox| other.intersection(&vehicle) > 0.0 && other.iou(&vehicle) < SAME;
    Shot {
        pixels: Pixels::Frame(picture.frame.clone()),
        captured_at: picture.captured_at,
        vehicle,
        others: present.iter().filter(apart).copied().collect(),
        plate,
    }
}
