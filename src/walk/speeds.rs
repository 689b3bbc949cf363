//! How fast the servers that lead on are: what their replies took, how many questions are under way, and who was overtaken.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::time::Instant;

/// How long who was overtaken is asked last: as long as a server counts as down (SECURITY.md, limits).
const ASKED_LAST: Duration = Duration::from_secs(60);
/// How long the time that a reply took is held to be true: as long as all else that is known of a server.
const TRUE_FOR: Duration = Duration::from_secs(900);
/// What each question under way adds to the time that a server is expected to take, so that a bulk run spreads.
const BEHIND_ANOTHER: Duration = Duration::from_millis(1);
/// How many addresses are remembered.
const ADDRESSES_KEPT: usize = 4096;

/// How fast the addresses that lead on are.
pub(super) struct Speeds(Cache<IpAddr, Arc<Speed>>);

/// How fast one address is.
#[derive(Default)]
struct Speed {
    /// What its replies took, and when that was learnt.
    reply_time: Mutex<Option<(Duration, Instant)>>,
    /// Until when it is asked last.
    asked_last_until: Mutex<Option<Instant>>,
    /// How many questions are under way to it.
    under_way: AtomicU32,
}

/// A question under way; it is not any more when this is dropped.
pub(super) struct UnderWay(Arc<Speed>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Speeds {
    fn default() -> Self {
        Self(Cache::new(ADDRESSES_KEPT))
    }
}

impl Speeds {
    /// Returns what is known of an address.
    fn of(&self, address: IpAddr) -> Arc<Speed> {
        let Ok(speed) = self.0.get_or_insert_with(&address, || Ok::<_, Infallible>(Arc::default()));
        speed
    }

    /// Says whether an address was overtaken of late.
    pub(super) fn is_slow(&self, address: IpAddr) -> bool {
        let speed = self.0.get(&address);
        speed.and_then(|speed| *lock(&speed.asked_last_until)).is_some_and(|until| Instant::now() < until)
    }

    /// Has an address be asked last for a while.
    pub(super) fn note_overtaken(&self, address: IpAddr) {
        *lock(&self.of(address).asked_last_until) = Some(Instant::now() + ASKED_LAST);
    }

    /// Takes note of what a reply took: the mean of all, the newer ones weighing more (RFC 6298 §2).
    pub(super) fn note_reply(&self, address: IpAddr, took: Duration) {
        let speed = self.of(address);
        let mut known = lock(&speed.reply_time);
        let mean = known.map_or(took, |(mean, _)| (mean * 7 + took) / 8);
        *known = Some((mean, Instant::now()));
    }

    /// Counts a question to an address as under way.
    pub(super) fn depart(&self, address: IpAddr) -> UnderWay {
        let speed = self.of(address);
        speed.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(speed)
    }

    /// Returns how many questions are under way to an address.
    pub(super) fn under_way(&self, address: IpAddr) -> u32 {
        self.0.get(&address).map_or(0, |speed| speed.under_way.load(Ordering::Relaxed))
    }

    /// Returns how long an address is expected to take; `None` while that is not known.
    pub(super) fn expected(&self, address: IpAddr) -> Option<Duration> {
        let speed = self.0.get(&address)?;
        let (mean, learnt) = (*lock(&speed.reply_time))?;
        (learnt.elapsed() < TRUE_FOR).then(|| mean + BEHIND_ANOTHER * speed.under_way.load(Ordering::Relaxed))
    }
}

/// Takes a lock whose holders cannot leave anything half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_was_overtaken_is_forgiven_after_a_minute() {
        let (speeds, address) = (Speeds::default(), IpAddr::from([192, 0, 2, 1]));
        speeds.note_overtaken(address);
        assert!(speeds.is_slow(address));
        tokio::time::advance(ASKED_LAST).await;
        assert!(!speeds.is_slow(address));
    }

    #[tokio::test(start_paused = true)]
    async fn many_questions_at_once_spread_over_servers_that_are_about_as_fast() {
        let (speeds, near, next) = (Speeds::default(), IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        speeds.note_reply(near, Duration::from_millis(10));
        speeds.note_reply(next, Duration::from_millis(20));
        let under_way: Vec<UnderWay> = (0..11).map(|_| speeds.depart(near)).collect();
        assert!(speeds.expected(near) > speeds.expected(next));
        drop(under_way);
        assert!(speeds.expected(near) < speeds.expected(next));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_known_is_forgotten_after_a_while() {
        let (speeds, address) = (Speeds::default(), IpAddr::from([192, 0, 2, 1]));
        speeds.note_reply(address, Duration::from_millis(10));
        assert_eq!(speeds.expected(address), Some(Duration::from_millis(10)));
        tokio::time::advance(TRUE_FOR).await;
        assert_eq!(speeds.expected(address), None);
    }
}
