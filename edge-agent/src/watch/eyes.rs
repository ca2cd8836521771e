//! The networks as the loop uses them, and the pool of them that all cameras share: as many sets
//! as inference threads are configured, each used by one camera at a time.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, PoisonError};

use contract::VehicleClass;
use plate_model::{BBox, Characters, Detection, Fusion, Models, Planes, PlateQuad, View};

use crate::see::tracker::Settings;

/// Sees vehicles and plates in pictures.
pub trait Eyes: Send + 'static {
    fn vehicles(&mut self, planes: &Planes<'_>, view: &View)
    -> plate_model::Result<Vec<Detection>>;

    /// The plate of the vehicle at `bbox`, where one can be seen.
    fn plate(
        &mut self,
        planes: &Planes<'_>,
        bbox: BBox,
    ) -> plate_model::Result<Option<(PlateQuad, Characters)>>;

    /// Collects readings for one vehicle.
    fn fusion(&self, class: VehicleClass) -> Fusion;
}

impl Eyes for Models {
    fn vehicles(
        &mut self,
        planes: &Planes<'_>,
        view: &View,
    ) -> plate_model::Result<Vec<Detection>> {
        self.detector.detect(planes, view)
    }

    fn plate(
        &mut self,
        planes: &Planes<'_>,
        bbox: BBox,
    ) -> plate_model::Result<Option<(PlateQuad, Characters)>> {
        let found = self.plates(planes, bbox)?;
        // A plate of the vehicle behind lies above this one's: the lowest of the good ones counts.
        let best = found.first().map_or(0.0, |quad| quad.score);
        let own = found
            .into_iter()
            .filter(|quad| quad.score >= 0.6 * best)
            .max_by(|a, b| a.bbox().y2.total_cmp(&b.bbox().y2));
        match own {
            Some(quad) => Ok(Some((quad, self.reader.read(planes, &quad)?))),
            None => Ok(None),
        }
    }

    fn fusion(&self, class: VehicleClass) -> Fusion {
        Self::fusion(self, class)
    }
}

/// Sets of networks, lent one at a time.
#[derive(Debug)]
pub struct Pool<E> {
    idle: Mutex<Vec<E>>,
    returned: Condvar,
    prototype: Fusion,
    tracking: Settings,
}

impl<E: Eyes> Pool<E> {
    /// A pool of at least one set; `tracking` suits their scores.
    pub fn new(first: E, others: Vec<E>, tracking: Settings) -> Self {
        let prototype = first.fusion(VehicleClass::Motorbike);
        let mut idle = others;
        idle.push(first);
        Self { idle: Mutex::new(idle), returned: Condvar::new(), prototype, tracking }
    }

    /// Waits for an idle set.
    pub fn take(&self) -> Lent<'_, E> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(eyes) = idle.pop() {
                return Lent { pool: self, eyes: Some(eyes) };
            }
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub const fn tracking(&self) -> Settings {
        self.tracking
    }

    pub fn fusion(&self, class: VehicleClass) -> Fusion {
        let mut fusion = self.prototype.clone();
        fusion.set_vehicle(class);
        fusion
    }
}

/// A lent set; returns by itself.
pub struct Lent<'a, E: Eyes> {
    pool: &'a Pool<E>,
    eyes: Option<E>,
}

impl<E: Eyes> std::fmt::Debug for Lent<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lent")
    }
}

impl<E: Eyes> Deref for Lent<'_, E> {
    type Target = E;

    fn deref(&self) -> &E {
        match &self.eyes {
            Some(eyes) => eyes,
            // Present from `take` until `drop`, which nothing outlives.
            None => unreachable!("lent eyes are present"),
        }
    }
}

impl<E: Eyes> DerefMut for Lent<'_, E> {
    fn deref_mut(&mut self) -> &mut E {
        match &mut self.eyes {
            Some(eyes) => eyes,
            None => unreachable!("lent eyes are present"),
        }
    }
}

impl<E: Eyes> Drop for Lent<'_, E> {
    fn drop(&mut self) {
        if let Some(eyes) = self.eyes.take() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(eyes);
            self.pool.returned.notify_one();
        }
    }
}
