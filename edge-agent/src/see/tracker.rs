//! Multi-object tracking in image space, ByteTrack family: strong detections are matched to
//! expected boxes first, weak ones then keep tracks alive through occlusion and blur.
//!
//! A track also keeps its doubts: moments when another vehicle could as well have been meant. The
//! rules void a case over them.

use plate_model::assign::assign;

use super::likeness::{alike, doubles, overlap, similarity, without_duplicates};
use super::track::{Sighting, Track};
use super::{Nanos, seconds};

/// Thresholds of the tracker.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Detections from here up start tracks and match first.
    pub strong: f32,
    /// Detections from here up may continue a track.
    pub weak: f32,
    /// Sightings that make a track count, and the time over which they must be spread: at 25
    /// pictures a second a false detection lasts for several.
    pub confirm: usize,
    pub confirm_after: Nanos,
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
        Self {
            strong: score,
            weak: 0.5 * score,
            confirm: 3,
            confirm_after: seconds(0.19),
            lost_after: seconds(2.0),
        }
    }
}

/// Similarity below which a track and a detection are not the same vehicle.
const LEAST: f32 = 0.25;
/// How much better the chosen pairing must be than the exchanged one to leave no doubt.
const MARGIN: f32 = 0.5;
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
            track.expect(t);
        }
        let sightings = without_duplicates(sightings);
        let mut taken = vec![false; sightings.len()];
        let mut matched = vec![None; self.tracks.len()];
        let by_place: Vec<Vec<f32>> = self
            .tracks
            .iter()
            .map(|track| sightings.iter().map(|seen| similarity(track, seen, t)).collect())
            .collect();
        // Looks are compared only where the place would do.
        let looked = |track, (seen, &place): (&Sighting, &f32)| {
            if place < LEAST { 0.0 } else { place * alike(track, seen) }
        };
        let by_looks: Vec<Vec<f32>> = (self.tracks.iter().zip(&by_place))
            .map(|(track, row)| sightings.iter().zip(row).map(|pair| looked(track, pair)).collect())
            .collect();

        let confirmed = |track: &Track| track.confirmed;
        let settings = self.settings;
        let strong = |s: &Sighting| s.score >= settings.strong;
        let weak = |s: &Sighting| s.score >= settings.weak;
        let mut round = |tracks: &dyn Fn(&Track) -> bool,
                         usable: &dyn Fn(&Sighting) -> bool,
                         least| {
            let rows: Vec<usize> = (0..self.tracks.len())
                .filter(|&i| matched[i].is_none() && tracks(&self.tracks[i]))
                .collect();
            let columns: Vec<usize> =
                (0..sightings.len()).filter(|&j| !taken[j] && usable(&sightings[j])).collect();
            let part: Vec<Vec<f32>> =
                rows.iter().map(|&i| columns.iter().map(|&j| by_looks[i][j]).collect()).collect();
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
        round(&confirmed, &weak, 0.55);

        // Looks help to choose; what they choose against the places stays in doubt.
        self.note_doubts(t, &matched, &by_place, &sightings, &taken);
        for (track, sighting) in self.tracks.iter_mut().zip(&matched) {
            let Some(j) = sighting else { continue };
            track.found(t, &sightings[*j], strong(&sightings[*j]));
            track.confirmed |=
                track.hits >= settings.confirm && t >= track.path[0].t + settings.confirm_after;
        }
        self.note_others(t);
        let ended = self.end_lost(t);
        for (j, sighting) in sightings.iter().enumerate() {
            if !taken[j] && sighting.score >= self.settings.strong {
                self.tracks.push(Track::new(self.next_id, t, sighting, true));
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
                track.known.doubts.push(t);
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
            let unseen = track.unseen(t);
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

#[cfg(test)]
mod tests;
