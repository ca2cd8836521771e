//! Whether the camera still sees. A frozen sensor, or a recorder that repeats its last picture,
//! goes on sending pictures with times that run on: vehicles seem to stand, a lamp seems to stay.
//! A living sensor has noise and a street has movement; where nothing but the encoder's own work
//! changes the picture, nothing is seen.
//!
//! A repeated picture is not repeated bit for bit: the encoder refines it, and makes it anew as a
//! key picture. Both change many pixels a little and none much.

use plate_model::Planes;

use super::{Nanos, seconds};

/// Every so many columns and rows one pixel is compared.
const COLUMNS: usize = 4;
const ROWS: usize = 8;
/// A change of luma by this much is more than an encoder's refinement, and by this much more than
/// its making a picture anew.
const REFINED: u8 = 3;
const REMADE: u8 = 8;
/// Most pixels that such work changes by more. Of the quietest real junction, by night and strongly
/// compressed, more than twice as many change in 99 of 100 pictures.
const FEW_REFINED: f32 = 0.001;
const FEW_REMADE: f32 = 0.0003;
/// Repeated for this long it is no quiet moment any more. Shorter than what an accusation waits for
/// before it leaves.
const LONG: Nanos = seconds(0.8);
/// Shorter than this any street may be quiet.
const MOMENT: Nanos = seconds(0.3);
/// So many moving pictures in a row, or one in so many, and the camera sees.
const AWAKE: u32 = 3;
const ONE_IN: u32 = 4;

/// How a picture differs from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Repeated,
    Remade,
    Moved,
}

/// A stretch in which pictures repeat each other.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// The picture that is repeated.
    from: Nanos,
    /// The last repetition.
    to: Nanos,
    pictures: u32,
    repeated: u32,
    moved: u32,
    moved_in_a_row: u32,
}

/// Watches one camera's pictures.
#[derive(Debug, Default)]
pub struct Stillness {
    before: Vec<u8>,
    last: Nanos,
    stretch: Option<Stretch>,
}

impl Stillness {
    /// Takes in the picture at `t`; gives the time since which pictures only repeat each other,
    /// while they do.
    pub fn look(&mut self, t: Nanos, planes: &Planes<'_>) -> Option<Nanos> {
        let sampled = sample(planes);
        let change = change(&self.before, &sampled);
        self.before = sampled;
        let last = std::mem::replace(&mut self.last, t);
        match change {
            Some(change) => self.step(last, t, change),
            None => self.stretch = None,
        }
        let frozen = |stretch: &Stretch| {
            stretch.to - stretch.from >= LONG && 2 * stretch.repeated >= stretch.pictures
        };
        self.stretch.filter(frozen).map(|stretch| stretch.from)
    }

    /// The picture that the latest only repeat, where that has lasted for more than a moment.
    pub fn since(&self) -> Option<Nanos> {
        self.stretch.filter(|stretch| stretch.to - stretch.from >= MOMENT).map(|s| s.from)
    }

    fn step(&mut self, last: Nanos, t: Nanos, change: Change) {
        let Some(stretch) = &mut self.stretch else {
            if change != Change::Moved {
                self.stretch = Some(Stretch {
                    from: last,
                    to: t,
                    pictures: 1,
                    repeated: u32::from(change == Change::Repeated),
                    moved: 0,
                    moved_in_a_row: 0,
                });
            }
            return;
        };
        stretch.pictures += 1;
        if change != Change::Moved {
            stretch.to = t;
            stretch.moved_in_a_row = 0;
            stretch.repeated += u32::from(change == Change::Repeated);
            return;
        }
        stretch.moved += 1;
        stretch.moved_in_a_row += 1;
        // A slow sensor's pictures are sent several times each: between them the street moves.
        if stretch.moved_in_a_row >= AWAKE || stretch.moved * ONE_IN > stretch.pictures {
            self.stretch = None;
        }
    }
}

