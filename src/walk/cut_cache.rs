//! Zone cuts and server addresses that are known from earlier walks.
//!
//! Only what a parent said is kept (RFC 2181 §5.4.1, ghost domains: SECURITY.md F5), never longer than its time to
//! live, and never a leaf answer. Whoever looks for the same thing at the same time waits for the
//! first one's walk.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::rrset::Ttl;
use crate::evidence::{Unresolved, ZoneCut};

/// The least and the most time that anything is kept (SECURITY.md, limits).
const KEPT_AT_LEAST: Duration = Duration::from_secs(5);
/// See [`KEPT_AT_LEAST`].
const KEPT_AT_MOST: Duration = Duration::from_secs(3600);
/// How old the delegation of a checked domain may be (SECURITY.md, limits).
pub const FRESH_ENOUGH_FOR_A_CHECK: Duration = Duration::from_secs(60);
/// How long it is remembered that a server's address could not be learned (RFC 9520 §3.2, SECURITY.md A3 and A10).
const FAILURE_KEPT: Duration = Duration::from_secs(60);
/// How long it is remembered where a limit of ours or silence was the reason.
const PASSING_FAILURE_KEPT: Duration = Duration::from_secs(5);
/// How many entries the caches are laid out for.
const ESTIMATED_ENTRIES: usize = 100_000;

/// Something kept until a time.
#[derive(Clone)]
struct Kept<T> {
    /// The thing.
    value: Arc<T>,
    /// When it was learned.
    since: Instant,
    /// When it must be learned anew.
    until: Instant,
}

/// Says how many octets an entry takes, roughly.
#[derive(Clone)]
struct Octets;

impl Weighter<Name, Kept<ZoneCut>> for Octets {
    fn weight(&self, zone: &Name, kept: &Kept<ZoneCut>) -> u64 {
        let servers: usize =
            kept.value.servers.iter().map(|server| 120 + server.name.wire().len() + 17 * server.addresses.len()).sum();
        let proofs = kept.value.proofs.iter().flatten();
        let proofs: usize = proofs.map(|record| 120 + record.owner.wire().len() + record.rdata.octet_count()).sum();
        octets(200 + 2 * zone.wire().len() + servers + proofs)
    }
}

impl Weighter<Name, Kept<Result<Vec<IpAddr>, Unresolved>>> for Octets {
    fn weight(&self, name: &Name, kept: &Kept<Result<Vec<IpAddr>, Unresolved>>) -> u64 {
        octets(160 + name.wire().len() + 17 * kept.value.as_ref().as_ref().map_or(0, Vec::len))
    }
}

