//! Multi-object tracking in image space, ByteTrack family: strong detections are matched to
//! expected boxes first, weak ones then keep tracks alive through occlusion and blur. Similarity
//! joins overlap and distance, because at five frames a second a motorbike's boxes need not
//! overlap.
//!
//! A track also keeps its doubts: moments when another vehicle could as well have been meant. The
//! rules void a case over them.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use contract::VehicleClass;
use plate_model::BBox;

use super::assign::assign;
use super::motion::Motion;
use super::{Nanos, SECOND, seconds};

/// One vehicle in one frame, as the detector sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    pub bbox: BBox,
    pub class: VehicleClass,
    pub score: f32,
}

/// Thresholds of the tracker.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Detections from here up start tracks and match first.
    pub strong: f32,
    /// Detections from here up may continue a track.
    pub weak: f32,
    /// Sightings that make a track count.
    pub confirm: usize,
    /// How long an unseen track is expected back.
    pub lost_after: Nanos,
}

impl Default for Settings {
    fn default() -> Self {
        Self::for_threshold(0.35)
    }
}

impl Settings {
    /// For a detector whose card reports from `score` up.
    pub const fn for_threshold(score: f32) -> Self {
        Self { strong: score, weak: 0.5 * score, confirm: 3, lost_after: seconds(1.2) }
    }
}

/// Similarity below which a track and a detection are not the same vehicle.
const LEAST: f32 = 0.25;
/// How much better the chosen pairing must be than the exchanged one to leave no doubt.
const MARGIN: f32 = 0.5;
/// History kept, in points and time.
const MAX_POINTS: usize = 1200;
const MAX_AGE: Nanos = 60 * SECOND;

/// Where a vehicle was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    pub t: Nanos,
    pub bbox: BBox,
    pub score: f32,
    /// Seen by itself, not only because it was expected there.
    pub strong: bool,
}

/// A vehicle followed over time.
#[derive(Debug, Clone)]
pub struct Track {
    pub id: u64,
    /// Sightings in time order, oldest dropped.
    pub path: VecDeque<Observation>,
    /// When this track may have changed vehicles.
    pub doubts: Vec<Nanos>,
    /// Enough sightings to count.
    pub confirmed: bool,
    votes: [f32; 4],
    hits: usize,
    motion: Motion,
    predicted_at: Nanos,
    /// Tracks that were once seen beside this one: other vehicles, not second boxes of this one.
    others: BTreeSet<u64>,
}

impl Track {
    fn new(id: u64, t: Nanos, sighting: &Sighting, settings: &Settings) -> Self {
        let mut track = Self {
            id,
            path: VecDeque::new(),
            doubts: Vec::new(),
            confirmed: false,
            votes: [0.0; 4],
            hits: 0,
            motion: Motion::new(&sighting.bbox),
            predicted_at: t,
            others: BTreeSet::new(),
        };
        track.record(t, sighting, settings);
        track
    }

    fn record(&mut self, t: Nanos, sighting: &Sighting, settings: &Settings) {
        self.votes[sighting.class as usize] += sighting.score;
        self.hits += 1;
        let strong = sighting.score >= settings.strong;
        self.path.push_back(Observation { t, bbox: sighting.bbox, score: sighting.score, strong });
        while self.path.len() > MAX_POINTS
            || self.path.front().is_some_and(|p| t.saturating_sub(p.t) > MAX_AGE)
        {
            self.path.pop_front();
        }
    }

    /// The class most seen, weighted by score.
    pub fn class(&self) -> VehicleClass {
        let mut best = 0;
        for i in 1..4 {
            if self.votes[i] > self.votes[best] {
                best = i;
            }
        }
        VehicleClass::ALL[best]
    }

    /// The latest sighting. A track starts with one and never loses it.
    pub fn last(&self) -> &Observation {
        &self.path[self.path.len() - 1]
    }

    /// Share of the sightings between two moments that were strong.
    pub fn clarity(&self, from: Nanos, to: Nanos) -> f32 {
        let seen = || self.path.iter().filter(|seen| (from..=to).contains(&seen.t));
        let strong = seen().filter(|seen| seen.strong).count();
        strong as f32 / seen().count().max(1) as f32
    }

    /// Whether the track may have changed vehicles between two moments.
    pub fn doubtful(&self, from: Nanos, to: Nanos) -> bool {
        self.doubts.iter().any(|&t| (from..=to).contains(&t))
    }
}

