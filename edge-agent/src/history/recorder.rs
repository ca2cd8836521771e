//! Listens to one camera's loop and hands on a record for every vehicle that is over, once the last
//! of its accusations has been handed on or let go.

use std::collections::BTreeMap;

use contract::Act;
use contract::manifest::Clock;
use plate_model::Verdict;
use time::OffsetDateTime;

use super::path::{self, Sight};
use super::queue::Sender;
use super::record::{Followed, Millis, Record, Word};
use crate::see::Nanos;
use crate::see::track::{Sighting, Track};
use crate::source::Picture;
use crate::watch::listener::{Listener, Look, Said};

/// Words kept of vehicles whose end was never told.
const MOST: usize = 1024;

/// The picture by which stream times are dated.
#[derive(Debug, Clone)]
struct Dated {
    t: Nanos,
    at: OffsetDateTime,
    clock: Clock,
    size: [f32; 2],
}

/// What is known of one vehicle so far.
#[derive(Debug, Default)]
struct Open {
    said: BTreeMap<String, Word>,
    /// Rules whose finding waits for its clip.
    waiting: Vec<String>,
    over: Option<Followed>,
}

/// One camera's.
#[derive(Debug)]
pub struct Recorder {
    camera: String,
    to: Sender,
    last: Option<Dated>,
    open: BTreeMap<u64, Open>,
}

impl Recorder {
    pub fn new(camera: &str, to: Sender) -> Self {
        Self { camera: camera.into(), to, last: None, open: BTreeMap::new() }
    }

    fn of(&mut self, track: u64) -> &mut Open {
        // Numbers count up: the first is who was forgotten longest ago.
        if self.open.len() >= MOST && !self.open.contains_key(&track) {
            self.open.pop_first();
        }
        self.open.entry(track).or_default()
    }

    /// Hands on who is over and has nothing open.
    fn settle(&mut self, all: bool) {
        let done = |open: &Open| open.over.is_some() && (all || open.waiting.is_empty());
        let ready: Vec<u64> =
            self.open.iter().filter(|(_, open)| done(open)).map(|(id, _)| *id).collect();
        for id in ready {
            let Some(Open { said, over: Some(over), .. }) = self.open.remove(&id) else { continue };
            self.to.send(Record::Track(Followed { said, ..over }));
        }
    }

    fn followed(&self, track: &Track) -> Option<Followed> {
        let Dated { t, at, clock, size: [width, height] } = self.last.as_ref()?;
        let sights: Vec<Sight> = track
            .whole()
            .map(|seen| {
                let [x, y] = seen.bbox.foot();
                (seen.t, [x / width, y / height])
            })
            .collect();
        let captured = |seen: Nanos| millis(*at) + (seen as i128 - *t as i128) as i64 / 1_000_000;
        let (begin, end) = (sights.first()?.0, track.last().t);
        let quality = track.quality(begin, end);
        Some(Followed {
            camera: self.camera.clone(),
            track: track.id,
            class: track.class,
            begin: captured(begin),
            end: captured(end),
            clock: clock.source,
            offset_ms: clock.offset_ms,
            seen: u32::try_from(sights.len()).unwrap_or(u32::MAX),
            clear: (quality.clarity * 100.0).round() as u8,
            path: path::simplified(&sights),
            said: BTreeMap::new(),
        })
    }
}

/// Milliseconds since 1970.
pub fn millis(at: OffsetDateTime) -> Millis {
    // Of years up to 9999 they fit many times over.
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).unwrap_or(i64::MAX)
}

impl Listener for Recorder {
    fn picture(&mut self, picture: &Picture, _sightings: &[Sighting], _tracks: &[Track]) {
        self.settle(false);
        self.last = Some(Dated {
            t: picture.t,
            at: picture.captured_at,
            clock: picture.clock.clone(),
            size: [picture.frame.width() as f32, picture.frame.height() as f32],
        });
    }

    fn look(&mut self, _picture: &Picture, _look: &Look<'_>) {}

    fn ended(&mut self, track: &Track, _looks: u32, _fused: &Verdict) {
        let over = self.followed(track);
        self.of(track.id).over = over;
    }

    fn found(&mut self, track: &Track, rule: &Act) {
        self.of(track.id).waiting.push(rule.name().into());
    }

    fn decided(&mut self, track: &Track, rule: &Act, said: &Said<'_>) {
        let word = match said {
            Said::Lawful(kind) => Word::Lawful(kind.name().into()),
            Said::Abstained(doubt) => Word::Doubt(doubt.name().into()),
            Said::Accused(charge) => Word::Accused {
                act: charge.act.name().into(),
                at: millis(charge.at),
                reason: charge.reason.into(),
                evidence: charge.evidence,
            },
        };
        let open = self.of(track.id);
        open.waiting.retain(|waiting| waiting != rule.name());
        open.said.insert(rule.name().into(), word);
    }
}

/// The camera's loop is over.
impl Drop for Recorder {
    fn drop(&mut self) {
        self.settle(true);
    }
}