/// Turns a size into a weight.
fn octets(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// What walks have learned, shared by all checks.
pub struct CutCache {
    /// The root, which never expires.
    root: Arc<ZoneCut>,
    /// Cuts below the root, by zone.
    cuts: Cache<Name, Kept<ZoneCut>, Octets>,
    /// Addresses of servers, by host name; or why there are none.
    addresses: Cache<Name, Kept<Result<Vec<IpAddr>, Unresolved>>, Octets>,
    /// Who walks towards a registry at the moment, by its top-level name.
    walks: Flights,
    /// Who looks a server's addresses up at the moment, by host name.
    lookups: Flights,
}

impl CutCache {
    /// Starts with the root alone and room for `max_octets`.
    #[must_use]
    pub fn new(root: ZoneCut, max_octets: u64) -> Self {
        Self {
            root: Arc::new(root),
            cuts: Cache::with_weighter(ESTIMATED_ENTRIES, max_octets / 2, Octets),
            addresses: Cache::with_weighter(ESTIMATED_ENTRIES, max_octets / 2, Octets),
            walks: Flights::default(),
            lookups: Flights::default(),
        }
    }

    /// Returns the known cuts on the way to `name`, the root first and without gaps.
    ///
    /// Cuts of zones that people registered count only where they are younger than `max_age`.
    #[must_use]
    pub fn known_cuts(&self, name: &Name, max_age: Duration) -> Vec<Arc<ZoneCut>> {
        let now = Instant::now();
        let find = |zone: &Name| {
            let kept = self.cuts.get(zone).filter(|kept| now < kept.until)?;
            (is_registry(zone) || now.duration_since(kept.since) <= max_age).then_some(kept.value)
        };
        let deepest = name.ancestors().take_while(|zone| !zone.is_root()).find_map(|zone| find(&zone));
        let mut cuts: Vec<Arc<ZoneCut>> = Vec::new();
        let mut at = deepest;
        while let Some(cut) = at {
            let parent = cut.parent.clone();
            cuts.push(cut);
            at = match parent {
                Some(zone) if !zone.is_root() => match find(&zone) {
                    Some(parent) => Some(parent),
                    // Without the parent the way is not known: start over from what is.
                    None => return self.known_cuts(&zone, max_age),
                },
                _ => None,
            };
        }
        cuts.push(Arc::clone(&self.root));
        cuts.reverse();
        cuts
    }

    /// Keeps a cut that a parent gave just now.
    pub fn keep_cut(&self, cut: impl Into<Arc<ZoneCut>>) {
        let cut = cut.into();
        if cut.parent.is_some() {
            let keep_for = lifetime(cut.ttl);
            self.cuts.insert(cut.zone.clone(), kept(cut, keep_for));
        }
    }

    /// Returns a server's addresses, or why there are none, where that is known.
    #[must_use]
    pub fn addresses(&self, host: &Name) -> Option<Result<Vec<IpAddr>, Unresolved>> {
        let kept = self.addresses.get(host).filter(|kept| Instant::now() < kept.until)?;
        Some((*kept.value).clone())
    }

    /// Keeps a server's addresses, or why there are none.
    pub fn keep_addresses(&self, host: &Name, addresses: Result<Vec<IpAddr>, Unresolved>, ttl: Ttl) {
        let keep_for = match &addresses {
            Ok(_) => lifetime(ttl),
            Err(Unresolved::Unanswered | Unresolved::Limit) => PASSING_FAILURE_KEPT,
            Err(_) => FAILURE_KEPT,
        };
        self.addresses.insert(host.clone(), kept(Arc::new(addresses), keep_for));
    }

    /// Enters the walk towards the registry that `name` lies below; the first one in goes on at once,
    /// the others when it is done.
    pub async fn enter_walk(&self, name: &Name) -> Flight<'_, Name> {
        self.walks.enter(name.last_labels(1)).await
    }

    /// Enters the lookup of a server's addresses, likewise.
    pub async fn enter_lookup(&self, host: &Name) -> Flight<'_, Name> {
        self.lookups.enter(host.clone()).await
    }
}

/// Puts a time on a thing.
fn kept<T>(value: Arc<T>, keep_for: Duration) -> Kept<T> {
    let since = Instant::now();
    Kept { value, since, until: since + keep_for }
}

/// Returns how long something with this time to live is kept.
fn lifetime(ttl: Ttl) -> Duration {
    Duration::from_secs(u64::from(ttl.seconds())).clamp(KEPT_AT_LEAST, KEPT_AT_MOST)
}

/// Single flight: who does what at the moment.
type Flights = FlightTable<Name>;

/// One lock for every key that somebody is at.
struct FlightTable<K: Eq + Hash> {
    /// The locks; an entry goes when its last holder does.
    locks: DashMap<K, Arc<Mutex<()>>>,
}

impl<K: Eq + Hash> Default for FlightTable<K> {
    fn default() -> Self {
        Self { locks: DashMap::new() }
    }
}

/// A place in a flight, given back when dropped.
pub struct Flight<'a, K: Eq + Hash + Clone> {
    /// The table that the place belongs to.
    table: &'a FlightTable<K>,
    /// What the flight is about.
    key: K,
    /// The lock itself; taken out before the entry is looked at.
    guard: Option<tokio::sync::OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash + Clone> FlightTable<K> {
    /// Waits for whoever is at `key`.
    async fn enter(&self, key: K) -> Flight<'_, K> {
        let lock = Arc::clone(&*self.locks.entry(key.clone()).or_default());
        Flight { table: self, key, guard: Some(lock.lock_owned().await) }
    }
}

