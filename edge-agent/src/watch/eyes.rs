//! The networks as the loop uses them, and the pool of them that all cameras share: as many sets
//! as inference threads are configured, each used by one camera at a time. Cameras before which
//! somebody may be about to do what he may not come first, else the order is that in which they asked;
//! none starves where there is more to see than the machine bears.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use contract::VehicleClass;
use contract::manifest::ModelUsed;
use plate_model::card::Card;
use plate_model::{
    BBox, Characters, Detection, Fusion, ModelError, Models, Options, Planes, PlateQuad, View,
};

use crate::config;
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

/// So many sets of the configured networks, each made into eyes, and which they are.
pub fn load<E: Eyes>(
    config: &config::Models,
    sets: usize,
    wrap: impl Fn(Models) -> E,
) -> plate_model::Result<(Arc<Pool<E>>, Vec<ModelUsed>)> {
    let options = Options::of(config.precision);
    let (card, _) = Card::read(&config.dir, &options.vehicles)?;
    let score = card.thresholds.get("score");
    let tracking = score.map_or_else(Settings::default, |&score| Settings::for_threshold(score));
    let load = || {
        let mut models = Models::load(&config.dir, &options)?;
        // The tracker's second stage lives on weak detections.
        models.detector.set_score_threshold(tracking.weak);
        Ok::<_, ModelError>(models)
    };
    let first = load()?;
    let used = first.used.clone();
    let others = (1..sets).map(|_| load().map(&wrap)).collect::<Result<_, _>>()?;
    Ok((Arc::new(Pool::new(wrap(first), others, tracking)), used))
}

/// So many that ask later, and have something to see, come before one that has not.
const PASSED: u64 = 8;

/// Sets of networks, lent one at a time.
#[derive(Debug)]
pub struct Pool<E> {
    desk: Mutex<Desk<E>>,
    returned: Condvar,
    sets: usize,
    prototype: Fusion,
    tracking: Settings,
}

impl<E: Eyes> Pool<E> {
    /// A pool of at least one set; `tracking` suits their scores.
    pub fn new(first: E, others: Vec<E>, tracking: Settings) -> Self {
        let prototype = first.fusion(VehicleClass::Motorbike);
        let mut idle = others;
        idle.push(first);
        let sets = idle.len();
        let desk = Mutex::new(Desk { idle, next: 0, waiting: BTreeSet::new() });
        Self { desk, returned: Condvar::new(), sets, prototype, tracking }
    }

    /// So many can look at once.
    pub const fn sets(&self) -> usize {
        self.sets
    }

    /// Waits for an idle set, behind whoever asked before; who is not `urgent` also behind some of
    /// those that are and ask later.
    pub fn take(&self, urgent: bool) -> Lent<'_, E> {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let number = desk.next;
        desk.next += 1;
        let place = (number + if urgent { 0 } else { PASSED }, !urgent, number);
        desk.waiting.insert(place);
        loop {
            if desk.waiting.first() == Some(&place)
                && let Some(eyes) = desk.idle.pop()
            {
                desk.waiting.remove(&place);
                // The next in turn may find another idle set.
                self.returned.notify_all();
                return Lent { pool: self, eyes: Some(eyes) };
            }
            desk = self.returned.wait(desk).unwrap_or_else(PoisonError::into_inner);
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

/// Idle sets, and who waits for one.
#[derive(Debug)]
struct Desk<E> {
    idle: Vec<E>,
    /// The number that the next one draws.
    next: u64,
    /// By turn, whether it is not urgent, number.
    waiting: BTreeSet<(u64, bool, u64)>,
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
            self.pool.desk.lock().unwrap_or_else(PoisonError::into_inner).idle.push(eyes);
            self.pool.returned.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sees nothing.
    struct Blind;

    impl Eyes for Blind {
        fn vehicles(&mut self, _: &Planes<'_>, _: &View) -> plate_model::Result<Vec<Detection>> {
            Ok(Vec::new())
        }

        fn plate(
            &mut self,
            _: &Planes<'_>,
            _: BBox,
        ) -> plate_model::Result<Option<(PlateQuad, Characters)>> {
            Ok(None)
        }

        fn fusion(&self, class: VehicleClass) -> Fusion {
            Fusion::new(class)
        }
    }

    #[test]
    fn cameras_are_served_in_the_order_in_which_they_asked() {
        let pool = Arc::new(Pool::new(Blind, Vec::new(), Settings::default()));
        let order = Arc::new(Mutex::new(Vec::new()));
        let busy = pool.take(true);
        let cameras: Vec<_> = (0..12)
            .map(|camera| {
                let (its, order) = (Arc::clone(&pool), Arc::clone(&order));
                let thread = std::thread::spawn(move || {
                    let _lent = its.take(true);
                    order.lock().unwrap().push(camera);
                });
                // Until it has asked: one has before the first.
                while pool.desk.lock().unwrap().next < camera + 2 {
                    std::thread::yield_now();
                }
                thread
            })
            .collect();
        assert!(order.lock().unwrap().is_empty(), "the only set is lent");
        drop(busy);
        cameras.into_iter().for_each(|camera| camera.join().unwrap());
        assert_eq!(*order.lock().unwrap(), (0..12).collect::<Vec<u64>>());
    }

    #[test]
    fn who_has_something_to_see_comes_first_and_the_others_do_come() {
        let pool = Arc::new(Pool::new(Blind, Vec::new(), Settings::default()));
        let order = Arc::new(Mutex::new(Vec::new()));
        let busy = pool.take(true);
        let ask = |urgent: bool, name: u64| {
            let before = pool.desk.lock().unwrap().next;
            let (its, order) = (Arc::clone(&pool), Arc::clone(&order));
            let thread = std::thread::spawn(move || {
                let _lent = its.take(urgent);
                order.lock().unwrap().push(name);
            });
            while pool.desk.lock().unwrap().next == before {
                std::thread::yield_now();
            }
            thread
        };
        // One that looks at an empty street, and twelve after it that do not.
        let cameras: Vec<_> = (0..13).map(|name| ask(name > 0, name)).collect();
        drop(busy);
        cameras.into_iter().for_each(|camera| camera.join().unwrap());
        assert_eq!(*order.lock().unwrap(), [1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 10, 11, 12]);
    }

    #[test]
    fn every_idle_set_is_lent_at_once() {
        let pool = Pool::new(Blind, vec![Blind, Blind], Settings::default());
        let lent = [pool.take(true), pool.take(false), pool.take(true)];
        drop(lent);
        drop(pool.take(false));
        assert_eq!(pool.desk.lock().unwrap().idle.len(), 3);
    }
}
