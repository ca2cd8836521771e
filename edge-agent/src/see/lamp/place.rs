//! Which light of a head shines, from the place and the hue of what shines and from what was seen
//! before. Three things are learned while watching. *Levels*: a sunlit lens or a sign behind the
//! head shines always, a light that is lit outshines its own dark self. *Places*: a region drawn
//! beside its head, or too wide, is put right by lights that were told for certain. *Patience*:
//! where neither place nor hue tells red from amber, time does, as no amber stays lit so long.

use super::Reading;
use super::glow::{Glow, Spot};
use judge::lamp::Light;

use crate::config;
use crate::see::{Nanos, SECOND, seconds};

/// A light is lit above its dark level by this share of it and this strength.
const ABOVE: f32 = 0.25;
const LIT: f32 = 0.03;
/// Least strength of a light whose dark level was never seen.
const STRONG: f32 = 0.15;
/// How much one light must outshine another that cannot be lit with it.
const OUTSHINE: f32 = 1.9;
/// The same where their dark levels are not known yet: a red is dimmer than a green of its size.
const OUTSHINE_UNKNOWN: f32 = 2.5;
/// A spot farther from a light's place than this, in lights, is not that light.
const FAR: f32 = 0.55;
/// The same across the head, in widths, before and after a light was told for certain.
const BESIDE: f32 = 0.45;
const IN_LINE: f32 = 0.25;
/// How far from where it was drawn a light may be.
const ASTRAY: f32 = 0.8;
/// Square of the distance at which a light is where it was drawn.
const IN_PLACE: f32 = 0.04;
/// How surely places are known as drawn, and once seen, in lights.
const DRAWN: f32 = 0.3;
const SEEN: f32 = 0.2;
/// Green over red that is neither red's nor amber's, and how fast it becomes either.
const BETWEEN: f32 = 0.52;
const TURN: f32 = 0.06;
/// What hue may say at most, and what place and hue must say together: logarithms of odds.
const HUE: f32 = 2.5;
const SURE: f32 = 2.0;
/// Longer than any amber light stays lit.
const NO_AMBER: Nanos = seconds(6.0);
/// A gap that ends a steady light: half a flash is longer, a pulse's is not.
const GAP: Nanos = seconds(0.3);
/// A light that stays in its place moves less than this, in lights.
const STEADY: f32 = 0.3;
/// Least strength of a light from which places are learned.
const PLAIN: f32 = 0.1;
/// Share of one light's error of place that another is thought to have.
const ALIKE: f32 = 0.4;
/// Share of a new sighting in a known place.
const LEARN: f32 = 0.05;
/// Levels follow what goes beyond them within this time, and forget within that.
const FOLLOW: f32 = 1.0;
const FORGET: f32 = 600.0;

/// One head's lights and what was learned of them.
#[derive(Debug, Clone)]
pub struct Head {
    lights: Vec<Known>,
    /// Where the line of lights was seen, across the head in widths.
    line: Option<f32>,
    /// The warm light that is lit now without a gap.
    steady: Option<Steady>,
    last: Option<Nanos>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    light: Light,
    /// Where it was drawn and where it was seen, along the head in lights.
    drawn: f32,
    seen: Option<f32>,
    /// Strengths between which it was seen.
    dark: f32,
    bright: f32,
}

#[derive(Debug, Clone, Copy)]
struct Steady {
    from: Nanos,
    last: Nanos,
    along: f32,
}

impl Known {
    /// Whether `strength` is above its dark level.
    fn above(&self, strength: f32) -> bool {
        strength > (1.0 + ABOVE) * self.dark + LIT
    }

    /// Whether it was seen both lit and dark.
    fn proven(&self) -> bool {
        self.above(self.bright)
    }

    fn follow(&mut self, strength: f32, passed: f32) {
        let share = |beyond: bool| (passed / if beyond { FOLLOW } else { FORGET }).min(1.0);
        self.dark += (strength - self.dark) * share(strength < self.dark);
        self.bright += (strength - self.bright) * share(strength > self.bright);
    }
}

