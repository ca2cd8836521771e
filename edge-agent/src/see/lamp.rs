//! What a traffic lamp shows. The lit light is told by *where* in the head it is bright and by
//! whether it glows in a warm or a green hue: a real red lamp, over-exposed, looks orange, so hue
//! alone would call it amber; the sun on a visor is bright but grey, so brightness alone would call
//! it lit.
//!
//! Over time ([`History`]) single frames do not count: LED lamps flicker against the shutter and
//! are dark in some frames without being off. A light is confirmed by a majority over a short
//! window and dated back to its first sight, so a judgement made a second later knows when red
//! really began.

use std::collections::VecDeque;

use contract::Movement;
use plate_model::Planes;

use super::{Nanos, seconds};
use crate::config::{self, LampLayout, Light};

/// Votes count this long.
const WINDOW: Nanos = seconds(0.6);
/// Without any lit frame for this long the lamp is unknown: off, hidden or out of the picture.
const DARK: Nanos = seconds(1.2);
/// History kept.
const KEPT: Nanos = seconds(90.0);
/// Least glow of a lit light, 0 to 1.
const LIT: f32 = 0.05;
/// How much a lit light must outshine the others.
const OUTSHINE: f32 = 1.8;

/// What one frame shows of one lamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    Lit(Light),
    /// No light glows.
    Dark,
    /// Two lights glow alike.
    Unclear,
}

/// Reads one lamp in a frame.
pub fn read(planes: &Planes<'_>, lamp: &config::Lamp) -> Reading {
    let glow = glows(planes, lamp);
    let mut best: Option<usize> = None;
    for (i, value) in glow.iter().enumerate() {
        if best.is_none_or(|b| *value > glow[b]) {
            best = Some(i);
        }
    }
    let Some(best) = best.filter(|&b| glow[b] >= LIT) else { return Reading::Dark };
    let second = glow.iter().enumerate().filter(|(i, _)| *i != best).map(|(_, g)| *g);
    if second.fold(0.0, f32::max) * OUTSHINE > glow[best] {
        return Reading::Unclear;
    }
    Reading::Lit(lamp.lights[best])
}

/// Glow of each light of a lamp in its own hue, 0 to 1.
pub fn glows(planes: &Planes<'_>, lamp: &config::Lamp) -> Vec<f32> {
    let (w, h) = (planes.width() as f32, planes.height() as f32);
    let [x, y, width, height] = lamp.region;
    let count = lamp.lights.len() as f32;
    lamp.lights
        .iter()
        .enumerate()
        .map(|(i, light)| {
            let (from, to) = (i as f32 / count, (i + 1) as f32 / count);
            let (x1, x2, y1, y2) = match lamp.layout {
                LampLayout::Vertical => (x, x + width, y + from * height, y + to * height),
                LampLayout::Horizontal => (x + from * width, x + to * width, y, y + height),
            };
            cell_glow(planes, [x1 * w, y1 * h, x2 * w, y2 * h], *light)
        })
        .collect()
}

/// Mean over a cell of how strongly each pixel shines in the light's hue.
fn cell_glow(planes: &Planes<'_>, [x1, y1, x2, y2]: [f32; 4], light: Light) -> f32 {
    // Chroma samples cover two by two pixels; a cell is at least one of them.
    let column = |x: f32| (x / 2.0).round().max(0.0) as usize;
    let (cx1, cy1) = (column(x1), column(y1));
    let (cx2, cy2) = (column(x2).max(cx1 + 1), column(y2).max(cy1 + 1));
    let rows = planes.luma().rows();
    let (mut sum, mut count) = (0.0, 0u32);
    for cy in cy1..cy2.min(rows / 2) {
        let luma = [planes.luma().row(2 * cy), planes.luma().row(2 * cy + 1)];
        for cx in cx1..cx2.min(luma[0].len() / 2) {
            let brightest = luma
                .iter()
                .flat_map(|row| [row[2 * cx], row[2 * cx + 1]])
                .max()
                .unwrap_or_default();
            let [_, red] = planes.chroma().at(cx, cy);
            sum += shine(brightest, red, light);
            count += 1;
        }
    }
    if count == 0 { 0.0 } else { sum / count as f32 }
}

/// One pixel: on the warm or the green side of grey, and bright in that colour. Luma alone would
/// miss a deep red, which is dark to the eye and full to the sensor.
fn shine(luma: u8, red: u8, light: Light) -> f32 {
    let warmth = f32::from(red) - 128.0;
    let grey = 1.16 * (f32::from(luma) - 16.0);
    let (hue, channel) = match light {
        Light::Red | Light::Amber => (warmth, grey + 1.7 * warmth),
        Light::Green => (-warmth, grey - 0.6 * warmth),
    };
    let bright = ((channel - 70.0) / 110.0).clamp(0.0, 1.0);
    ((hue - 10.0) / 40.0).clamp(0.0, 1.0) * bright
}

