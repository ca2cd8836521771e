//! Whether the camera still sees. A frozen sensor, or a recorder that repeats its last picture,
//! goes on sending pictures with times that run on: vehicles seem to stand, a lamp seems to stay.
//! A living sensor has noise and a street has movement; where nothing but the encoder's own work
//! changes the picture, nothing is seen.
//!
//! A repeated picture is not repeated bit for bit: the encoder refines it, and makes it anew as a
//! key picture. Both change many pixels a little. At high rates none changes much, and the picture
//! is known to be frozen; at low ones more do, here and there, as sensor noise might. But whatever
//! moves changes many pixels much in one place. A picture in which nothing does may be a frozen one
//! or show an empty street: then, too, nobody may be said to stand and no lamp to last.

use plate_model::Planes;

use super::{Nanos, seconds};

/// About so many pixels of a row, in so many rows, are compared, whatever the picture's size.
const COLUMNS: usize = 480;
const ROWS: usize = 135;
/// A change of luma by this much is more than an encoder's refinement, and by this much more than
/// its making a picture anew.
const REFINED: u8 = 3;
const REMADE: u8 = 8;
/// Most pixels that such work changes by more. Of the quietest real junction, by night and strongly
/// compressed, more than twice as many change in 99 of 100 pictures.
const FEW_REFINED: f32 = 0.001;
const FEW_REMADE: f32 = 0.0003;
/// Movement changes luma by this much, in this many samples of one cell of this many columns and
/// rows of samples. A frozen street of 0.8 to 8 Mbit/s had no such cell in nine of ten pictures, key
/// pictures included; real junctions had some in 95 of 100.
const MOVED: u8 = 25;
const MANY: u32 = 8;
const CELL: [usize; 2] = [16, 8];
/// Repeated for this long it is no quiet moment any more. Shorter than what an accusation waits for
/// before it leaves.
const LONG: Nanos = seconds(0.8);
/// Shorter than this any street may be quiet.
const MOMENT: Nanos = seconds(0.3);
/// No street is without movement for so long.
const NO_STREET: Nanos = seconds(600.0);
/// So many moving pictures in a row, or one in so many, and the camera sees.
const AWAKE: u32 = 3;
const ONE_IN: u32 = 4;

/// How a picture differs from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Repeated,
    /// No more than an encoder does to a picture that repeats another.
    Remade,
    /// More than that, but nothing moved.
    Noise,
    Moved,
}

/// A stretch in which nothing moves.
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

/// That nothing moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Still {
    /// The picture since which nothing has moved.
    pub since: Nanos,
    /// Not even noise changes: the camera is frozen.
    pub frozen: bool,
}

/// Watches one camera's pictures.
#[derive(Debug, Default)]
pub struct Stillness {
    before: Vec<u8>,
    last: Nanos,
    stretch: Option<Stretch>,
}

impl Stillness {
    /// Takes in the picture at `t`; says since when nothing has moved, while nothing does.
    pub fn look(&mut self, t: Nanos, planes: &Planes<'_>) -> Option<Still> {
        let (sampled, columns) = sample(planes);
        let change = change(&self.before, &sampled, columns);
        self.before = sampled;
        let last = std::mem::replace(&mut self.last, t);
        match change {
            Some(change) => self.step(last, t, change),
            None => self.stretch = None,
        }
        let stretch = self.stretch.filter(|stretch| stretch.to - stretch.from >= LONG)?;
        let frozen =
            2 * stretch.repeated >= stretch.pictures || stretch.to - stretch.from >= NO_STREET;
        Some(Still { since: stretch.from, frozen })
    }

    /// The picture since which nothing has moved, where that has lasted for more than a moment.
    pub fn since(&self) -> Option<Nanos> {
        self.stretch.filter(|stretch| stretch.to - stretch.from >= MOMENT).map(|s| s.from)
    }

