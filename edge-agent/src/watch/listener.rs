//! Who looks over the loop's shoulder: a replay that measures tracks and readings. Nothing is
//! computed for a listener that is not there.

use std::sync::{Arc, Mutex, PoisonError};

use plate_model::{BBox, PlateQuad, Verdict};

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

/// Is told what the loop saw, in the order in which it saw it.
pub trait Listener: Send {
    /// One picture: what the detector gave and every track afterwards; of one that shows nothing,
    /// none.
    fn picture(&mut self, picture: &Picture, sightings: &[Sighting], tracks: &[Track]);

    /// A plate was found and read in the picture last told.
    fn look(&mut self, picture: &Picture, look: &Look<'_>);

    /// A confirmed track is over; `fused` is what all looks at its plate say together.
    fn ended(&mut self, track: &Track, looks: u32, fused: &Verdict);
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
}