/// A stretch of time with one light confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub light: Light,
    /// First frame that showed it.
    pub from: Nanos,
    /// Last frame that showed it.
    pub to: Nanos,
    /// Sight ended here: the light is not known to have lasted a moment longer.
    pub severed: bool,
}

/// What one lamp has shown.
#[derive(Debug, Clone, Default)]
pub struct History {
    recent: VecDeque<(Nanos, Reading)>,
    stretches: VecDeque<Stretch>,
}

impl History {
    /// Takes in the reading of the frame at `t`.
    pub fn push(&mut self, t: Nanos, reading: Reading) {
        self.recent.push_back((t, reading));
        // At low frame rates the window is three frames instead.
        while self.recent.len() > 3
            && self.recent.front().is_some_and(|(first, _)| t.saturating_sub(*first) > WINDOW)
        {
            self.recent.pop_front();
        }
        while self.stretches.front().is_some_and(|s| t.saturating_sub(s.to) > KEPT) {
            self.stretches.pop_front();
        }
        let Some((light, from)) = self.majority() else { return };
        let last_seen = self.last_sight(light).unwrap_or(t);
        match self.stretches.back_mut() {
            Some(current)
                if current.light == light
                    && !current.severed
                    && from.saturating_sub(current.to) <= DARK =>
            {
                current.to = last_seen;
            }
            _ => {
                let stretch = Stretch { light, from, to: last_seen, severed: false };
                self.stretches.push_back(stretch);
            }
        }
    }

    /// Nothing after `t` was truly seen: what is known ends there, and what comes is dated anew.
    pub fn sever(&mut self, t: Nanos) {
        self.recent.clear();
        while self.stretches.back().is_some_and(|stretch| stretch.from > t) {
            self.stretches.pop_back();
        }
        if let Some(last) = self.stretches.back_mut() {
            last.to = last.to.min(t);
            last.severed = true;
        }
    }

    /// The light with a clear majority in the window, and its first sight there.
    fn majority(&self) -> Option<(Light, Nanos)> {
        let votes = |light| {
            self.recent.iter().filter(|(_, reading)| *reading == Reading::Lit(light)).count()
        };
        let all = [Light::Red, Light::Amber, Light::Green];
        let lit: usize = all.iter().map(|&light| votes(light)).sum();
        let unclear = self.recent.iter().filter(|(_, r)| *r == Reading::Unclear).count();
        let light = all.into_iter().max_by_key(|&light| votes(light))?;
        let count = votes(light);
        if count < 2 || count * 3 < (lit + unclear) * 2 {
            return None;
        }
        let first = self.recent.iter().find(|(_, r)| *r == Reading::Lit(light))?;
        Some((light, first.0))
    }

    fn last_sight(&self, light: Light) -> Option<Nanos> {
        self.recent.iter().rev().find(|(_, r)| *r == Reading::Lit(light)).map(|(t, _)| *t)
    }

    /// The stretch that covers `t`, reaching `slack` past its last sight.
    fn covering(&self, t: Nanos, slack: Nanos) -> Option<&Stretch> {
        let reach = |s: &Stretch| if s.severed { s.to } else { s.to + slack };
        self.stretches.iter().rev().find(|s| s.from <= t && t <= reach(s))
    }

    /// The light shown at `t`, none where nothing can be told.
    pub fn at(&self, t: Nanos) -> Option<Stretch> {
        self.covering(t, 0).or_else(|| self.covering(t, WINDOW)).copied()
    }

    /// Whether any confirmed stretch of `light` touches the time from `from` to `to`.
    pub fn showed(&self, light: Light, from: Nanos, to: Nanos) -> bool {
        self.stretches.iter().any(|s| s.light == light && s.from <= to && from <= s.to)
    }
}

/// A lamp, the movements it governs and what it has shown.
#[derive(Debug, Clone)]
pub struct Lamp {
    pub name: String,
    pub controls: Vec<Movement>,
    /// A head of green lights only: lit it allows, dark it says nothing.
    pub arrow: bool,
    pub history: History,
}

impl Lamp {
    pub fn new(lamp: &config::Lamp) -> Self {
        Self {
            name: lamp.name.clone(),
            controls: lamp.controls.clone(),
            arrow: lamp.lights.iter().all(|light| *light == Light::Green),
            history: History::default(),
        }
    }
}

#[cfg(test)]
mod tests;
