//! Keeps a worker alive in the store, and its share of the shards.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::{News, is_waited_for};
use crate::store::{SHARDS, ShardLease, Store, StoreError, pause_after};

/// The part of the term before its end in which a lease is no longer trusted: a quarter.
const MARGIN_PART: u32 = 4;
/// How many heartbeats are given in a term.
const BEATS_A_TERM: u32 = 4;
/// How long a shard rests that may have come from another worker: what its servers then could be asked at once is the burst
/// of one process, not of two (two seconds' worth: [`crate::transport::pace::PaceLimits`]).
const REST: Duration = Duration::from_secs(2);
/// How soon is looked again while the worker has another number of shards than its share.
const WHILE_UNEVEN: Duration = Duration::from_secs(1);

/// The shards that a worker holds, and the clock that decides on them.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// Shard and epoch.
    leases: Arc<BTreeMap<u16, i64>>,
    /// Those of them that are being given up: nothing new is claimed of them.
    closing: Arc<Vec<u16>>,
    /// Those of them that rest, and until when.
    resting: Arc<BTreeMap<u16, Instant>>,
    /// The time by the database's clock, when it was last heard.
    heard: Timestamp,
    /// When that was asked for, by our own.
    asked_at: Instant,
    /// How long they hold from then on.
    term: Duration,
    /// Whether the worker has as many shards as it should.
    has_share: bool,
}

impl Held {
    /// Returns the time by the database's clock.
    pub(super) fn now(&self) -> Timestamp {
        let since = SignedDuration::try_from(self.asked_at.elapsed()).unwrap_or(SignedDuration::ZERO);
        self.heard.checked_add(since).unwrap_or(Timestamp::MAX)
    }

    /// Says whether the leases still hold, as far as our own clock tells.
    pub(super) fn is_fresh(&self) -> bool {
        self.asked_at.elapsed() + self.term / MARGIN_PART < self.term
    }

    /// Says whether the worker has as many shards as it should have.
    pub(super) fn has_share(&self) -> bool {
        self.has_share
    }

    /// Says whether a lease is among them.
    pub(super) fn has(&self, lease: ShardLease) -> bool {
        self.leases.get(&lease.shard) == Some(&lease.epoch)
    }

    /// Says whether a shard is among them.
    pub(super) fn has_shard(&self, shard: u16) -> bool {
        self.leases.contains_key(&shard)
    }

    /// Returns the leases under which more may be claimed, sorted.
    pub(super) fn open(&self) -> Vec<ShardLease> {
        let now = Instant::now();
        let rests = |shard: &u16| self.resting.get(shard).is_some_and(|end| *end > now);
        self.all().filter(|lease| !self.closing.contains(&lease.shard) && !rests(&lease.shard)).collect()
    }

    /// Iterates over all leases, sorted.
    pub(super) fn all(&self) -> impl Iterator<Item = ShardLease> {
        self.leases.iter().map(|(shard, epoch)| ShardLease { shard: *shard, epoch: *epoch })
    }
}

/// How many claims are out by shard, and the bell by which the keeper is woken.
#[derive(Clone, Debug, Default)]
pub(super) struct Busy(Arc<Mutex<BTreeMap<u16, usize>>>, Arc<Notify>);

impl Busy {
    /// Has the next heartbeat come at once: something was refused as if a shard had gone.
    pub(super) fn ring(&self) {
        self.1.notify_one();
    }

    /// Counts a claim.
    pub(super) fn add(&self, shard: u16) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(shard).or_default() += 1;
    }

    /// Counts a claim no more.
    pub(super) fn remove(&self, shard: u16) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&shard) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&shard);
            }
        }
    }

    /// Says whether claims of a shard are out.
    fn has(&self, shard: u16) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&shard)
    }
}

/// Gives the heartbeats of one worker.
pub(super) struct Keeper {
    /// Where leases are.
    store: Arc<dyn Store>,
    /// The worker.
    worker: String,
    /// How long a heartbeat keeps it alive.
    term: Duration,
    /// Whom to tell.
    news: Arc<dyn Fn(News) + Send + Sync>,
    /// Where the leases are told.
    held: watch::Sender<Option<Held>>,
    /// The claims that are out.
    busy: Busy,
    /// The shards that rest, and until when.
    resting: BTreeMap<u16, Instant>,
}

