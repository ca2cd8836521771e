//! A camera's streams as its loop uses them. Many cameras have a small stream beside the large one:
//! then the small one is decoded and analysed, and the large one stays encoded until a clip of it is
//! wanted. The two are joined by the camera's own clock. Whether that holds is seen in the pictures
//! themselves when a clip is developed; where it does not, the large one alone is used from then on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use time::OffsetDateTime;

use super::pipeline::{Next, Pipeline, Purpose};
use super::shared::Counts;
use super::{Damage, Settings, SourceError};
use crate::accusation::{Clip, Span};
use crate::see::Nanos;

/// How far a recording's large stream is read ahead: units come in decoding order.
const AHEAD: Nanos = 1_000_000_000;
/// Of the analysed stream nothing is cut.
const KEPT: (Nanos, usize) = (0, 1 << 20);
/// After so many clips in a row whose pictures are not those analysed the two do not go together.
const FAILURES: u32 = 3;

/// Whether a camera's two streams go together; lasts over its connections.
#[derive(Debug, Default)]
pub struct Paired {
    failures: AtomicU32,
}

impl Paired {
    /// Takes note of a clip whose pictures were, or were not, those analysed.
    pub fn note(&self, together: bool) {
        if together {
            // Once given up, it stays.
            let _ = self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |failures| {
                (failures < FAILURES).then_some(0)
            });
        } else {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn given_up(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= FAILURES
    }

    /// For good, in this process.
    fn give_up(&self) {
        self.failures.fetch_max(FAILURES, Ordering::Relaxed);
    }
}

/// A camera's open streams. Dropping it closes the connections.
#[derive(Debug)]
pub struct Source {
    /// What is analysed.
    seen: Pipeline,
    large: Option<Large>,
    /// Stream time and capture time of the latest picture.
    latest: Option<(Nanos, OffsetDateTime)>,
}

#[derive(Debug)]
struct Large {
    stream: Pipeline,
    paired: Arc<Paired>,
    address: String,
}

impl Source {
    /// Starts opening; trouble shows when pulling. `epoch` counts on from earlier connections.
    pub fn open(settings: &Settings, epoch: u32) -> Result<Self, SourceError> {
        let Some((input, paired)) = &settings.larger else {
            let seen = Pipeline::open(settings, Purpose::Everything, epoch)?;
            return Ok(Self { seen, large: None, latest: None });
        };
        if paired.given_up() {
            let alone = Settings { input: input.clone(), larger: None, ..settings.clone() };
            return Self::open(&alone, epoch);
        }
        let large = Settings { input: input.clone(), ..settings.clone() };
        let (keep, keep_bytes) = KEPT;
        let small = Settings { keep, keep_bytes, ..settings.clone() };
        Ok(Self {
            large: Some(Large {
                stream: Pipeline::open(&large, Purpose::Clips, epoch)?,
                paired: Arc::clone(paired),
                address: input.address(),
            }),
            seen: Pipeline::open(&small, Purpose::Analysis, epoch)?,
            latest: None,
        })
    }

    /// The next due picture, waiting at most `timeout`.
    pub fn next(&mut self, timeout: Duration) -> Result<Next, SourceError> {
        if let Some(Large { stream, paired, address }) = &mut self.large {
            stream.keep_up(self.latest.map_or(0, |(t, _)| t) + AHEAD)?;
            if stream.uncut() {
                paired.give_up();
            }
            if paired.given_up() {
                return Err(SourceError::Apart { address: address.clone(), uncut: stream.uncut() });
            }
        }
        let next = self.seen.next(timeout)?;
        if let Next::Picture(picture) = &next {
            self.latest = Some((picture.t, picture.captured_at));
        }
        Ok(next)
    }

    /// The encoded stream that shows `span`, as long as a file of evidence may be: of the large
    /// stream where there are two.
    pub fn clip(&self, span: &Span) -> Option<Clip> {
        let Some(Large { stream, .. }) = &self.large else { return self.seen.clip(span) };
        let ahead = ahead(self.latest?, stream.newest()?)?;
        let moved = |t: u64| t.saturating_add_signed(ahead);
        let span = Span {
            from: moved(span.from),
            moments: span.moments.iter().copied().map(moved).collect(),
            to: moved(span.to),
        };
        stream.clip(&span).map(|clip| Clip { larger: Some(ahead), ..clip })
    }

    /// No clip will be asked for that begins before `from`.
    pub fn need(&self, from: Nanos) {
        let Some(Large { stream, .. }) = &self.large else { return self.seen.need(from) };
        let (Some(latest), Some(newest)) = (self.latest, stream.newest()) else { return };
        if let Some(ahead) = ahead(latest, newest) {
            stream.need(from.saturating_add_signed(ahead));
        }
    }

    /// Whether clips are of another stream than the pictures.
    pub const fn is_pair(&self) -> bool {
        self.large.is_some()
    }

    /// Whether everything that is to come has begun to come.
    pub fn complete(&self) -> bool {
        self.latest.is_some()
            && self.large.as_ref().is_none_or(|large| large.stream.newest().is_some())
    }

    /// Whether a recording that ended was all there.
    pub fn whole(&self) -> Result<(), SourceError> {
        self.large.as_ref().map_or(Ok(()), |large| large.stream.whole())?;
        self.seen.whole()
    }

    /// Counts since opening, of the analysed stream.
    pub fn counts(&self) -> Counts {
        self.seen.counts()
    }

    pub fn epoch(&self) -> u32 {
        let large = self.large.as_ref().map_or(0, |large| large.stream.epoch());
        self.seen.epoch().max(large)
    }

    pub fn decoder(&self) -> Option<&'static str> {
        self.seen.decoder()
    }

    /// Losses in the streams since they were opened, by cause.
    pub fn losses(&self) -> BTreeMap<Damage, u64> {
        let mut losses = self.seen.losses();
        for (damage, count) in self.large.iter().flat_map(|large| large.stream.losses()) {
            *losses.entry(damage).or_default() += count;
        }
        losses
    }
}

/// How far the times of one stream lie ahead of another's, each given by a stream time and when that
/// was captured.
fn ahead(seen: (Nanos, OffsetDateTime), large: (Nanos, OffsetDateTime)) -> Option<i64> {
    let apart = i64::try_from((seen.1 - large.1).whole_nanoseconds()).ok()?;
    let then = i64::try_from(large.0).ok()?.checked_add(apart)?;
    then.checked_sub(i64::try_from(seen.0).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_joined_by_when_they_were_captured() {
        let at = |ms: i64| OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(ms);
        let ms = 1_000_000;
        // Opened two seconds before the other, and half a second behind it in coming.
        let (seen, large) = ((5_000 * ms, at(100_000)), (6_500 * ms, at(99_500)));
        assert_eq!(ahead(seen, large), Some(2_000_000_000));
        assert_eq!(ahead(large, seen), Some(-2_000_000_000));
    }

    #[test]
    fn three_failures_in_a_row_are_for_good() {
        let paired = Paired::default();
        for together in [false, false, true, false, false] {
            paired.note(together);
            assert!(!paired.given_up());
        }
        paired.note(false);
        assert!(paired.given_up());
        paired.note(true);
        assert!(paired.given_up());
    }
}
