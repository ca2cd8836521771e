//! Where a camera's small stream was analysed: the pictures of an act, and its plate, taken from the
//! clip of the large one. Runs beside the cameras' loops, once an accusation. The clock of the camera
//! says which picture is which; that it says so rightly is seen by comparing the pictures.

use std::collections::{BTreeMap, BTreeSet};

use plate_model::{BBox, Frame, Planes};

use super::candidate::{Candidate, Place};
use super::eyes::{Eyes, Pool};
use super::{Accused, plates};
use crate::accusation::{AccessUnit, Pixels, Shot};
use crate::evidence::frames;
use crate::see::{Nanos, seconds};
use crate::source::{Picture, SourceError, rewind};

/// Looks at the plate, from where the vehicle was largest.
const LOOKS: usize = 16;
/// A vehicle of this share of another's area is about as large.
const ABOUT: f32 = 0.6;
/// Pictures up to this long before and after are compared with the one analysed.
const AROUND: Nanos = seconds(0.25);
/// Least likeness (correlation of luma) of the picture taken, and how much less than the most alike
/// it may be: as a share of what that one lacks, and besides.
const LEAST: f32 = 0.5;
const SHARE: f32 = 1.5;
const BESIDES: f32 = 0.02;
/// Most cells of a patch on a side; each is the mean of some pixels.
const CELLS: usize = 48;

/// What is still to be done for an accusation.
#[derive(Debug)]
pub struct Negative {
    /// Stream times of the accusation's moments; none of those taken by another camera.
    pub moments: Vec<Option<Nanos>>,
    pub candidate: Candidate,
    /// Width and height of the pictures analysed.
    pub size: [u32; 2],
    /// The part of them that is analysed, 0 to 1.
    pub part: Option<[f32; 4]>,
}

/// Why an accusation has no pictures.
#[derive(Debug, thiserror::Error)]
pub enum Undeveloped {
    #[error("the main stream shows something else at that time than the substream")]
    Apart,
    #[error("the main stream lacks a moment of the act")]
    Missing,
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("a picture that was kept does not open: {0}")]
    Kept(#[from] image::ImageError),
}

impl Undeveloped {
    /// A word for metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Apart => "streams_apart",
            Self::Missing => "moment_missing",
            Self::Source(_) => "clip_undecoded",
            Self::Kept(_) => "sealing_failed",
        }
    }
}

/// A moment and the pictures of the clip about its time.
struct Compared {
    index: usize,
    /// The patch of the analysed picture.
    patch: Patch,
    /// The unit nearest in time, by its stamp.
    nearest: Nanos,
    /// The greatest likeness, and how much later that picture is.
    best: (f32, i64),
    taken: Option<(f32, Frame)>,
}

/// The accusation with the pictures and the plate that its clip shows, where they are not there yet.
pub fn develop<E: Eyes>(accused: Accused, pool: &Pool<E>) -> Result<Accused, Undeveloped> {
    let Accused { mut accusation, crossed_at, negative } = accused;
    let (Some(negative), Some(ahead)) = (negative, accusation.clip.larger) else {
        return Ok(Accused { accusation, crossed_at, negative: None });
    };
    let Negative { moments, mut candidate, size, part } = *negative;
    let units = Units::of(&accusation.clip.units);
    let there = |t: Nanos| t.saturating_add_signed(ahead);

    let mut compared = Vec::new();
    for (index, t) in moments.iter().enumerate() {
        let Some(t) = t.map(there) else { continue };
        // A long act's beginning is before the clip: it stays as it was seen.
        if t + units.period / 2 < units.first {
            continue;
        }
        let nearest = units.nearest(t).ok_or(Undeveloped::Missing)?;
        let shot = &accusation.moments[index].shot;
        let patch = Patch::of_shot(shot)?;
        compared.push(Compared { index, patch, nearest, best: (f32::MIN, 0), taken: None });
    }
    let mut wanted: BTreeSet<Nanos> = BTreeSet::new();
    for moment in &compared {
        wanted.extend(units.around(moment.nearest));
    }
    let clip = accusation.clip.clone();
    let at_hand = rewind::decoded_with(&clip, &wanted);
    let places = places(&candidate, size, |t| units.nearest(there(t)), &at_hand);
    wanted.extend(places.keys());

    (candidate.close_up, candidate.looks) = (None, Vec::new());
    candidate.fusion = candidate.fusion.emptied();
    let mut failed = None;
    rewind::pictures(&clip, &wanted, |unit, frame| {
        let scale = scale(size, &frame);
        for moment in &mut compared {
            if unit.pts_ns.abs_diff(moment.nearest) > AROUND {
                continue;
            }
            let likeness = moment.patch.likeness(&frame.planes(), scale);
            if likeness > moment.best.0 {
                let later = unit.pts_ns.cast_signed() - moment.nearest.cast_signed();
                moment.best = (likeness, later);
            }
            if unit.pts_ns == moment.nearest && unit.whole {
                moment.taken = Some((likeness, frame.clone()));
            }
        }
        if let Some(place) = places.get(&unit.pts_ns)
            && unit.whole
        {
            let picture = picture(unit, frame, &accusation.clock);
            let part = part.map(|part| enlarged(part, &picture.frame));
            let (vehicle, others) = (scaled(&place.vehicle, scale), &place.others);
            let others: Vec<BBox> = others.iter().map(|other| scaled(other, scale)).collect();
            // Taken anew for each look: the cameras' loops come in between.
            let mut eyes = pool.take(false);
            if let Err(error) =
                plates::look(&mut *eyes, &mut candidate, &picture, vehicle, &others, part.as_ref())
            {
                failed = Some(error);
            }
        }
    })?;
    if let Some(error) = failed {
        tracing::error!(camera = accusation.camera.id, %error, "plate reading failed");
    }

    for moment in compared {
        let (likeness, frame) = moment.taken.ok_or(Undeveloped::Missing)?;
        let (best, later) = moment.best;
        let lacks = (1.0 - best) * SHARE + BESIDES;
        tracing::debug!(
            camera = accusation.camera.id,
            likeness,
            best,
            later_ms = later / 1_000_000,
            "picture of the main stream compared"
        );
        if likeness < LEAST || 1.0 - likeness > lacks {
            return Err(Undeveloped::Apart);
        }
        enlarge(&mut accusation.moments[moment.index].shot, frame, size);
    }
    let main = accusation.main_shot().cloned();
    if let Some(shot) = candidate.close_up.map(|(_, shot)| shot).or(main) {
        accusation.close_up = shot;
    }
    accusation.plate = candidate.fusion.verdict().reading();
    Ok(Accused { accusation, crossed_at, negative: None })
}