/// For the log: number, kind, when it was seen from and to, and where it was last.
impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = |seen: &Observation| seen.t as f64 / SECOND as f64;
        let ([x, y], name) = (self.last().bbox.foot(), self.class().name());
        let (from, to) = (second(&self.path[0]), second(self.last()));
        write!(
            f,
            "{} {name} {from:.1}-{to:.1} s, {} times, to {x:.0},{y:.0}",
            self.id,
            self.path.len()
        )
    }
}

/// What one frame changed.
#[derive(Debug, Default)]
pub struct Step {
    /// Tracks that ended and will not come back.
    pub ended: Vec<Track>,
}

/// Follows the vehicles of one camera within one epoch.
#[derive(Debug)]
pub struct Tracker {
    settings: Settings,
    tracks: Vec<Track>,
    next_id: u64,
}

impl Tracker {
    /// Ids start at `first_id` and are never reused within a run.
    pub fn new(settings: Settings, first_id: u64) -> Self {
        Self { settings, tracks: Vec::new(), next_id: first_id }
    }

    /// Tracks alive, in order of birth.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    pub const fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Gives up every track.
    pub fn finish(&mut self) -> Vec<Track> {
        std::mem::take(&mut self.tracks)
    }

    /// Takes in the sightings of the frame at `t`.
    pub fn step(&mut self, t: Nanos, sightings: &[Sighting]) -> Step {
        for track in &mut self.tracks {
            let dt = t.saturating_sub(track.predicted_at) as f32 / SECOND as f32;
            track.motion.predict(dt);
            track.predicted_at = t;
        }
        let sightings = without_duplicates(sightings);
        let mut taken = vec![false; sightings.len()];
        let mut matched = vec![None; self.tracks.len()];
        let similarity: Vec<Vec<f32>> = self
            .tracks
            .iter()
            .map(|track| sightings.iter().map(|s| similarity(track, s, t)).collect())
            .collect();

        let confirmed = |track: &Track| track.confirmed;
        let strong = |s: &Sighting| s.score >= self.settings.strong;
        let weak = |s: &Sighting| s.score >= self.settings.weak;
        let mut round = |tracks: &dyn Fn(&Track) -> bool,
                         usable: &dyn Fn(&Sighting) -> bool,
                         least| {
            let rows: Vec<usize> = (0..self.tracks.len())
                .filter(|&i| matched[i].is_none() && tracks(&self.tracks[i]))
                .collect();
            let columns: Vec<usize> =
                (0..sightings.len()).filter(|&j| !taken[j] && usable(&sightings[j])).collect();
            let part: Vec<Vec<f32>> =
                rows.iter().map(|&i| columns.iter().map(|&j| similarity[i][j]).collect()).collect();
            for (row, column) in assign(&part, least).into_iter().enumerate() {
                if let Some(column) = column {
                    matched[rows[row]] = Some(columns[column]);
                    taken[columns[column]] = true;
                }
            }
        };
        round(&confirmed, &strong, LEAST);
        round(&|track| !track.confirmed, &strong, LEAST);
        // Weak detections only where they nearly coincide with what is expected.
        round(&confirmed, &weak, 0.45);

        self.note_doubts(t, &matched, &similarity, &sightings, &taken);
        for (track, sighting) in self.tracks.iter_mut().zip(&matched) {
            let Some(j) = sighting else { continue };
            track.motion.correct(&sightings[*j].bbox);
            track.record(t, &sightings[*j], &self.settings);
            track.confirmed |= track.hits >= self.settings.confirm;
        }
        self.note_others(t);
        let ended = self.end_lost(t);
        for (j, sighting) in sightings.iter().enumerate() {
            if !taken[j] && sighting.score >= self.settings.strong {
                self.tracks.push(Track::new(self.next_id, t, sighting, &self.settings));
                self.next_id += 1;
            }
        }
        Step { ended }
    }

