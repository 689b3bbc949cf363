//! What one check may spend.
//!
//! A budget is shared by every task of a check and spent before a packet leaves; it is never
//! refilled. A walk takes a smaller one out of it, so that no single delegation eats all. Its time is spent likewise, but
//! not while it waits in our own queues ([`Errand`]).

mod clock;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::clock::Clock;
pub use self::clock::Errand;

/// The most packets that one check may send, a TCP exchange counting as one (SECURITY.md A1).
pub const MAX_SENDS_PER_CHECK: u32 = 300;
/// The most packets that one walk may send, the walks that it needs for server addresses included (SECURITY.md A1).
pub const MAX_SENDS_PER_WALK: u32 = 50;
/// The most octets that one check may receive (SECURITY.md A1).
pub const MAX_OCTETS_PER_CHECK: u64 = 512 * 1024;
/// The most server names whose addresses one check looks up (SECURITY.md A2).
pub const MAX_ADDRESS_LOOKUPS_PER_CHECK: u32 = 26;

/// The number of the next check.
static NEXT_CHECK: AtomicU64 = AtomicU64::new(0);

/// A purse of packets, octets and address lookups.
#[derive(Debug)]
pub struct Budget {
    /// The check that it belongs to.
    check: u64,
    /// Packets that may still be sent.
    sends_left: AtomicU32,
    /// Packets that were sent.
    sends_spent: AtomicU32,
    /// Octets that may still be received; what comes over it is read, and then no more is asked.
    octets_left: AtomicU64,
    /// Server names whose addresses may still be looked up.
    address_lookups_left: AtomicU32,
    /// How the whole check stands in the queues.
    queueing: Arc<Queueing>,
    /// The purse that this one is a part of.
    parent: Option<Arc<Self>>,
}

/// How a check stands in our own queues.
#[derive(Debug, Default)]
struct Queueing {
    /// Its clock.
    clock: Mutex<Clock>,
    /// Whether a question was put off, as its turn did not come.
    has_put_off: AtomicBool,
}

impl Budget {
    /// Opens the purse of one check.
    #[must_use]
    pub fn for_check() -> Arc<Self> {
        Arc::new(Self::with(MAX_SENDS_PER_CHECK, MAX_OCTETS_PER_CHECK, MAX_ADDRESS_LOOKUPS_PER_CHECK, None))
    }

