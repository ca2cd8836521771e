//! The agent's reader of lamps before synthetic heads of every kind, its answers held against the
//! truth. A wrong answer is the harm; an unknown one abstains.

use std::ops::Range;
use std::time::{Duration, Instant};

use contract::Movement;
use edge_agent::config::{self, LampLayout};
use edge_agent::see::lamp::LampReader;
use fixtures::lamps::{Kind, Light, Picture, Reader, Sequence, Tally, play};
use judge::lamp::{self, History};
use plate_model::{Frame, Layout, PixelFormat};

/// Most wrong and unknown answers, as shares of all.
pub const WRONG: f64 = 0.001;
pub const UNKNOWN: f64 = 0.05;

/// What came of one kind of heads.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub tally: Tally,
    /// Seed, wrong and unknown answers of every head that had some.
    pub faults: Vec<(u64, Tally)>,
    /// Time in the reader, and how often it looked.
    pub spent: Duration,
    pub looks: u32,
}

impl Outcome {
    pub fn add(&mut self, other: Self) {
        self.tally.add(&other.tally);
        self.faults.extend(other.faults);
        self.spent += other.spent;
        self.looks += other.looks;
    }

    /// Whether wrong and unknown answers stay under the bar.
    pub fn holds(&self) -> bool {
        let Tally { wrong, unknown, .. } = self.tally;
        self.tally.share(wrong) <= WRONG && self.tally.share(unknown) <= UNKNOWN
    }
}

/// Reads the heads of one kind with these seeds, on all processors.
pub fn read(kind: Kind, seeds: Range<u64>, questions: usize) -> Outcome {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = |first: usize| {
        let mut outcome = Outcome::default();
        for seed in seeds.clone().skip(first).step_by(threads) {
            let sequence = Sequence::new(kind, seed);
            let mut agent = Agent::new(&sequence);
            let tally = play(&sequence, &mut agent, questions);
            let fault = tally.wrong + tally.unknown > 0;
            outcome.add(Outcome {
                tally,
                faults: if fault { vec![(seed, tally)] } else { Vec::new() },
                spent: agent.spent,
                looks: agent.looks,
            });
        }
        outcome
    };
    let mut all = Outcome::default();
    std::thread::scope(|scope| {
        let part = &part;
        let running: Vec<_> = (0..threads).map(|i| scope.spawn(move || part(i))).collect();
        for thread in running {
            match thread.join() {
                Ok(outcome) => all.add(outcome),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    all.faults.sort_by_key(|(seed, _)| *seed);
    all
}

/// The agent's reader of one lamp, timed.
struct Agent {
    reader: LampReader,
    history: History,
    spent: Duration,
    looks: u32,
}

impl Agent {
    fn new(sequence: &Sequence) -> Self {
        let light = |light: &Light| match light {
            Light::Red => lamp::Light::Red,
            Light::Amber => lamp::Light::Amber,
            Light::Green => lamp::Light::Green,
        };
        let drawn = config::Lamp {
            name: sequence.kind.name().to_owned(),
            region: sequence.region,
            layout: if sequence.horizontal { LampLayout::Horizontal } else { LampLayout::Vertical },
            lights: sequence.lights.iter().map(light).collect(),
            arrows: false,
            controls: vec![Movement::Straight],
            wired: None,
        };
        Self {
            reader: LampReader::new(&drawn),
            history: History::default(),
            spent: Duration::ZERO,
            looks: 0,
        }
    }
}

impl Reader for Agent {
    fn look(&mut self, t: u64, picture: &Picture) {
        let layout = Layout::packed(PixelFormat::I420, picture.width as u32, picture.height as u32);
        let data = [&picture.y[..], &picture.u, &picture.v].concat();
        // Even sides without gaps are what the layout says; a picture of another size is not seen.
        let Ok(frame) = Frame::from_vec(layout, data) else { return };
        let started = Instant::now();
        self.history.push(t, self.reader.read(t, &frame.planes()));
        self.spent += started.elapsed();
        self.looks += 1;
    }

    fn shown(&self, t: u64) -> Option<Light> {
        self.history.at(t).map(|stretch| match stretch.light {
            lamp::Light::Red => Light::Red,
            lamp::Light::Amber => Light::Amber,
            lamp::Light::Green => Light::Green,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The short form of `make lamps`.
    #[test]
    fn lamps_of_every_kind_are_read_or_left_alone() {
        let mut all = Outcome::default();
        for kind in Kind::ALL {
            let outcome = read(kind, 1000..1010, 30);
            for (seed, tally) in &outcome.faults {
                println!("{} {seed}: {tally:?}", kind.name());
            }
            all.add(outcome);
        }
        assert!(all.tally.asked > 5000, "{:?}", all.tally);
        assert!(all.holds(), "{:?}", all.tally);
    }
}