    /// Marks tracks that could as well have got another's detection.
    fn note_doubts(
        &mut self,
        t: Nanos,
        matched: &[Option<usize>],
        similarity: &[Vec<f32>],
        sightings: &[Sighting],
        taken: &[bool],
    ) {
        let mut doubtful = vec![false; matched.len()];
        for (i, &mine) in matched.iter().enumerate() {
            let Some(j) = mine else { continue };
            let own = similarity[i][j];
            for (k, &other) in matched.iter().enumerate() {
                // A second box of the same vehicle is nobody to be exchanged with.
                if k == i || !self.tracks[i].others.contains(&self.tracks[k].id) {
                    continue;
                }
                match other {
                    // Exchanging the two detections would be nearly as good.
                    Some(l) if similarity[i][l] >= LEAST && similarity[k][j] >= LEAST => {
                        let total = own + similarity[k][l];
                        if total - similarity[i][l] - similarity[k][j] < MARGIN {
                            doubtful[i] = true;
                        }
                    }
                    // A hidden vehicle may be the one seen.
                    None if self.tracks[k].confirmed => {
                        let hidden = self.tracks[k].motion.bbox().iou(&sightings[j].bbox) > 0.4;
                        let near = similarity[k][j] > own - 0.8 * MARGIN;
                        doubtful[i] |= hidden && near && similarity[k][j] >= LEAST;
                    }
                    _ => {}
                }
            }
            // A second, separate vehicle would have fitted as well.
            for (l, other) in sightings.iter().enumerate() {
                let separate = other.bbox.iou(&sightings[j].bbox) < 0.5;
                if !taken[l] && separate && other.score >= self.settings.strong {
                    doubtful[i] |=
                        similarity[i][l] >= LEAST && similarity[i][l] > own - MARGIN / 2.0;
                }
            }
        }
        for (track, doubtful) in self.tracks.iter_mut().zip(doubtful) {
            if doubtful && track.confirmed {
                track.doubts.push(t);
            }
        }
    }

    /// Notes which tracks were seen side by side.
    fn note_others(&mut self, t: Nanos) {
        for i in 0..self.tracks.len() {
            for k in 0..i {
                let (a, b) = (&self.tracks[i], &self.tracks[k]);
                if a.last().t == t
                    && b.last().t == t
                    && overlap(&a.last().bbox, &b.last().bbox) < 0.3
                {
                    let (a, b) = (a.id, b.id);
                    self.tracks[i].others.insert(b);
                    self.tracks[k].others.insert(a);
                }
            }
        }
    }

    /// Removes tracks that were not seen for long, were never confirmed, or double an older one.
    fn end_lost(&mut self, t: Nanos) -> Vec<Track> {
        let lost_after = self.settings.lost_after;
        let doubles: Vec<u64> = self
            .tracks
            .iter()
            .enumerate()
            .filter(|(i, young)| self.tracks[..*i].iter().any(|old| doubles(old, young, t)))
            .map(|(_, young)| young.id)
            .collect();
        let mut ended = Vec::new();
        self.tracks.retain(|track| {
            let unseen = t.saturating_sub(track.last().t);
            let limit = if track.confirmed { lost_after } else { lost_after / 4 };
            let keep = unseen <= limit && !doubles.contains(&track.id);
            if !keep && track.confirmed {
                ended.push(track.clone());
            }
            keep
        });
        ended
    }
}

/// Whether `young` has only ever been a second box of `old`.
fn doubles(old: &Track, young: &Track, t: Nanos) -> bool {
    let together = old.last().t == t && young.last().t == t;
    together
        && !young.others.contains(&old.id)
        && old.last().bbox.iou(&young.last().bbox) > 0.5
        && old.class().is_two_wheeled() == young.class().is_two_wheeled()
}

/// Share of the smaller box that lies in the other.
fn overlap(a: &BBox, b: &BBox) -> f32 {
    a.inside(b).max(b.inside(a))
}

/// One vehicle reported twice, under two classes or as a part of itself, is one.
fn without_duplicates(sightings: &[Sighting]) -> Vec<Sighting> {
    let mut order: Vec<&Sighting> =
        sightings.iter().filter(|s| s.bbox.width() >= 2.0 && s.bbox.height() >= 2.0).collect();
    order.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.bbox.x1.total_cmp(&b.bbox.x1)));
    let mut kept: Vec<Sighting> = Vec::new();
    for sighting in order {
        if kept.iter().all(|better| !repeats(sighting, better)) {
            kept.push(*sighting);
        }
    }
    // A helmet alone may look like a small car, even a better one than the rider it belongs to.
    let riders: Vec<Sighting> = kept.iter().filter(|s| s.class.is_two_wheeled()).copied().collect();
    kept.retain(|s| s.class.is_two_wheeled() || !riders.iter().any(|r| part_of_rider(s, r)));
    kept
}

