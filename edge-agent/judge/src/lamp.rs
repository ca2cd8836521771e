//! What a traffic lamp showed over time. Single pictures do not count: LED lamps flicker against the
//! shutter and are dark in some pictures without being off. A light is confirmed by a majority over
//! a short window and dated back to its first sight, so a judgement made a second later knows when
//! red really began.

use std::collections::VecDeque;

use contract::Movement;
use serde::{Deserialize, Serialize};

use crate::time::{Nanos, seconds};

/// Votes count this long.
const WINDOW: Nanos = seconds(0.6);
/// Without any lit frame for this long the lamp is unknown: off, hidden or out of the picture.
const DARK: Nanos = seconds(1.2);
/// No signal shows amber longer, and none red or green for so short a time.
const LONGEST_AMBER: Nanos = seconds(6.0);
const SHORTEST: Nanos = seconds(2.0);
/// History kept.
const KEPT: Nanos = seconds(90.0);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    Red,
    Amber,
    Green,
}

/// What one frame shows of one lamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    Lit(Light),
    /// No light glows.
    Dark,
    /// Two lights shine alike, or place and hue do not agree.
    Unclear,
}

/// A stretch of time with one light confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    pub light: Light,
    /// First frame that showed it.
    pub from: Nanos,
    /// Last frame that showed it.
    pub to: Nanos,
    /// Sight ended here: the light is not known to have lasted a moment longer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub severed: bool,
}

/// What one lamp has shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// When it was last looked at.
    newest: Nanos,
    stretches: VecDeque<Stretch>,
    /// Readings that may yet make or end a stretch.
    #[serde(skip)]
    recent: VecDeque<(Nanos, Reading)>,
}

impl History {
    /// What is known, in the order of time.
    pub fn stretches(&self) -> impl Iterator<Item = &Stretch> {
        self.stretches.iter()
    }

    /// Takes in the reading of the frame at `t`.
    pub fn push(&mut self, t: Nanos, reading: Reading) {
        self.newest = t;
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
        self.newest = 0;
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

    /// The stretch that covers `t`. Between two pulses or two lights the last one seen goes on for a
    /// moment; a light not seen again since is not vouched for.
    fn covering(&self, t: Nanos) -> Option<usize> {
        let within = |slack| {
            let reach = move |s: &Stretch| if s.severed { s.to } else { s.to + slack };
            self.stretches.iter().rposition(move |s| s.from <= t && t <= reach(s))
        };
        let newest = self.newest;
        let goes_on = |index: &usize| {
            let to = self.stretches[*index].to;
            let next = self.stretches.get(index + 1);
            newest.saturating_sub(to) <= WINDOW || next.is_some_and(|next| next.from <= to + WINDOW)
        };
        within(0).or_else(|| within(WINDOW).filter(goes_on))
    }

    /// The light shown at `t`, none where nothing can be told, or where what was told is not what
    /// signals do.
    pub fn at(&self, t: Nanos) -> Option<Stretch> {
        let index = self.covering(t)?;
        self.plausible(index, t).then(|| self.stretches[index])
    }

    /// Whether a signal can have shown this: amber comes after green and not for long, and where a
    /// head has an amber light that works, red comes after it. A light that comes and goes again at
    /// once is none.
    fn plausible(&self, index: usize, t: Nanos) -> bool {
        let stretch = &self.stretches[index];
        let lasted = stretch.to.saturating_sub(stretch.from);
        let beside = |a: &Stretch, b: &Stretch| !a.severed && b.from.saturating_sub(a.to) <= DARK;
        let before = index.checked_sub(1).map(|i| &self.stretches[i]);
        let before = before.filter(|before| beside(before, stretch)).map(|before| before.light);
        let after = self.stretches.get(index + 1).is_some_and(|after| beside(stretch, after));
        match stretch.light {
            Light::Amber => lasted <= LONGEST_AMBER && before != Some(Light::Red),
            _ if before.is_some() && after && lasted < SHORTEST => false,
            Light::Red if before == Some(Light::Green) && self.has_shown_amber(index) => {
                t >= stretch.from + LONGEST_AMBER
            }
            _ => true,
        }
    }

    /// Whether amber was seen between green and red earlier.
    fn has_shown_amber(&self, index: usize) -> bool {
        let lights = |i: usize| self.stretches.get(i).map(|stretch| stretch.light);
        let amber = |i: usize| lights(i) == Some(Light::Amber);
        (1..index).any(|i| {
            amber(i) && lights(i - 1) == Some(Light::Green) && lights(i + 1) == Some(Light::Red)
        })
    }

    /// The amber shown at `t` where it came after green and red came after it: amber that flashes
    /// through the night, or that is not seen to its end, is none of these.
    pub fn amber_before_red(&self, t: Nanos) -> Option<Stretch> {
        let index = self.covering(t).filter(|&index| self.plausible(index, t))?;
        let stretch = self.stretches[index];
        let next_to = |a: &Stretch, b: &Stretch| !a.severed && b.from.saturating_sub(a.to) <= DARK;
        let before = self.stretches.get(index.checked_sub(1)?)?;
        let after = self.stretches.get(index + 1)?;
        let between = before.light == Light::Green
            && next_to(before, &stretch)
            && after.light == Light::Red
            && next_to(&stretch, after);
        (stretch.light == Light::Amber && between).then_some(stretch)
    }

    /// Whether any confirmed stretch of `light` touches the time from `from` to `to`.
    pub fn showed(&self, light: Light, from: Nanos, to: Nanos) -> bool {
        self.stretches.iter().any(|s| s.light == light && s.from <= to && from <= s.to)
    }
}

/// A lamp, the movements it governs and what it has shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lamp {
    pub name: String,
    pub controls: Vec<Movement>,
    /// Its lights are green arrows: lit it says its word, dark it says nothing.
    pub arrow: bool,
    /// Its lights are arrows, a red one among them: it alone decides its movements, whatever the
    /// round heads show (QCVN 41:2024 Điều 6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub red_arrow: bool,
    pub history: History,
}

#[cfg(test)]
mod tests;