/// The places from which the plate is looked at, each by the unit that shows it: largest first, none
/// cut by the picture's edge unless there is no other. Where the vehicle is about as large in pictures
/// that are `at_hand` no others are decoded for it.
fn places(
    candidate: &Candidate,
    [width, height]: [u32; 2],
    unit: impl Fn(Nanos) -> Option<Nanos>,
    at_hand: &BTreeSet<Nanos>,
) -> BTreeMap<Nanos, Place> {
    let (width, height) = (width as f32, height as f32);
    let cut = |bbox: &BBox| {
        bbox.x1 <= 1.0 || bbox.y1 <= 1.0 || bbox.x2 >= width - 1.0 || bbox.y2 >= height - 1.0
    };
    let mut all: Vec<&Place> = candidate.places.iter().collect();
    all.sort_by(|a, b| {
        let rank = |place: &Place| (cut(&place.vehicle), -place.vehicle.area());
        let ((a_cut, a_area), (b_cut, b_area)) = (rank(a), rank(b));
        a_cut.cmp(&b_cut).then(a_area.total_cmp(&b_area))
    });
    let mut shown: Vec<(Nanos, &Place)> =
        all.into_iter().filter_map(|place| Some((unit(place.t)?, place))).collect();
    let near = shown.iter().find(|(t, place)| at_hand.contains(t) && !cut(&place.vehicle));
    if let (Some((_, near)), Some((_, largest))) = (near, shown.first())
        && near.vehicle.area() >= ABOUT * largest.vehicle.area()
    {
        shown.retain(|(t, _)| at_hand.contains(t));
    }
    shown.into_iter().take(LOOKS).map(|(t, place)| (t, place.clone())).collect()
}

/// The times of a clip's units.
struct Units {
    /// In order.
    times: Vec<Nanos>,
    first: Nanos,
    /// From one to the next, usually.
    period: Nanos,
}

impl Units {
    fn of(units: &[AccessUnit]) -> Self {
        let mut times: Vec<Nanos> = units.iter().map(|unit| unit.pts_ns).collect();
        times.sort_unstable();
        let mut steps: Vec<Nanos> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_unstable();
        let period = steps.get(steps.len() / 2).copied().unwrap_or(0);
        Self { first: times.first().copied().unwrap_or(0), times, period }
    }

    /// The one nearest to `t`, unless it is further than half a picture.
    fn nearest(&self, t: Nanos) -> Option<Nanos> {
        let nearest = self.times.iter().copied().min_by_key(|time| time.abs_diff(t))?;
        // A little more: stamps are rounded.
        (nearest.abs_diff(t) <= self.period / 2 + self.period / 10).then_some(nearest)
    }

    fn around(&self, t: Nanos) -> impl Iterator<Item = Nanos> + '_ {
        self.times.iter().copied().filter(move |time| time.abs_diff(t) <= AROUND)
    }
}

fn picture(unit: &AccessUnit, frame: Frame, clock: &contract::manifest::Clock) -> Picture {
    Picture {
        frame,
        t: unit.pts_ns,
        pts: unit.pts_ns,
        captured_at: unit.captured_at,
        steady: None,
        clock: clock.clone(),
        damage: None,
    }
}

/// How much larger `frame` is than a picture of `size`, across and down.
fn scale([width, height]: [u32; 2], frame: &Frame) -> [f32; 2] {
    [frame.width() as f32 / width as f32, frame.height() as f32 / height as f32]
}

fn scaled(bbox: &BBox, [x, y]: [f32; 2]) -> BBox {
    BBox::new(bbox.x1 * x, bbox.y1 * y, bbox.x2 * x, bbox.y2 * y)
}