impl Keeper {
    /// Prepares to keep a worker alive.
    pub(super) fn new(
        store: Arc<dyn Store>,
        worker: String,
        term: Duration,
        news: Arc<dyn Fn(News) + Send + Sync>,
        held: watch::Sender<Option<Held>>,
    ) -> Self {
        Self { store, worker, term, news, held, busy: Busy::default(), resting: BTreeMap::new() }
    }

    /// Returns where claims are counted.
    pub(super) fn busy(&self) -> Busy {
        self.busy.clone()
    }

    /// Gives heartbeats for ever; ends only with a failure that trying again does not mend.
    pub(super) async fn keep(mut self) -> Result<(), StoreError> {
        let mut failures = 0;
        let mut told = None;
        loop {
            let wait = match self.beat(&mut told).await {
                Ok(is_even) => {
                    failures = 0;
                    if is_even { self.term / BEATS_A_TERM } else { WHILE_UNEVEN }
                }
                Err(error) if is_waited_for(&error) => {
                    failures += 1;
                    (self.news)(News::Trouble(error.to_string()));
                    pause_after(failures)
                }
                Err(error) => return Err(error),
            };
            // Too early is no harm, and a bell rings once however often it was pulled.
            let _ = timeout(wait, self.busy.1.notified()).await;
        }
    }

    /// Gives one heartbeat, and evens the shards out; says whether the worker has its share.
    async fn beat(&mut self, told: &mut Option<(usize, u32)>) -> Result<bool, StoreError> {
        let asked_at = Instant::now();
        let beat = self.store.heartbeat(&self.worker, self.term).await?;
        let mut leases = beat.leases;
        self.resting.retain(|_, end| *end > asked_at);
        let share = usize::from(SHARDS.div_ceil(u16::try_from(beat.live_workers.max(1)).unwrap_or(SHARDS)));
        if leases.len() < share {
            let wanted = u16::try_from(share - leases.len()).unwrap_or(SHARDS);
            let taken = self.store.take_shards(&self.worker, wanted).await?;
            if beat.live_workers > 1 || taken.rescued > 0 {
                let end = Instant::now() + REST;
                self.resting.extend(taken.leases.iter().map(|lease| (lease.shard, end)));
            }
            leases.extend(taken.leases);
            if taken.rescued > 0 {
                (self.news)(News::Rescued(taken.rescued));
            }
        }
        // What is over the share goes as soon as nothing of it is out.
        let excess = leases.len().saturating_sub(share);
        leases.sort_by_key(|lease| (self.busy.has(lease.shard), lease.shard));
        let (going, staying) = leases.split_at(excess);
        let (closing, idle): (Vec<ShardLease>, Vec<ShardLease>) =
            going.iter().copied().partition(|lease| self.busy.has(lease.shard));
        let kept = staying.iter().chain(&closing).map(|lease| (lease.shard, lease.epoch)).collect();
        let kept: BTreeMap<u16, i64> = kept;
        // Shares are rounded up, so that not every worker can have all of its own.
        let workers = usize::try_from(beat.live_workers).unwrap_or(usize::MAX);
        let has_share = closing.is_empty() && kept.len().saturating_add(workers) > share;
        let held = Held {
            leases: Arc::new(kept),
            closing: Arc::new(closing.iter().map(|lease| lease.shard).collect()),
            resting: Arc::new(self.resting.clone()),
            heard: beat.now,
            asked_at,
            term: self.term,
            has_share,
        };
        let now = (held.leases.len(), beat.live_workers);
        self.held.send_replace(Some(held));
        if !idle.is_empty() {
            self.store.give_up_shards(&self.worker, &idle).await?;
        }
        if told.replace(now) != Some(now) {
            (self.news)(News::Shards { held: now.0, workers: now.1 });
        }
        Ok(has_share)
    }
}
