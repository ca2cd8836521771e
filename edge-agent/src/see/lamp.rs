//! What a traffic lamp shows in pictures. In one picture ([`glow`]) each light needs evidence of its
//! own: a spot in its place that outshines what is around it, with its hue in or about it. Where a
//! light's place is, and which of red and amber it is, is learned over time ([`place`]). What it has
//! shown is kept by [`judge::lamp`].

mod glow;
mod place;

use judge::lamp::{History, Lamp, Light, Reading};
use place::Head;
use plate_model::Planes;

use super::Nanos;
use crate::config;

/// Reads one lamp in one picture, without knowledge of others.
pub fn read(planes: &Planes<'_>, lamp: &config::Lamp) -> Reading {
    Head::new(lamp).read(0, &glow::spots(planes, lamp))
}

/// Reads one lamp from picture to picture, and learns it by doing so.
#[derive(Debug, Clone)]
pub struct LampReader {
    drawn: config::Lamp,
    head: Head,
}

impl LampReader {
    pub fn new(drawn: &config::Lamp) -> Self {
        Self { head: Head::new(drawn), drawn: drawn.clone() }
    }

    /// What the picture at `t` shows.
    pub fn read(&mut self, t: Nanos, planes: &Planes<'_>) -> Reading {
        self.head.read(t, &glow::spots(planes, &self.drawn))
    }
}

/// The lamp as nobody has looked at it yet.
pub fn unseen(drawn: &config::Lamp) -> Lamp {
    Lamp {
        name: drawn.name.clone(),
        controls: drawn.controls.clone(),
        arrow: drawn.lights.iter().all(|light| *light == Light::Green),
        red_arrow: drawn.arrows && drawn.lights.contains(&Light::Red),
        history: History::default(),
    }
}

#[cfg(test)]
mod tests;