impl Head {
    pub fn new(lamp: &config::Lamp) -> Self {
        let known = |(i, light): (usize, &Light)| Known {
            light: *light,
            drawn: i as f32 + 0.5,
            seen: None,
            dark: 0.0,
            bright: 0.0,
        };
        Self {
            lights: lamp.lights.iter().enumerate().map(known).collect(),
            line: None,
            steady: None,
            last: None,
        }
    }

    /// What the spots of the picture at `t` say.
    pub fn read(&mut self, t: Nanos, glow: &Glow) -> Reading {
        let spots: Vec<Option<Spot>> = (0..self.lights.len()).map(|i| self.spot(i, glow)).collect();
        let strength = |i: usize| spots[i].map_or(0.0, |spot| spot.strength);
        match self.last {
            None => {
                for (i, known) in self.lights.iter_mut().enumerate() {
                    (known.dark, known.bright) = (strength(i), strength(i));
                }
            }
            Some(last) => {
                let passed = t.saturating_sub(last) as f32 / SECOND as f32;
                for (i, known) in self.lights.iter_mut().enumerate() {
                    known.follow(strength(i), passed);
                }
            }
        }
        self.last = Some(t);
        let Some(best) = self.brightest(&spots) else { return Reading::Dark };
        let Lit::One { index, certain } = best else { return Reading::Unclear };
        let Some(spot) = spots[index] else { return Reading::Dark };
        let Some((index, sure)) = self.decide(t, index, spot) else { return Reading::Unclear };
        if certain || sure {
            self.learn(index, &spot);
        }
        Reading::Lit(self.lights[index].light)
    }

    /// The strongest spot that may be the light.
    fn spot(&self, index: usize, glow: &Glow) -> Option<Spot> {
        let place = self.place(index);
        let spots = if self.lights[index].light == Light::Green { &glow.green } else { &glow.warm };
        let in_line = |spot: &Spot| match self.line {
            Some(line) => (spot.across - line).abs() <= IN_LINE,
            None => (spot.across - 0.5).abs() <= BESIDE,
        };
        let near = spots.iter().filter(|spot| (spot.along - place).abs() <= FAR && in_line(spot));
        near.max_by(|a, b| a.strength.total_cmp(&b.strength)).copied()
    }

    /// Which light outshines the others and its own dark self; none where nothing is lit.
    fn brightest(&self, spots: &[Option<Spot>]) -> Option<Lit> {
        let strength = |i: usize| spots[i].map_or(0.0, |spot| spot.strength);
        let lights = || self.lights.iter().enumerate();
        // By how much each is above its dark level; of those whose dark level is not known, all.
        let above = |(i, known): (usize, &Known)| {
            known.above(strength(i)).then(|| (i, strength(i) - known.dark))
        };
        let fresh = |(i, known): (usize, &Known)| {
            (!known.proven() && strength(i) >= STRONG).then(|| (i, strength(i)))
        };
        let most = |a: &(usize, f32), b: &(usize, f32)| a.1.total_cmp(&b.1);
        let lit: Vec<(usize, f32)> = lights().filter_map(above).collect();
        let new: Vec<(usize, f32)> = lights().filter_map(fresh).collect();
        let strange = new.iter().copied().max_by(most);
        let best = lit.iter().copied().max_by(most);
        if let Some(strange) = strange.filter(|s| best.is_none_or(|b| s.1 > OUTSHINE * b.1)) {
            // Where another was seen as bright as this and dark again, this is no light.
            let seen = |known: &Known| known.proven() && known.bright * OUTSHINE > strange.1;
            if !self.lights.iter().any(seen) {
                return Some(self.alone(strange, &new, spots, false));
            }
        }
        Some(self.alone(best?, &lit, spots, true))
    }

