//! How many checks may ask one server at the same time.
//!
//! Questions that wait long for the pace of a server are given up, and that is right for one check. In a run over
//! thousands of domains at one server the checks queue here instead, before they ask, so that each has
//! the server's pace to itself and a few others, and comes to the same result as alone.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::PaceClass;
use super::pace::PaceLimits;
use super::per_key::PerKey;

/// How many seconds' worth of a server's pace may be promised at one time: well below what a question waits.
const SECONDS_PROMISED: usize = 6;
/// How many questions of one check a server gets: five of a healthy domain, some fifteen where something is wrong.
const QUESTIONS_PER_CHECK: usize = 12;
/// How many servers are remembered whom nobody asks.
const SERVERS_KEPT: usize = 10_000;

/// The queues before the servers.
pub struct Turns {
    /// The pace of the servers.
    limits: PaceLimits,
    /// The places at each server.
    servers: PerKey<IpAddr, Semaphore>,
}

impl Turns {
    /// Opens the queues.
    #[must_use]
    pub fn new(limits: PaceLimits) -> Self {
        Self { limits, servers: PerKey::new(SERVERS_KEPT) }
    }

    /// Waits for a place at every one of these servers; they are given back when the result is dropped.
    ///
    /// A check takes its places once and in order of address, so that no two wait for each other.
    pub async fn take(&self, servers: impl IntoIterator<Item = (IpAddr, PaceClass)>) -> Vec<OwnedSemaphorePermit> {
        let servers: BTreeMap<IpAddr, PaceClass> = servers.into_iter().collect();
        let mut taken = Vec::with_capacity(servers.len());
        for (address, class) in servers {
            let Some(places) = self.places(class) else { continue };
            let queue = self.servers.get_or_make(&address, || Semaphore::new(places));
            taken.extend(Arc::clone(&queue).acquire_owned().await.ok());
        }
        taken
    }

    /// Returns how many checks a server of this class takes at one time; `None` where its rate has no limit.
    fn places(&self, class: PaceClass) -> Option<usize> {
        let pace = self.limits.of(class);
        let per_second = usize::try_from(pace.per_second).ok().filter(|rate| *rate > 0)?;
        let burst = usize::try_from(pace.burst).unwrap_or_default();
        Some(((per_second.saturating_mul(SECONDS_PROMISED).saturating_add(burst)) / QUESTIONS_PER_CHECK).max(1))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_takes_as_many_checks_as_its_pace_allows_and_the_rest_wait() {
        let turns = Arc::new(Turns::new(PaceLimits::default()));
        let server = (IpAddr::from([192, 0, 2, 1]), PaceClass::Ordinary);
        let mut held = Vec::new();
        let take = || tokio::time::timeout(Duration::from_secs(60), turns.take([server]));
        while let Ok(places) = take().await {
            held.push(places);
        }
        assert_eq!(held.len(), 13);
        held.pop();
        assert!(take().await.is_ok(), "a place that is given back is taken by the next");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_nobody_waits() {
        let turns = Turns::new(PaceLimits::default().with_per_server(0));
        assert!(turns.take([(IpAddr::from([192, 0, 2, 1]), PaceClass::Ordinary)]).await.is_empty());
    }
}
