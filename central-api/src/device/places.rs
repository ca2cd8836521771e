//! How many requests run at once: of all boxes together, and of any one of them, so that a box that
//! leaves its requests open leaves the others their places.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests of one box at once: it delivers one file after another, and some may hang on a bad line.
const OF_ONE: usize = 8;

/// Places of all devices.
#[derive(Debug)]
pub struct Places {
    most: usize,
    taken: Mutex<HashMap<String, usize>>,
}

impl Places {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// A place for a request of `device`, until it is dropped; none where there is none.
    pub fn take(self: &Arc<Self>, device: &str) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.get(device).copied().unwrap_or(0);
        if all >= self.most || own >= OF_ONE {
            return None;
        }
        taken.insert(device.to_owned(), own + 1);
        Some(Place { places: Arc::clone(self), device: device.to_owned() })
    }
}

/// A request's place.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    device: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.device) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.device);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_box_leaves_the_others_their_places() {
        let places = Places::new(OF_ONE + 2);
        let greedy: Vec<Place> = (0..2 * OF_ONE).filter_map(|_| places.take("edge-01")).collect();
        assert_eq!(greedy.len(), OF_ONE);
        let others = [places.take("edge-02"), places.take("edge-03")];
        assert!(others.iter().all(Option::is_some));
        assert!(places.take("edge-04").is_none(), "all are taken");
        drop(greedy);
        assert!(places.take("edge-01").is_some() && places.take("edge-04").is_some());
        drop(others);
        assert!(places.taken.lock().unwrap().is_empty(), "nothing is kept of who is gone");
    }
}