    /// The best of several, unless another shines as well.
    fn alone(
        &self,
        best: (usize, f32),
        all: &[(usize, f32)],
        spots: &[Option<Spot>],
        certain: bool,
    ) -> Lit {
        let mut index = best.0;
        let by = if certain { OUTSHINE } else { OUTSHINE_UNKNOWN };
        for &(i, value) in all.iter().filter(|(i, _)| *i != best.0) {
            if spots[i] == spots[index] {
                continue;
            }
            let pair = [self.lights[index].light, self.lights[i].light];
            // A red countdown stands where amber would be.
            let amber = pair.iter().position(|light| *light == Light::Amber);
            if let (Some(at), true) = (amber, pair.contains(&Light::Red)) {
                let (amber, red) = if at == 0 { (index, i) } else { (i, index) };
                if spots[amber].and_then(|spot| spot.tone).is_some_and(|tone| tone < BETWEEN) {
                    index = red;
                    continue;
                }
            }
            if value * by > best.1 {
                return Lit::Several;
            }
        }
        Lit::One { index, certain }
    }

    /// Red or amber, where the brightest is warm and the head has both; with whether this is sure
    /// enough to learn from. None where place and hue do not agree.
    fn decide(&mut self, t: Nanos, index: usize, spot: Spot) -> Option<(usize, bool)> {
        let find = |light| self.lights.iter().position(|known| known.light == light);
        if self.lights[index].light == Light::Green {
            return Some((index, false));
        }
        let (Some(red), Some(amber)) = (find(Light::Red), find(Light::Amber)) else {
            return Some((index, false));
        };
        if self.steady(t, spot.along) && (spot.along - self.lights[red].drawn).abs() < ASTRAY {
            return Some((red, true));
        }
        let known = self.lights[red].seen.is_some();
        let sigma = if known { SEEN } else { DRAWN };
        let off = |i: usize| (spot.along - self.place(i)).powi(2);
        let place = ((off(amber) - off(red)) / (2.0 * sigma * sigma)).clamp(-2.0 * HUE, 2.0 * HUE);
        let hue = spot.tone.map_or(0.0, |tone| ((BETWEEN - tone) / TURN).clamp(-HUE, HUE));
        let odds = place + hue;
        if odds > SURE {
            // The hue of a red that is too bright is amber's, then only a plain place tells it.
            (known || hue > -SURE || off(red) < IN_PLACE).then_some((red, false))
        } else if odds < -SURE {
            (hue < SURE).then_some((amber, false))
        } else {
            None
        }
    }

    /// Whether a warm light has been lit in one place for longer than amber ever is.
    fn steady(&mut self, t: Nanos, along: f32) -> bool {
        match &mut self.steady {
            Some(steady)
                if t.saturating_sub(steady.last) <= GAP
                    && (along - steady.along).abs() < STEADY =>
            {
                steady.last = t;
                steady.along += 0.1 * (along - steady.along);
                t - steady.from > NO_AMBER
            }
            _ => {
                self.steady = Some(Steady { from: t, last: t, along });
                false
            }
        }
    }

    /// Where a light is: as it was seen, as others were, or as it was drawn.
    fn place(&self, index: usize) -> f32 {
        let light = &self.lights[index];
        if let Some(along) = light.seen {
            return along;
        }
        let mut known = self.lights.iter().filter_map(|l| Some((l.drawn, l.seen?)));
        match (known.next(), known.next_back()) {
            (Some((i, a)), Some((j, b))) => a + (b - a) * (light.drawn - i) / (j - i),
            // Drawn beside or drawn too wide: one light alone does not tell which.
            (Some((i, a)), None) => light.drawn + ALIKE * (a - i),
            _ => light.drawn,
        }
    }

    fn learn(&mut self, index: usize, spot: &Spot) {
        let known = &mut self.lights[index];
        if (spot.along - known.drawn).abs() < ASTRAY && spot.strength >= PLAIN {
            let near = |seen: Option<f32>, new: f32| seen.map_or(new, |s| s + LEARN * (new - s));
            known.seen = Some(near(known.seen, spot.along));
            self.line = Some(near(self.line, spot.across));
        }
    }
}

/// What of a head is lit.
enum Lit {
    /// This light; certain where it was seen darker.
    One {
        index: usize,
        certain: bool,
    },
    Several,
}