fn repeats(sighting: &Sighting, better: &Sighting) -> bool {
    let (a, b) = (&sighting.bbox, &better.bbox);
    if sighting.class.is_two_wheeled() != better.class.is_two_wheeled() {
        // A motorbike stands before a car's rear often enough; both are there.
        return a.iou(b) > 0.75;
    }
    let nested = if sighting.class.is_two_wheeled() { 0.85 } else { 0.75 };
    a.iou(b) > 0.6 || a.inside(b) > nested
}

fn part_of_rider(sighting: &Sighting, rider: &Sighting) -> bool {
    let (a, b) = (&sighting.bbox, &rider.bbox);
    a.area() < 0.5 * b.area() && a.inside(b) > 0.75 && sighting.score < 1.5 * rider.score
}

/// How well a sighting fits a track, 0 to 1.
fn similarity(track: &Track, sighting: &Sighting, t: Nanos) -> f32 {
    let expected = track.motion.bbox();
    let (a, b) = (&expected, &sighting.bbox);
    let ratio = (a.height() / b.height()).max(b.height() / a.height());
    let wider = (a.width() / b.width()).max(b.width() / a.width());
    if ratio > 1.8 || wider > 2.2 {
        return 0.0;
    }
    let two_wheeled = track.class().is_two_wheeled() == sighting.class.is_two_wheeled();
    // How far the vehicle may be from where it was expected grows with the time it was unseen.
    let unseen = t.saturating_sub(track.last().t) as f32 / SECOND as f32;
    // A new track has no speed yet: traffic does up to six of its own sizes a second.
    let unknown_speed = if track.hits < 3 { 6.0 } else { 0.0 };
    let reach = (0.45 + (0.8 + unknown_speed) * unseen.min(1.0)) * (a.height() * a.width()).sqrt();
    let [ax, ay] = a.foot();
    let [bx, by] = b.foot();
    let near = (1.0 - (ax - bx).hypot(ay - by) / reach).max(0.0);
    let shape = 1.0 / (1.0 + 0.5 * (ratio - 1.0));
    let fit = (0.4 * a.iou(b) + 0.6 * near) * shape;
    if two_wheeled { fit } else { 0.6 * fit }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bike(x: f32, y: f32) -> Sighting {
        let bbox = BBox { x1: x - 25.0, y1: y - 90.0, x2: x + 25.0, y2: y };
        Sighting { bbox, class: VehicleClass::Motorbike, score: 0.8 }
    }

    fn frame(i: u64, fps: u64) -> Nanos {
        i * SECOND / fps
    }

    #[test]
    fn a_vehicle_keeps_its_number_through_a_short_occlusion() {
        let mut tracker = Tracker::new(Settings::default(), 1);
        for i in 0..40 {
            let seen = if (18..23).contains(&i) {
                vec![]
            } else {
                vec![bike(300.0, 700.0 - 12.0 * i as f32)]
            };
            tracker.step(frame(i, 10), &seen);
        }
        assert_eq!(tracker.tracks().len(), 1);
        assert_eq!(tracker.tracks()[0].id, 1);
        assert!(tracker.tracks()[0].doubts.is_empty());
    }

    #[test]
    fn a_bike_passing_a_standing_one_exchanges_nothing() {
        let mut tracker = Tracker::new(Settings::default(), 1);
        for i in 0..40 {
            let seen = [bike(300.0, 400.0), bike(345.0, 700.0 - 15.0 * i as f32)];
            tracker.step(frame(i, 10), &seen);
        }
        let standing = &tracker.tracks()[0];
        let moving = &tracker.tracks()[1];
        assert_eq!(tracker.tracks().len(), 2);
        assert_eq!(standing.last().bbox.foot(), [300.0, 400.0]);
        assert_eq!(moving.last().bbox.foot(), [345.0, 115.0]);
        assert!(moving.doubts.is_empty(), "{:?}", moving.doubts);
    }

    #[test]
    fn two_that_merge_and_part_are_doubted() {
        let mut tracker = Tracker::new(Settings::default(), 1);
        for i in 0..30 {
            let apart = 60.0 - 4.0 * i as f32;
            let seen = match i {
                // One hides the other.
                12..18 => vec![bike(300.0, 400.0)],
                _ => vec![bike(300.0 - apart, 400.0), bike(300.0 + apart, 400.0)],
            };
            tracker.step(frame(i, 10), &seen);
        }
        assert!(tracker.tracks().iter().any(|track| !track.doubts.is_empty()));
    }

    #[test]
    fn a_gone_vehicle_ends_once() {
        let mut tracker = Tracker::new(Settings::default(), 7);
        for i in 0..5 {
            tracker.step(frame(i, 10), &[bike(300.0, 400.0)]);
        }
        let ended: Vec<u64> =
            (5..40).flat_map(|i| tracker.step(frame(i, 10), &[]).ended).map(|t| t.id).collect();
        assert_eq!(ended, [7]);
    }

    #[test]
    fn one_false_detection_is_no_track() {
        let mut tracker = Tracker::new(Settings::default(), 1);
        tracker.step(0, &[bike(300.0, 400.0)]);
        for i in 1..20 {
            assert!(tracker.step(frame(i, 10), &[]).ended.is_empty());
        }
        assert!(tracker.tracks().is_empty());
    }

    #[test]
    fn the_class_most_seen_wins() {
        let mut tracker = Tracker::new(Settings::default(), 1);
        let bbox = BBox { x1: 100.0, y1: 100.0, x2: 300.0, y2: 260.0 };
        for i in 0..10 {
            let class = if i % 3 == 0 { VehicleClass::Truck } else { VehicleClass::Car };
            tracker.step(frame(i, 10), &[Sighting { bbox, class, score: 0.7 }]);
        }
        assert_eq!(tracker.tracks()[0].class(), VehicleClass::Car);
    }

    fn car(x1: f32, y1: f32, x2: f32, y2: f32, score: f32) -> Sighting {
        Sighting { bbox: BBox { x1, y1, x2, y2 }, class: VehicleClass::Car, score }
    }

    #[test]
    fn parts_and_doubles_of_one_vehicle_are_one() {
        let whole = car(100.0, 100.0, 300.0, 300.0, 0.6);
        let part = car(120.0, 100.0, 280.0, 210.0, 0.5);
        let rider = bike(200.0, 330.0);
        let helmet = car(185.0, 240.0, 210.0, 265.0, 0.9);
        let kept = without_duplicates(&[part, whole, rider, helmet]);
        assert_eq!(kept, [rider, whole], "the rider before the car is another vehicle");
    }

    #[test]
    fn a_second_box_raises_no_doubt() {
        let mut tracker = Tracker::new(Settings::default(), 1);
        for i in 0..40 {
            let y = 700.0 - 12.0 * i as f32;
            let mut seen = vec![bike(300.0, y)];
            if i % 3 != 0 {
                // Half as large again and a little aside, as unsure detectors give them.
                let bbox = BBox { x1: 282.0, y1: y - 60.0, x2: 340.0, y2: y + 14.0 };
                seen.push(Sighting { bbox, class: VehicleClass::Motorbike, score: 0.4 });
            }
            tracker.step(frame(i, 10), &seen);
        }
        let first = &tracker.tracks()[0];
        assert!(first.doubts.is_empty(), "{:?}", first.doubts);
        assert_eq!(first.path.len(), 40);
    }

    proptest! {
        /// Vehicles in lanes of their own are never lost or exchanged, at any frame rate.
        #[test]
        fn lanes_keep_their_vehicles(fps in 5u64..25, speed in 0.5f32..4.0, lanes in 1usize..6, noise in 0.0f32..2.5) {
            let mut tracker = Tracker::new(Settings::default(), 1);
            for i in 0..fps * 3 {
                let t = i as f32 / fps as f32;
                let seen: Vec<Sighting> = (0..lanes)
                    .map(|lane| {
                        let wobble = noise * ((i as f32 * 1.7 + lane as f32).sin());
                        bike(100.0 + 120.0 * lane as f32 + wobble, 900.0 - 90.0 * speed * t - wobble)
                    })
                    .collect();
                tracker.step(frame(i, fps), &seen);
            }
            prop_assert_eq!(tracker.tracks().len(), lanes);
            for (lane, track) in tracker.tracks().iter().enumerate() {
                prop_assert_eq!(track.path.len() as u64, fps * 3);
                let x0 = track.path[0].bbox.foot()[0];
                prop_assert!(track.path.iter().all(|p| (p.bbox.foot()[0] - x0).abs() < 10.0), "lane {}", lane);
            }
        }
    }
}