    /// Takes the purse of one walk out of this one.
    #[must_use]
    pub fn for_walk(self: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self::with(
            MAX_SENDS_PER_WALK,
            MAX_OCTETS_PER_CHECK,
            MAX_ADDRESS_LOOKUPS_PER_CHECK,
            Some(Arc::clone(self)),
        ))
    }

    /// Fills a purse.
    fn with(sends: u32, octets: u64, address_lookups: u32, parent: Option<Arc<Self>>) -> Self {
        Self {
            check: parent.as_ref().map_or_else(|| NEXT_CHECK.fetch_add(1, Ordering::Relaxed), |parent| parent.check),
            sends_left: AtomicU32::new(sends),
            sends_spent: AtomicU32::new(0),
            octets_left: AtomicU64::new(octets),
            address_lookups_left: AtomicU32::new(address_lookups),
            queueing: parent.as_ref().map_or_else(Arc::default, |parent| Arc::clone(&parent.queueing)),
            parent,
        }
    }

    /// Returns the number of the check that this purse belongs to: the same for all its walks, another for each check.
    #[must_use]
    pub fn check(&self) -> u64 {
        self.check
    }

    /// Pays for one packet, here and in every purse above; false, and nothing is paid, where one is empty.
    #[must_use]
    pub fn spend_send(&self) -> bool {
        if self.octets_left.load(Ordering::Relaxed) == 0 || !take_one(&self.sends_left) {
            return false;
        }
        if self.parent.as_ref().is_some_and(|parent| !parent.spend_send()) {
            self.sends_left.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        self.sends_spent.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Pays for octets that came in; more than there are empties the purse.
    pub fn spend_octets(&self, octets: usize) {
        let octets = u64::try_from(octets).unwrap_or(u64::MAX);
        let _ = self
            .octets_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(octets)));
        if let Some(parent) = &self.parent {
            parent.spend_octets(octets.try_into().unwrap_or(usize::MAX));
        }
    }

    /// Pays for the lookup of one server name's addresses; false where no more may be looked up.
    #[must_use]
    pub fn spend_address_lookup(&self) -> bool {
        take_one(&self.address_lookups_left) && self.parent.as_ref().is_none_or(|parent| parent.spend_address_lookup())
    }

    /// Takes note of what a question of the check begins to do.
    pub fn begin(&self, errand: Errand, now: Instant) {
        self.queueing.clock.lock().unwrap_or_else(PoisonError::into_inner).begin(errand, now);
    }

    /// Takes note of what a question of the check is done with.
    pub fn end(&self, errand: Errand, now: Instant) {
        self.queueing.clock.lock().unwrap_or_else(PoisonError::into_inner).end(errand, now);
    }

    /// Returns for how long the check has done nothing so far but wait in our own queues.
    #[must_use]
    pub fn queued_for(&self, now: Instant) -> Duration {
        self.queueing.clock.lock().unwrap_or_else(PoisonError::into_inner).stopped(now)
    }

    /// Takes note that a question of the check was put off, as its turn did not come.
    pub fn note_put_off(&self) {
        self.queueing.has_put_off.store(true, Ordering::Relaxed);
    }

    /// Says whether a question of the check was put off: then what is known of the domain may be too little to tell.
    #[must_use]
    pub fn has_put_off(&self) -> bool {
        self.queueing.has_put_off.load(Ordering::Relaxed)
    }

    /// Says whether nothing more may be sent.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.sends_left.load(Ordering::Relaxed) == 0
            || self.octets_left.load(Ordering::Relaxed) == 0
            || self.parent.as_ref().is_some_and(|parent| parent.is_exhausted())
    }

    /// Returns how many packets were sent.
    #[must_use]
    pub fn sends(&self) -> u32 {
        self.sends_spent.load(Ordering::Relaxed)
    }
}

/// Takes one from a counter; false where it is at zero.
fn take_one(counter: &AtomicU32) -> bool {
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_stops_at_its_own_limit_and_at_that_of_the_check() {
        let check = Budget::for_check();
        for walk in 0..MAX_SENDS_PER_CHECK / MAX_SENDS_PER_WALK {
            let walk_budget = check.for_walk();
            assert!((0..MAX_SENDS_PER_WALK).all(|_| walk_budget.spend_send()), "walk {walk}");
            assert!(!walk_budget.spend_send());
            assert!(walk_budget.is_exhausted());
        }
        assert_eq!(check.sends(), MAX_SENDS_PER_CHECK);
        assert!(!check.for_walk().spend_send(), "the check is out of packets");
    }

    #[test]
    fn walks_belong_to_their_check() {
        let (one, other) = (Budget::for_check(), Budget::for_check());
        assert_eq!(one.for_walk().check(), one.check());
        assert_eq!(one.for_walk().for_walk().check(), one.check());
        assert_ne!(one.check(), other.check());
    }

    #[test]
    fn a_walk_waits_on_the_clock_of_its_check() {
        let (check, now) = (Budget::for_check(), Instant::now());
        let walk = check.for_walk();
        walk.begin(Errand::Waiting, now);
        let later = now + Duration::from_secs(7);
        assert_eq!(check.queued_for(later), Duration::from_secs(7));
        walk.end(Errand::Waiting, later);
        walk.note_put_off();
        assert_eq!(check.queued_for(later + Duration::from_secs(1)), Duration::from_secs(7));
        assert!(check.has_put_off());
    }

    #[test]
    fn octets_empty_the_purse() {
        let check = Budget::for_check();
        let walk = check.for_walk();
        walk.spend_octets(1000);
        assert!(walk.spend_send());
        walk.spend_octets(usize::MAX);
        assert!(!walk.spend_send());
        assert!(!check.spend_send(), "the octets of a walk are those of its check");
    }

    #[test]
    fn address_lookups_are_counted_over_all_walks() {
        let check = Budget::for_check();
        let lookups = (0..100).filter(|_| check.for_walk().spend_address_lookup()).count();
        assert_eq!(lookups, 26);
    }
}