    /// Whether nothing has moved for longer than any street is quiet, up to the latest picture.
    pub fn is_still(&self) -> bool {
        let lasts = |stretch: &Stretch| stretch.to - stretch.from >= LONG;
        self.stretch.is_some_and(|stretch| lasts(&stretch) && stretch.moved_in_a_row == 0)
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

/// Samples of luma, row by row, and how many a row has.
fn sample(planes: &Planes<'_>) -> (Vec<u8>, usize) {
    let (luma, width) = (planes.luma(), planes.width() as usize);
    let across = (width / COLUMNS).max(1);
    let down = (luma.rows() / ROWS).max(1);
    let rows = (0..luma.rows()).step_by(down);
    let samples = rows.flat_map(|y| luma.row(y)[..width].iter().step_by(across).copied());
    (samples.collect(), width.div_ceil(across))
}

/// None where the two are of different sizes; `columns` are the samples of one row.
fn change(before: &[u8], now: &[u8], columns: usize) -> Option<Change> {
    if before.len() != now.len() || now.is_empty() {
        return None;
    }
    let (mut refined, mut remade) = (0u32, 0u32);
    let mut moved = vec![0u32; columns.div_ceil(CELL[0])];
    let mut most = 0;
    let rows = before.chunks(columns).zip(now.chunks(columns));
    for (row, (before, now)) in rows.enumerate() {
        if row % CELL[1] == 0 {
            moved.fill(0);
        }
        for (column, (a, b)) in before.iter().zip(now).enumerate() {
            let by = a.abs_diff(*b);
            refined += u32::from(by >= REFINED);
            remade += u32::from(by >= REMADE);
            moved[column / CELL[0]] += u32::from(by >= MOVED);
        }
        most = moved.iter().copied().fold(most, u32::max);
    }
    let share = |count: u32| count as f32 / now.len() as f32;
    Some(if share(refined) < FEW_REFINED {
        Change::Repeated
    } else if share(remade) < FEW_REMADE {
        Change::Remade
    } else if most < MANY {
        Change::Noise
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

    fn told(pictures: impl Iterator<Item = Frame>, fps: u64) -> Vec<Option<Still>> {
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
            let x = |i: u64| (shown(i) * 50 / fps) as usize;
            let told = told((0..seconds(8)).map(|i| picture(shown(i), 12, x(i))), fps);
            let first = told.iter().position(Option::is_some).unwrap() as u64;
            let still = Still { since: 2 * SECOND, frozen: true };
            assert_eq!(told[first as usize], Some(still), "at {fps}");
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
        let told = told((0..60).map(|i| picture(i / 12, 4, 50)), 10);
        let still = Still { since: 0, frozen: true };
        assert!(told[20..].iter().all(|told| *told == Some(still)), "{told:?}");
    }

    #[test]
    fn what_a_weak_encoder_does_to_a_frozen_picture_is_no_movement() {
        // It never comes to rest, and every twelfth picture is made anew, as if something moved.
        let noise = |i: u64| if i % 12 == 6 { 40 } else { 16 };
        let told = told((0..60).map(|i| picture(i, noise(i), 50)), 10);
        let still = Some(Still { since: 7 * SECOND / 10, frozen: false });
        assert!(told[20..].iter().all(|told| *told == still), "{told:?}");
    }

    #[test]
    fn a_quiet_street_wakes_with_the_first_vehicle() {
        let x = |i: u64| if i < 40 { 50 } else { 50 + 2 * (i as usize - 40) };
        let told = told((0..60).map(|i| picture(i, 12, x(i))), 10);
        assert_eq!(told[39], Some(Still { since: 0, frozen: false }), "not said to be frozen");
        assert_eq!(told[43..].iter().flatten().count(), 0);
        let nothing_for_long = self::told((0..620).map(|i| picture(i, 12, 50)), 1);
        assert!(nothing_for_long[610].is_some_and(|still| still.frozen));
    }

    #[test]
    fn a_slow_sensor_is_not_frozen() {
        // Eight pictures a second, sent as 25: each shown three times.
        let told = told((0..200).map(|i| picture(i / 3, 12, 2 * (i / 3) as usize)), 25);
        assert!(told.iter().all(Option::is_none));
    }
}
