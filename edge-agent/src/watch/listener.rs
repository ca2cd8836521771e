//! Who looks over the loop's shoulder: a replay that measures tracks and readings, the history that
//! a technician asks afterwards. Nothing is computed for a listener that is not there.

use std::sync::{Arc, Mutex, PoisonError};

use contract::Act;
use judge::{Doubt, Lawful};
use plate_model::{BBox, PlateQuad, Verdict};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::see::track::{Sighting, Track};
use crate::source::Picture;

/// One look at a vehicle's plate.
#[derive(Debug)]
pub struct Look<'a> {
    pub track: u64,
    /// The vehicle's box, frame pixels.
    pub vehicle: BBox,
    pub quad: &'a PlateQuad,
    /// How much this look counts among others, 0 to 1.
    pub weight: f32,
    /// What this one frame alone says.
    pub alone: Verdict,
}

/// The last word of a rule about a track.
#[derive(Debug, Clone, Copy)]
pub enum Said<'a> {
    Lawful(Lawful),
    Abstained(Doubt),
    /// Handed on to be sealed.
    Accused(Charge<'a>),
}

/// What a track is accused of.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'a> {
    /// The rule may have several acts of the law.
    pub act: &'a Act,
    pub at: OffsetDateTime,
    pub reason: &'a str,
    pub evidence: Uuid,
}

/// Is told what the loop saw, in the order in which it saw it.
pub trait Listener: Send {
    /// One picture: what the detector gave and every track afterwards; of one that shows nothing,
    /// none.
    fn picture(&mut self, picture: &Picture, sightings: &[Sighting], tracks: &[Track]);

    /// A plate was found and read in the picture last told.
    fn look(&mut self, picture: &Picture, look: &Look<'_>);

    /// A confirmed track is over; `fused` is what all looks at its plate say together.
    ///
    /// Told again where pictures that showed nothing have to be left out of it.
    fn ended(&mut self, track: &Track, looks: u32, fused: &Verdict);

    /// The rule of this act found a violation; its word follows when the clip is complete, which may
    /// be after the track's end.
    fn found(&mut self, _track: &Track, _rule: &Act) {}

    /// The rule of this act has decided; a later word replaces an earlier one.
    fn decided(&mut self, _track: &Track, _rule: &Act, _said: &Said<'_>) {}
}

/// Shared with whoever takes the notes afterwards.
impl<L: Listener> Listener for Arc<Mutex<L>> {
    fn picture(&mut self, picture: &Picture, sightings: &[Sighting], tracks: &[Track]) {
        self.lock().unwrap_or_else(PoisonError::into_inner).picture(picture, sightings, tracks);
    }

    fn look(&mut self, picture: &Picture, look: &Look<'_>) {
        self.lock().unwrap_or_else(PoisonError::into_inner).look(picture, look);
    }

    fn ended(&mut self, track: &Track, looks: u32, fused: &Verdict) {
        self.lock().unwrap_or_else(PoisonError::into_inner).ended(track, looks, fused);
    }

    fn found(&mut self, track: &Track, rule: &Act) {
        self.lock().unwrap_or_else(PoisonError::into_inner).found(track, rule);
    }

    fn decided(&mut self, track: &Track, rule: &Act, said: &Said<'_>) {
        self.lock().unwrap_or_else(PoisonError::into_inner).decided(track, rule, said);
    }
}
