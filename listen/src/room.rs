//! Who is in: connections counted for each address and in all, and who makes room for whom.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::Bounds;

/// Digest or bytes that tell one client certificate from another.
pub(crate) type Certificate = Vec<u8>;

#[derive(Debug)]
pub(crate) struct Room {
    name: &'static str,
    bounds: Bounds,
    guests: Mutex<Guests>,
}

#[derive(Debug, Default)]
struct Guests {
    by_id: BTreeMap<u64, Guest>,
    /// Ids and turns, both from one count.
    next: u64,
}

#[derive(Debug)]
struct Guest {
    /// None for addresses that are not bounded by themselves.
    network: Option<IpAddr>,
    certificate: Option<Certificate>,
    /// Since which turn it waits without being anybody; none while it is somebody.
    waiting: Option<u64>,
    leave: CancellationToken,
}

/// A connection's place; given up when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    place: Place,
    /// Cancelled when the connection must make room.
    pub leave: CancellationToken,
}

/// The same place, for what happens inside the connection.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    room: Arc<Room>,
    id: u64,
}

impl Room {
    pub fn new(name: &'static str, bounds: Bounds) -> Self {
        Self { name, bounds, guests: Mutex::default() }
    }

    /// A place for a newcomer, at the cost of one who has waited longer; none where all places are
    /// taken by somebody.
    pub fn arrive(self: &Arc<Self>, network: Option<IpAddr>) -> Option<Seat> {
        let mut guests = self.guests();
        let own = |guest: &Guest| guest.network == network && guest.certificate.is_none();
        let crowded = network.is_some()
            && guests.by_id.values().filter(|guest| own(guest)).count() >= self.bounds.per_address;
        let full = guests.by_id.len() >= self.bounds.connections;
        if (crowded && !self.evict(&mut guests, own))
            || (full && !crowded && !self.evict_of_the_largest(&mut guests))
        {
            self.count("listener_refused_total");
            return None;
        }
        let (id, turn) = (guests.turn(), guests.turn());
        let leave = CancellationToken::new();
        let guest = Guest { network, certificate: None, waiting: Some(turn), leave: leave.clone() };
        guests.by_id.insert(id, guest);
        self.publish(&guests);
        Some(Seat { place: Place { room: Arc::clone(self), id }, leave })
    }

    /// Sends one away that waits, where there is one.
    pub fn make_room(&self) {
        self.evict_of_the_largest(&mut self.guests());
    }

    /// Sends everybody away.
    pub fn empty(&self) {
        for guest in std::mem::take(&mut self.guests().by_id).into_values() {
            guest.leave.cancel();
        }
    }

    /// Of all who wait, the network with the most loses its oldest: one client with many
    /// connections pays before many with one.
    fn evict_of_the_largest(&self, guests: &mut Guests) -> bool {
        let mut sizes: HashMap<Option<IpAddr>, usize> = HashMap::new();
        for guest in guests.by_id.values().filter(|guest| guest.waiting.is_some()) {
            *sizes.entry(guest.network).or_default() += 1;
        }
        let Some((&largest, _)) = sizes.iter().max_by_key(|(_, size)| **size) else { return false };
        self.evict(guests, |guest| guest.network == largest)
    }

    /// Sends away the longest waiting of `whom`.
    fn evict(&self, guests: &mut Guests, whom: impl Fn(&Guest) -> bool) -> bool {
        let waiting = guests.by_id.iter().filter(|(_, guest)| whom(guest));
        let oldest = waiting
            .filter_map(|(id, guest)| Some((guest.waiting?, *id)))
            .min()
            .and_then(|(_, id)| guests.by_id.remove(&id));
        let Some(guest) = oldest else { return false };
        guest.leave.cancel();
        self.count("listener_evicted_total");
        true
    }

    fn count(&self, metric: &'static str) {
        metrics::counter!(metric, "listener" => self.name).increment(1);
    }

    fn publish(&self, guests: &Guests) {
        metrics::gauge!("listener_connections", "listener" => self.name)
            .set(guests.by_id.len() as f64);
    }

    fn guests(&self) -> MutexGuard<'_, Guests> {
        // Every change is one insert, removal or assignment: never half done.
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guests {
    fn turn(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Seat {
    pub fn place(&self) -> Place {
        self.place.clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut guests = self.place.room.guests();
        guests.by_id.remove(&self.place.id);
        self.place.room.publish(&guests);
    }
}

impl Place {
    /// The connection is somebody with this certificate for the rest of its life; false where
    /// that one has enough connections.
    pub fn identify(&self, certificate: Certificate) -> bool {
        let mut guests = self.room.guests();
        let same = guests.by_id.values().filter(|g| g.certificate.as_ref() == Some(&certificate));
        if same.count() >= self.room.bounds.per_certificate {
            self.room.count("listener_refused_total");
            return false;
        }
        let Some(guest) = guests.by_id.get_mut(&self.id) else { return false };
        guest.certificate = Some(certificate);
        guest.waiting = None;
        true
    }

    /// A whole request is here: somebody.
    pub fn settle(&self) {
        if let Some(guest) = self.room.guests().by_id.get_mut(&self.id) {
            guest.waiting = None;
        }
    }

    /// No request is open: waiting again, unless known by certificate.
    pub fn rest(&self) {
        let mut guests = self.room.guests();
        let turn = guests.turn();
        if let Some(guest) = guests.by_id.get_mut(&self.id)
            && guest.certificate.is_none()
        {
            guest.waiting = Some(turn);
        }
    }
}
