//! The loop that keeps a fleet's verification true: claim what is due, check it, assess it, record it.
//!
//! ```text
//!   keeper: heartbeat, shards  --->  held leases
//!                                        |
//!   store.claim ---> inspect (check, assess) ---> recorder ---> store.record
//! ```
//!
//! Any number of processes may run it over one PostgreSQL database; each works on the shards that it holds. Nothing is
//! decided in memory: what was not recorded was never done, and is done again by whoever holds the shard then. While the
//! database is away at most [`MAX_UNRECORDED`] domains wait here, and nothing more is asked.
//!
//! Interactive re-checks have a lane of their own: a fifth of the places is never taken by what is merely due.

mod duties;
mod inspect;
mod keeper;
mod recorder;
mod work;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use self::keeper::Keeper;
pub use self::recorder::Finished;
use self::work::Work;
use crate::check::Checker;
use crate::expectation::{Depth, RecordKind};
use crate::service::feed::Feed;
use crate::store::lease::LEASE_TERM;
use crate::store::{RunId, Store, StoreError};

/// How many domains may be claimed and not recorded (SECURITY.md, limits); then no more are claimed.
pub const MAX_UNRECORDED: usize = 1000;
/// The part of the places that only interactive re-checks take: one in five (SECURITY.md, limits).
const INTERACTIVE_PART: usize = 5;
/// How long a graceful end may take (SECURITY.md, limits).
pub const GRACE: Duration = Duration::from_secs(20);
/// How much of that is kept for recording what is done and giving the shards back.
const GRACE_TO_RECORD: Duration = Duration::from_secs(5);
/// How often SES is asked unless told.
pub const ASK_SES_EVERY: Duration = Duration::from_secs(15 * 60);
/// The shortest time that a worker may stay silent: its heartbeats come four times as often.
const LEAST_TERM: Duration = Duration::from_secs(4);
/// How long a worker that found nothing to do waits before it looks again: what a re-check waits for at most.
const POLL_EVERY: Duration = Duration::from_millis(500);

/// How long a monitor goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Until {
    /// Until it is told to stop.
    Stopped,
    /// Until nothing of its shards is due.
    NothingIsDue,
    /// Until every domain of this run has its result; nothing else is checked.
    RunIsDone(RunId),
}

/// How domains are checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many domains are checked at the same time.
    pub at_once: usize,
    /// How much is looked at.
    pub depth: Depth,
    /// Which records the verdict depends on too.
    pub required: Vec<RecordKind>,
    /// The region whose SES decides on the domains; `None` where SES is not asked.
    pub region: Option<String>,
    /// How long to go on.
    pub until: Until,
}

/// What a monitor tells while it works.
#[derive(Clone, Debug)]
pub enum News {
    /// A domain was checked, and what became of the result.
    Finished(Box<Finished>),
    /// How many shards it holds, of how many workers' that are alive.
    Shards {
        /// The shards that it holds.
        held: usize,
        /// The workers that are alive, itself counted.
        workers: u32,
    },
    /// Shards were taken over from workers that went silent.
    Rescued(u32),
    /// Something does not work now and is tried again.
    Trouble(String),
}

/// What a monitor did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Results that were written.
    pub written: u64,
    /// Results that had been written before.
    pub repeated: u64,
    /// Results that changed nothing, as the shard had gone to another worker.
    pub fenced: u64,
    /// Domains that were handed to the shard of their operator before they were checked.
    pub moved: u64,
    /// Shards that were taken over from workers that went silent.
    pub rescued: u64,
}

/// The loop over one store.
pub struct Monitor {
    /// Where domains come from and results go to.
    store: Arc<dyn Store>,
    /// Checks domains.
    checker: Checker,
    /// How.
    settings: Settings,
    /// What this process is called in the store.
    worker: String,
    /// What asks SES, and how often; `None` where nobody here does.
    feed: Option<(Feed, Duration)>,
    /// How long the store takes the worker for alive after a heartbeat.
    term: Duration,
}

impl Monitor {
    /// Prepares a monitor under a name that no other process has.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, checker: Checker, settings: Settings) -> Self {
        let worker = format!("wrk_{:032x}", rand::random::<u128>());
        Self { store, checker, settings, worker, feed: None, term: LEASE_TERM }
    }

    /// Has SES asked every so often while the monitor works, by one worker for all.
    #[must_use]
    pub fn with_feed(self, feed: Feed, every: Duration) -> Self {
        Self { feed: Some((feed, every)), ..self }
    }

    /// Sets how long the shards stay with a worker that went silent; a minute unless told, and never below four seconds.
    #[must_use]
    pub fn with_term(self, term: Duration) -> Self {
        Self { term: term.max(LEAST_TERM), ..self }
    }

    /// Works until it is done or `stop` is: then nothing more is claimed, what is under way is finished within
    /// [`GRACE`] or let go of, and the shards are given back.
    ///
    /// # Errors
    /// A [`StoreError`] that trying again does not mend. What was not recorded is let go of as far as possible.
    pub async fn run(
        self,
        stop: impl Future<Output = ()> + Send,
        news: impl Fn(News) + Send + Sync + 'static,
    ) -> Result<Tally, StoreError> {
        let news: Arc<dyn Fn(News) + Send + Sync> = Arc::new(news);
        let (held_sender, held) = watch::channel(None);
        let (outcomes, to_record) = mpsc::channel(MAX_UNRECORDED);
        let (recorded_sender, recorded) = mpsc::unbounded_channel();
        let store = Arc::clone(&self.store);
        let keeper = Keeper::new(store, self.worker.clone(), self.term, Arc::clone(&news), held_sender);
        let busy = keeper.busy();
        let keeping = tokio::spawn(keeper.keep());
        let recording =
            tokio::spawn(recorder::record(Arc::clone(&self.store), to_record, recorded_sender, Arc::clone(&news)));
        let serving =
            tokio::spawn(duties::serve(Arc::clone(&self.store), self.feed.clone(), held.clone(), Arc::clone(&news)));
        let work = Work::new(&self, held, busy, outcomes, recorded, news);
        let worked = work.drive(stop, recording).await;
        serving.abort();
        keeping.abort();
        // The keeper is over when this returns, so that it takes no shard after the retreat.
        let kept = keeping.await;
        let retired = self.store.retire(&self.worker).await;
        let tally = worked?;
        if let Ok(Err(error)) = kept {
            return Err(error);
        }
        retired.map(|()| tally)
    }
}

/// Says whether a failure is waited for rather than given up at: the database is away, busy or full.
fn is_waited_for(error: &StoreError) -> bool {
    error.is_transient() || matches!(error, StoreError::Full(_))
}

#[cfg(test)]
mod tests;