fn enlarged([x, y, w, h]: [f32; 4], frame: &Frame) -> BBox {
    let (width, height) = (frame.width() as f32, frame.height() as f32);
    BBox::new(x * width, y * height, (x + w) * width, (y + h) * height)
}

/// Puts the picture of the large stream in the place of that of the small one.
fn enlarge(shot: &mut Shot, frame: Frame, size: [u32; 2]) {
    let scale = scale(size, &frame);
    shot.vehicle = scaled(&shot.vehicle, scale);
    shot.others = shot.others.iter().map(|other| scaled(other, scale)).collect();
    shot.pixels = Pixels::Frame(frame);
}

/// The luma about a vehicle, in cells.
struct Patch {
    bbox: BBox,
    cells: usize,
    luma: Vec<f32>,
}

impl Patch {
    fn of_shot(shot: &Shot) -> Result<Self, image::ImageError> {
        let [width, height] = shot.pixels.size();
        let bbox = shot.vehicle.expanded(0.2).clipped(width, height);
        let cells = ((bbox.width().min(bbox.height()) / 2.0) as usize).clamp(8, CELLS);
        let luma = match &shot.pixels {
            Pixels::Frame(frame) => means(&bbox, cells, |x, y| pixel(&frame.planes(), x, y)),
            kept @ Pixels::Jpeg { .. } => {
                let rgb = frames::open(kept)?;
                means(&bbox, cells, |x, y| {
                    let (x, y) = (x.min(width as usize - 1), y.min(height as usize - 1));
                    let [r, g, b] = rgb.get_pixel(x as u32, y as u32).0.map(f32::from);
                    0.299 * r + 0.587 * g + 0.114 * b
                })
            }
        };
        Ok(Self { bbox, cells, luma })
    }

    /// Correlation with the same place in a picture that is larger by `scale`, -1 to 1.
    fn likeness(&self, planes: &Planes<'_>, scale: [f32; 2]) -> f32 {
        let there = means(&scaled(&self.bbox, scale), self.cells, |x, y| pixel(planes, x, y));
        correlation(&self.luma, &there)
    }
}

fn pixel(planes: &Planes<'_>, x: usize, y: usize) -> f32 {
    let (x, y) = (x.min(planes.width() as usize - 1), y.min(planes.height() as usize - 1));
    f32::from(planes.luma().row(y)[x])
}

/// The means of `cells` by `cells` parts of `bbox`.
fn means(bbox: &BBox, cells: usize, pixel: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let edges = |from: f32, length: f32| -> Vec<usize> {
        let step = length / cells as f32;
        (0..=cells).map(|i| (from + step * i as f32).max(0.0).round() as usize).collect()
    };
    let (xs, ys) = (edges(bbox.x1, bbox.width()), edges(bbox.y1, bbox.height()));
    let mut means = Vec::with_capacity(cells * cells);
    for y in ys.windows(2) {
        for x in xs.windows(2) {
            let (right, below) = (x[1].max(x[0] + 1), y[1].max(y[0] + 1));
            let mut sum = 0.0;
            for at in y[0]..below {
                sum += (x[0]..right).map(|x| pixel(x, at)).sum::<f32>();
            }
            means.push(sum / ((right - x[0]) * (below - y[0])) as f32);
        }
    }
    means
}

/// Pearson's; 0 where one of them is flat.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len().max(1) as f32;
    let (mean_a, mean_b) = (a.iter().sum::<f32>() / n, b.iter().sum::<f32>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
    }
    if aa * bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(times: &[Nanos]) -> Units {
        let unit = |&ms: &Nanos| AccessUnit {
            pts_ns: ms * 1_000_000,
            dts_ns: None,
            key: false,
            whole: true,
            data: bytes::Bytes::new(),
            captured_at: time::OffsetDateTime::UNIX_EPOCH,
        };
        Units::of(&times.iter().map(unit).collect::<Vec<_>>())
    }

    #[test]
    fn no_picture_stands_for_a_moment_more_than_half_a_picture_away() {
        // One is lost.
        let units = units(&[0, 40, 80, 160, 200, 240]);
        let nearest = |ms: Nanos| units.nearest(ms * 1_000_000).map(|t| t / 1_000_000);
        assert_eq!(units.period, 40_000_000);
        assert_eq!(nearest(95), Some(80));
        assert_eq!(nearest(120), None);
        assert_eq!(nearest(161), Some(160));
        assert_eq!(nearest(300), None);
    }

    #[test]
    fn what_is_alike_correlates() {
        let a: Vec<f32> = (0..64).map(|i| (i * 37 % 64) as f32).collect();
        let brighter: Vec<f32> = a.iter().map(|v| v * 0.8 + 30.0).collect();
        let other: Vec<f32> = (0..64).map(|i| (i * 29 % 64) as f32).collect();
        assert!((correlation(&a, &brighter) - 1.0).abs() < 1e-4);
        assert!(correlation(&a, &other) < 0.5);
        assert_eq!(correlation(&a, &[5.0; 64]), 0.0);
    }
}
