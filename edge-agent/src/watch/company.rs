//! The other vehicles about, seen once a second: enough for rules to tell a jam from a lone stop.
//! Kept only as far back as a rule looks, and never of more than a crowd.

use judge::track::Companion;

use crate::see::track::Track;
use crate::see::{Nanos, SECOND};

/// Vehicles remembered at once; beyond, the one not seen for longest is forgotten.
const MOST: usize = 4096;

/// Everybody seen lately.
#[derive(Debug, Default)]
pub struct Company {
    /// How far back rules look; 0: nobody asks.
    span: Nanos,
    /// In the order of their ids.
    all: Vec<Companion>,
    /// When the old was last forgotten.
    tidied: Nanos,
}

impl Company {
    pub fn new(span: Nanos) -> Self {
        Self { span, ..Self::default() }
    }

    pub fn all(&self) -> &[Companion] {
        &self.all
    }

    pub fn forget(&mut self) {
        self.all.clear();
        self.tidied = 0;
    }

    /// Takes note of the picture at `t`.
    pub fn see(&mut self, t: Nanos, tracks: &[Track]) {
        if self.span == 0 {
            return;
        }
        for track in tracks.iter().filter(|track| track.confirmed && track.last().t == t) {
            let bbox = &track.last().bbox;
            let index = self.all.binary_search_by_key(&track.id, |other| other.id);
            let index = index.unwrap_or_else(|index| {
                let (id, class, height) = (track.id, track.class, bbox.height());
                let (seen, heights) = (Vec::new(), Vec::new());
                self.all.insert(index, Companion { id, class, height, seen, heights });
                index
            });
            let companion = &mut self.all[index];
            if companion.seen.last().is_none_or(|(last, _)| t >= last + SECOND) {
                (companion.class, companion.height) = (track.class, bbox.height());
                companion.seen.push((t, bbox.foot()));
                companion.heights.push(bbox.height());
            }
        }
        if t < self.tidied + SECOND {
            return;
        }
        self.tidied = t;
        let since = t.saturating_sub(self.span);
        for companion in &mut self.all {
            let old = companion.seen.partition_point(|(seen, _)| *seen < since);
            companion.seen.drain(..old);
            companion.heights.drain(..old);
        }
        self.all.retain(|companion| !companion.seen.is_empty());
        if self.all.len() > MOST {
            self.all.sort_by_key(|companion| companion.seen.last().map(|(t, _)| *t));
            self.all.drain(..self.all.len() - MOST);
            self.all.sort_by_key(|companion| companion.id);
        }
    }
}