fn sample(planes: &Planes<'_>) -> Vec<u8> {
    let luma = planes.luma();
    let rows = (0..luma.rows()).step_by(ROWS);
    rows.flat_map(|y| luma.row(y).iter().step_by(COLUMNS).copied()).collect()
}

/// None where the two are of different sizes.
fn change(before: &[u8], now: &[u8]) -> Option<Change> {
    if before.len() != now.len() || now.is_empty() {
        return None;
    }
    let (mut refined, mut remade) = (0u32, 0u32);
    for (a, b) in before.iter().zip(now) {
        let by = a.abs_diff(*b);
        refined += u32::from(by >= REFINED);
        remade += u32::from(by >= REMADE);
    }
    let share = |count: u32| count as f32 / now.len() as f32;
    Some(if share(refined) < FEW_REFINED {
        Change::Repeated
    } else if share(remade) < FEW_REMADE {
        Change::Remade
    } else {
        Change::Moved
    })
}

#[cfg(test)]
mod tests {
    use plate_model::{Frame, Layout, PixelFormat};
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::see::SECOND;

    const SIDE: u32 = 320;

    /// A street with sensor noise of `noise` levels; a vehicle at `x`.
    fn picture(seed: u64, noise: u8, x: usize) -> Frame {
        let mut random = StdRng::seed_from_u64(seed);
        let layout = Layout::packed(PixelFormat::I420, SIDE, SIDE);
        let mut data = vec![128; layout.bytes().unwrap()];
        for (i, pixel) in data.iter_mut().take(layout.offsets[1]).enumerate() {
            let (px, py) = (i % SIDE as usize, i / SIDE as usize);
            let vehicle = (x..x + 30).contains(&px) && (100..160).contains(&py);
            *pixel = if vehicle { 200 } else { 90 } + random.random_range(0..=noise);
        }
        Frame::from_vec(layout, data).unwrap()
    }

    fn frozen(pictures: impl Iterator<Item = Frame>, fps: u64) -> Vec<Option<Nanos>> {
        let mut stillness = Stillness::default();
        let look =
            |(i, frame): (usize, Frame)| stillness.look(i as u64 * SECOND / fps, &frame.planes());
        pictures.enumerate().map(look).collect()
    }

    #[test]
    fn a_repeated_picture_is_frozen_from_its_first_showing() {
        for fps in [5, 10, 25] {
            let seconds = |s: u64| s * fps;
            let shown = |i: u64| i.min(seconds(2)).max(i.saturating_sub(seconds(4)));
            let told =
                frozen((0..seconds(8)).map(|i| picture(shown(i), 12, shown(i) as usize)), fps);
            let first = told.iter().position(Option::is_some).unwrap() as u64;
            assert_eq!(told[first as usize], Some(2 * SECOND), "at {fps}");
            assert!(first <= 3 * fps, "known within a second at {fps}: {first}");
            assert!(
                told[(seconds(6) + 4) as usize..].iter().all(Option::is_none),
                "awake at {fps}"
            );
        }
    }

    #[test]
    fn key_pictures_of_a_frozen_one_do_not_wake_it() {
        // Every twelfth is made anew: a little different everywhere.
        let told = frozen((0..60).map(|i| picture(i / 12, 4, 50)), 10);
        assert!(told[20..].iter().all(|since| *since == Some(0)), "{told:?}");
    }

    #[test]
    fn a_quiet_street_is_seen() {
        let told = frozen((0..60).map(|i| picture(i, 12, 50)), 10);
        assert!(told.iter().all(Option::is_none));
    }

    #[test]
    fn a_slow_sensor_is_not_frozen() {
        // Eight pictures a second, sent as 25: each shown three times.
        let told = frozen((0..200).map(|i| picture(i / 3, 12, 2 * (i / 3) as usize)), 25);
        assert!(told.iter().all(Option::is_none));
    }
}
