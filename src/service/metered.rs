//! One pace for all machines towards the servers that all of them ask: those of the root and the registries.
//!
//! An operator's servers are asked by one process alone, but each process walks down from the root by itself. Before it
//! asks such a server it takes tokens of the server's address from the store, a few at a time; what it does not spend
//! within a second is gone, so that all of them together never ask faster than one may. While the store is away each keeps to its own pace.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::store::{Store, TokenRate};
use crate::transport::pace::ClassPace;
use crate::transport::waiting::wait;
use crate::transport::{DynTransport, Exchange, PaceClass, Query, Transport};

/// How long tokens may be kept: a crash loses no more than this much of a server's pace.
const KEPT_FOR: Duration = Duration::from_secs(1);
/// What part of a second's tokens is taken at a time: a tenth leaves some for others.
const TAKEN_PART: u32 = 10;
/// How many addresses are remembered; there are some 1,500 registries.
const MAX_PURSES: usize = 20_000;

/// The tokens of one address.
#[derive(Debug)]
struct Purse {
    /// How many are left.
    tokens: u32,
    /// Until when they may be spent.
    until: Instant,
}

/// A transport that asks the servers of all only with tokens of all.
pub struct Metered {
    /// The transport.
    inner: Arc<dyn DynTransport>,
    /// Where the tokens are.
    store: Arc<dyn Store>,
    /// How fast such a server is asked.
    pace: ClassPace,
    /// The tokens by address.
    purses: Mutex<HashMap<IpAddr, Arc<tokio::sync::Mutex<Purse>>>>,
}

impl Metered {
    /// Puts the tokens of a store before a transport; `pace` is that of one such server. Without a limit nothing is metered.
    #[must_use]
    pub fn new(inner: Arc<dyn DynTransport>, store: Arc<dyn Store>, pace: ClassPace) -> Self {
        Self { inner, store, pace, purses: Mutex::default() }
    }

    /// Spends a token of an address, and waits for it where there is none.
    async fn spend(&self, server: IpAddr) {
        let Some(per_token) = Duration::from_secs(1).checked_div(self.pace.per_second) else { return };
        let purse = {
            let mut purses = self.purses.lock().unwrap_or_else(PoisonError::into_inner);
            if purses.len() >= MAX_PURSES {
                purses.clear();
            }
            let empty = || Arc::new(tokio::sync::Mutex::new(Purse { tokens: 0, until: Instant::now() }));
            Arc::clone(purses.entry(server).or_insert_with(empty))
        };
        // Whoever holds the purse fetches for all who wait for it.
        let mut purse = purse.lock().await;
        if purse.tokens == 0 || purse.until < Instant::now() {
            let taken = (self.pace.per_second / TAKEN_PART).max(1);
            let rate = TokenRate { per_token, burst: self.pace.burst.max(taken) };
            let wait = match self.store.reserve(&format!("dns {server}"), rate, taken).await {
                Ok(wait) => wait,
                // The pacer below keeps to the pace of one process meanwhile.
                Err(_) => Duration::ZERO,
            };
            sleep(wait).await;
            *purse = Purse { tokens: taken, until: Instant::now() + KEPT_FOR };
        }
        purse.tokens = purse.tokens.saturating_sub(1);
    }
}

impl Transport for Metered {
    async fn exchange(&self, query: &Query) -> Exchange {
        if query.class == PaceClass::Anycast {
            wait(&query.budget, self.spend(query.server)).await;
        }
        self.inner.exchange(query).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::budget::Budget;
    use crate::dns::name::Name;
    use crate::dns::rrset::{Question, RecordType};
    use crate::evidence::{Protocol, Silence};

    /// A transport that counts, and gets no reply.
    #[derive(Default)]
    struct Counting(AtomicU64);

    impl Transport for Counting {
        async fn exchange(&self, _: &Query) -> Exchange {
            self.0.fetch_add(1, Ordering::Relaxed);
            Exchange::silent(Silence::Timeout, Duration::ZERO, Protocol::Udp)
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_processes_together_keep_to_the_pace_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open(&format!("sqlite:{}", folder.path().join("fleet.db").display())).await.unwrap();
        let counting = Arc::new(Counting::default());
        let pace = ClassPace { per_second: 50, burst: 50, in_flight: 64 };
        let metered = || Metered::new(Arc::clone(&counting) as _, Arc::clone(&store), pace);
        let question = Question::new(Name::parse("example.com").unwrap(), RecordType::NS);
        let query = |class| Query::new("192.0.2.1".parse().unwrap(), question.clone(), class, Budget::for_check());
        let (one, two) = (metered(), metered());
        let (anycast, ordinary) = (query(PaceClass::Anycast), query(PaceClass::Ordinary));
        let begin = Instant::now();
        let ask = async |metered: &Metered| {
            for _ in 0..75 {
                metered.exchange(&anycast).await;
            }
        };
        tokio::join!(ask(&one), ask(&two));
        // 150 questions: 50 at once, and the other 100 take two seconds.
        assert!(begin.elapsed() >= Duration::from_millis(1900), "{:?}", begin.elapsed());
        assert_eq!(counting.0.load(Ordering::Relaxed), 150);
        // An operator's server is nobody else's, and costs no token.
        let begin = Instant::now();
        for _ in 0..500 {
            one.exchange(&ordinary).await;
        }
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }
}