impl<K: Eq + Hash + Clone> Drop for Flight<'_, K> {
    fn drop(&mut self) {
        self.guard = None;
        self.table.locks.remove_if(&self.key, |_, lock| Arc::strong_count(lock) == 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::NameServer;
    use crate::walk::root_hints;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn cut(zone: &str, parent: &str, ttl: u32) -> ZoneCut {
        let server = NameServer {
            name: name(&format!("ns1.{zone}")),
            addresses: vec!["192.0.2.1".parse().unwrap()],
            unresolved: None,
        };
        ZoneCut {
            zone: name(zone),
            parent: Some(name(parent)),
            servers: vec![server],
            ttl: Ttl::from_wire(ttl),
            proofs: None,
        }
    }

    fn cache() -> CutCache {
        CutCache::new(root_hints::root_cut(&root_hints::public()), 1 << 20)
    }

    fn zones(cache: &CutCache, owner: &str, max_age: u64) -> Vec<String> {
        let cuts = cache.known_cuts(&name(owner), Duration::from_secs(max_age));
        cuts.iter().map(|cut| cut.zone.to_string()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn cuts_are_found_without_gaps_and_go_when_their_time_is_up() {
        let cache = cache();
        assert_eq!(zones(&cache, "a.example.com.", 60), ["."]);
        cache.keep_cut(cut("com.", ".", 600));
        cache.keep_cut(cut("example.com.", "com.", 100_000));
        assert_eq!(zones(&cache, "a.example.com.", 60), [".", "com.", "example.com."]);
        assert_eq!(zones(&cache, "example.net.", 60), ["."]);
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(zones(&cache, "a.example.com.", 60), [".", "com."], "too old for a check");
        assert_eq!(zones(&cache, "a.example.com.", 3600), [".", "com.", "example.com."]);
        tokio::time::advance(Duration::from_secs(600)).await;
        assert_eq!(zones(&cache, "a.example.com.", 3600), ["."], "the way to the deeper cut is no longer known");
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(cache.cuts.get(&name("example.com.")).filter(|kept| Instant::now() < kept.until).map(|_| ()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_remembered_for_less_time_than_answers() {
        let cache = cache();
        let host = name("ns1.example.net.");
        cache.keep_addresses(&host, Err(Unresolved::Loop), Ttl::from_wire(86_400));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(cache.addresses(&host), Some(Err(Unresolved::Loop)));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(cache.addresses(&host), None);
        cache.keep_addresses(&host, Err(Unresolved::Unanswered), Ttl::from_wire(86_400));
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(cache.addresses(&host), None);
        cache.keep_addresses(&host, Ok(vec!["192.0.2.1".parse().unwrap()]), Ttl::from_wire(0));
        assert!(cache.addresses(&host).is_some(), "kept for five seconds at least");
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_zones_stay_within_the_room_given() {
        let cache = CutCache::new(root_hints::root_cut(&root_hints::public()), 64 * 1024);
        for number in 0..1000 {
            cache.keep_cut(cut(&format!("z{number}.example."), "example.", 600));
        }
        assert!(cache.cuts.weight() <= 32 * 1024, "{}", cache.cuts.weight());
        assert!(cache.cuts.len() < 200);
    }

    #[tokio::test(start_paused = true)]
    async fn only_one_is_in_a_flight_and_nothing_is_left_behind() {
        let cache = Arc::new(cache());
        let first = cache.enter_lookup(&name("ns1.example.net.")).await;
        let waiting = {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { drop(cache.enter_lookup(&name("NS1.example.net.")).await) })
        };
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap();
        assert!(cache.lookups.locks.is_empty());
    }
}
