//! Claims domains, has them inspected, and sees to it that each is recorded or let go.

mod retreat;

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::inspect::{Inspected, inspect};
use super::keeper::{Busy, Held};
use super::recorder::{Done, Finished};
use super::{INTERACTIVE_PART, MAX_UNRECORDED, Monitor, News, POLL_EVERY, Settings, Tally, Until, is_waited_for};
use crate::check::Checker;
use crate::store::{Claim, DomainId, Lane, Recorded, RunId, ShardLease, Store, StoreError, pause_after};

/// A claim is worth a question to the database once this part of the places is free: one in ten.
const WORTHWHILE_PART: usize = 10;
/// How often a worker asks which runs are open, to help with them.
const RUNS_EVERY: Duration = Duration::from_secs(2);
/// How long letting go of stray claims may take: nothing is claimed meanwhile.
const FREEING_LIMIT: Duration = Duration::from_secs(60);
/// How many claims are let go of at a time.
const MOVES_AT_ONCE: usize = 500;

/// A claimed domain that is to be checked by whoever holds another shard.
type Move = (DomainId, ShardLease, u16);

/// What a task brings back.
enum Task {
    /// Claims of a lane, for a run or for none.
    Claimed(Way, Option<RunId>, Result<Vec<Claim>, StoreError>),
    /// The runs that are open.
    Runs(Result<Vec<RunId>, StoreError>),
    /// A domain that was inspected.
    Inspected(Inspected),
    /// Domains that were moved, or were to be.
    Moved(Vec<Move>, Result<(), StoreError>),
    /// Claims that nobody knew of were let go of.
    Freed(Result<u64, StoreError>),
    /// Whether all is done that was to be.
    Looked(Result<bool, StoreError>),
}

/// How a claim came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    /// It was due, or of the run.
    Regular,
    /// Somebody waits for it.
    Interactive,
}

/// How one lane goes.
struct LaneState {
    /// Whether a claim is being made.
    is_claiming: bool,
    /// When to look again.
    look_at: Instant,
    /// How many inspections are under way.
    inspecting: usize,
}

/// A claim that is out.
struct Out {
    /// Its lease.
    lease: ShardLease,
    /// How it came.
    way: Way,
    /// Ends its inspection; `None` once that is over.
    inspection: Option<AbortHandle>,
}

/// Work under way.
pub(super) struct Work {
    /// Where domains come from.
    store: Arc<dyn Store>,
    /// Checks domains.
    checker: Checker,
    /// How.
    settings: Settings,
    /// The worker's shards.
    held: watch::Receiver<Option<Held>>,
    /// Where claims are counted by shard.
    busy: Busy,
    /// Where outcomes go.
    outcomes: mpsc::Sender<Done>,
    /// What was recorded.
    recorded: mpsc::UnboundedReceiver<Finished>,
    /// Whom to tell.
    news: Arc<dyn Fn(News) + Send + Sync>,
    /// The tasks under way.
    tasks: JoinSet<Task>,
    /// The claims that are out, recorded or not yet.
    out: HashMap<DomainId, Out>,
    /// What is due, or of the run.
    regular: LaneState,
    /// What somebody waits for.
    interactive: LaneState,
    /// Claims that are to be moved.
    moves: Vec<Move>,
    /// How often the database failed in a row.
    failures: u32,
    /// Whether the regular lane was found empty and it is being found out whether all is done.
    is_looking: bool,
    /// Whether all is done.
    is_done: bool,
    /// The open runs of others that are helped with.
    runs: Vec<RunId>,
    /// When to ask for them again.
    runs_at: Instant,
    /// Whether claims may stand in the database of which nothing is known here.
    may_have_strays: bool,
    /// Whether those are being let go of; nothing is claimed meanwhile.
    is_freeing: bool,
    /// How many regular claims were begun: what is due and the runs take turns.
    turn: usize,
    /// How many of them in a row found nothing.
    empty_turns: usize,
    /// What was done.
    tally: Tally,
}

impl Work {
    /// Prepares to work.
    pub(super) fn new(
        monitor: &Monitor,
        held: watch::Receiver<Option<Held>>,
        busy: Busy,
        outcomes: mpsc::Sender<Done>,
        recorded: mpsc::UnboundedReceiver<Finished>,
        news: Arc<dyn Fn(News) + Send + Sync>,
    ) -> Self {
        let lane = || LaneState { is_claiming: false, look_at: Instant::now(), inspecting: 0 };
        Self {
            store: Arc::clone(&monitor.store),
            checker: monitor.checker.clone(),
            settings: monitor.settings.clone(),
            held,
            busy,
            outcomes,
            recorded,
            news,
            tasks: JoinSet::new(),
            out: HashMap::new(),
            regular: lane(),
            interactive: lane(),
            moves: Vec::new(),
            failures: 0,
            is_looking: false,
            is_done: false,
            runs: Vec::new(),
            runs_at: Instant::now(),
            may_have_strays: false,
            is_freeing: false,
            turn: 0,
            empty_turns: 0,
            tally: Tally::default(),
        }
    }

    /// Works until all is done, `stop` is, or the database gives a failure that is not waited for; then retreats.
    pub(super) async fn drive(
        mut self,
        stop: impl Future<Output = ()>,
        mut recording: JoinHandle<Result<(), StoreError>>,
    ) -> Result<Tally, StoreError> {
        let mut stop = pin!(stop);
        let mut tick = interval(POLL_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.is_done {
            self.claim();
            let worked = tokio::select! {
                biased;
                () = &mut stop => break,
                ended = &mut recording => {
                    self.let_go().await;
                    return Err(broken_off(ended));
                }
                Some(finished) = self.recorded.recv() => {
                    self.settle(finished);
                    Ok(())
                }
                Some(task) = self.tasks.join_next() => self.take(task),
                changed = self.held.changed() => {
                    // The keeper gave up; it says why.
                    if changed.is_err() {
                        break;
                    }
                    self.drop_lost();
                    Ok(())
                }
                _ = tick.tick() => {
                    self.drop_lost();
                    self.free_strays();
                    self.move_on();
                    self.ask_for_runs();
                    Ok(())
                }
            };
            if let Err(error) = worked {
                self.let_go().await;
                return Err(error);
            }
        }
        self.retreat(recording).await
    }

    /// Starts claims where there is room for what they bring.
    fn claim(&mut self) {
        let Some(held) = self.held.borrow().clone().filter(|held| held.is_fresh() && !self.is_freeing) else { return };
        let now = Instant::now();
        let places = self.settings.at_once.max(1);
        let room = MAX_UNRECORDED.saturating_sub(self.out.len());
        let taken = self.regular.inspecting + self.interactive.inspecting;
        let regular_places = match &self.settings.until {
            Until::RunIsDone(_) => places,
            Until::Stopped | Until::NothingIsDue => places.saturating_sub(places / INTERACTIVE_PART).max(1),
        };
        let is_ready = |state: &LaneState| !state.is_claiming && state.look_at <= now;
        let free = regular_places.saturating_sub(self.regular.inspecting).min(room);
        if is_ready(&self.regular) && free > 0 && free >= regular_places.min(room) / WORTHWHILE_PART {
            let lane = self.next_lane(&held);
            self.spawn_claim(Way::Regular, lane, &held, free);
        }
        let free = places.saturating_sub(taken).min(room);
        let has_lane = !matches!(self.settings.until, Until::RunIsDone(_));
        if has_lane && is_ready(&self.interactive) && free > 0 {
            self.spawn_claim(Way::Interactive, Lane::Rechecks, &held, free);
        }
    }

    /// Returns the regular lane whose turn it is: the own run; or what is due and each open run of others, one after another.
    fn next_lane(&mut self, held: &Held) -> Lane {
        if let Until::RunIsDone(run) = &self.settings.until {
            return Lane::Run(run.clone());
        }
        let place = self.turn % (self.runs.len() + 1);
        self.turn = self.turn.wrapping_add(1);
        match place.checked_sub(1).and_then(|place| self.runs.get(place)) {
            Some(run) => Lane::Run(run.clone()),
            None => Lane::Due(held.now()),
        }
    }

    /// Starts a claim of a lane.
    fn spawn_claim(&mut self, way: Way, lane: Lane, held: &Held, limit: usize) {
        self.lane(way).is_claiming = true;
        let (store, leases) = (Arc::clone(&self.store), held.open());
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let run = if let Lane::Run(run) = &lane { Some(run.clone()) } else { None };
        self.tasks.spawn(async move {
            let claims = if leases.is_empty() { Ok(Vec::new()) } else { store.claim(&lane, &leases, limit).await };
            Task::Claimed(way, run, claims)
        });
    }

    /// Returns how a lane goes.
    fn lane(&mut self, way: Way) -> &mut LaneState {
        match way {
            Way::Regular => &mut self.regular,
            Way::Interactive => &mut self.interactive,
        }
    }

    /// Takes in what a task brings back.
    fn take(&mut self, task: Result<Task, JoinError>) -> Result<(), StoreError> {
        // A task that was ended was counted out then; none panics: a check catches its own.
        let Ok(task) = task else { return Ok(()) };
        match task {
            Task::Claimed(way, run, claims) => {
                self.lane(way).is_claiming = false;
                // The answer may be lost and the claims stand.
                self.may_have_strays |= claims.is_err();
                let claims = self.or_wait(claims)?.unwrap_or_default();
                if claims.is_empty() {
                    self.rest(way);
                } else if way == Way::Regular {
                    self.empty_turns = 0;
                }
                for claim in claims {
                    self.spawn_inspection(way, claim, run.clone());
                }
            }
            Task::Runs(runs) => self.runs = self.or_wait(runs)?.unwrap_or_default(),
            Task::Inspected(Inspected::Done(done)) => {
                self.end_inspection(&done.outcome.domain);
                // There is a place for every claim that is out.
                let _ = self.outcomes.try_send(*done);
            }
            Task::Inspected(Inspected::Elsewhere(claim, shard)) => {
                self.end_inspection(&claim.domain.id);
                self.moves.push((claim.domain.id, claim.lease, shard));
                if self.moves.len() >= MOVES_AT_ONCE {
                    self.move_on();
                }
            }
            Task::Moved(moves, moved) => match self.or_wait(moved)? {
                Some(()) => {
                    self.tally.moved += u64::try_from(moves.len()).unwrap_or_default();
                    for (domain, ..) in &moves {
                        self.count_out(domain);
                    }
                }
                None => self.moves.extend(moves),
            },
            Task::Freed(freed) => {
                self.is_freeing = false;
                self.may_have_strays |= freed.is_err();
                self.or_wait(freed)?;
            }
            Task::Looked(done) => {
                self.is_looking = false;
                self.is_done = self.or_wait(done)?.unwrap_or_default() && self.out.is_empty();
            }
        }
        Ok(())
    }

    /// Lets a lane rest that has nothing; the regular one, once all of its turns have nothing.
    fn rest(&mut self, way: Way) {
        if way == Way::Regular {
            self.empty_turns += 1;
            if self.empty_turns <= self.runs.len() {
                return;
            }
            self.empty_turns = 0;
            if self.failures == 0 {
                self.look_whether_done();
            }
        }
        let state = self.lane(way);
        state.look_at = state.look_at.max(Instant::now() + POLL_EVERY);
    }

    /// Asks which runs of others are open, now and then.
    fn ask_for_runs(&mut self) {
        if self.settings.until != Until::Stopped || self.runs_at > Instant::now() {
            return;
        }
        self.runs_at = Instant::now() + RUNS_EVERY;
        let store = Arc::clone(&self.store);
        self.tasks.spawn(async move { Task::Runs(store.open_runs().await) });
    }

    /// Passes an answer of the database on; `None` where it is to be asked again, later.
    fn or_wait<T>(&mut self, answer: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match answer {
            Ok(answer) => {
                self.failures = 0;
                Ok(Some(answer))
            }
            Err(error) if is_waited_for(&error) => {
                self.failures = self.failures.saturating_add(1);
                let again = Instant::now() + pause_after(self.failures);
                (self.regular.look_at, self.interactive.look_at) = (again, again);
                (self.news)(News::Trouble(error.to_string()));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Starts to inspect a claim.
    fn spawn_inspection(&mut self, way: Way, claim: Claim, run: Option<RunId>) {
        let (domain, lease) = (claim.domain.id.clone(), claim.lease);
        // A claim under a lease that is gone is void.
        let held = self.held.borrow().clone().filter(|held| held.is_fresh() && held.has(lease));
        let Some(held) = held.filter(|_| !self.out.contains_key(&domain)) else {
            self.may_have_strays = true;
            return;
        };
        let (checker, settings) = (self.checker.clone(), self.settings.clone());
        let inspection =
            self.tasks.spawn(async move { Task::Inspected(inspect(&checker, &settings, &held, claim, run).await) });
        self.busy.add(lease.shard);
        self.lane(way).inspecting += 1;
        self.out.insert(domain, Out { lease, way, inspection: Some(inspection) });
    }

    /// Notes that a domain's inspection is over.
    fn end_inspection(&mut self, domain: &DomainId) {
        let Some(out) = self.out.get_mut(domain) else { return };
        let (way, ended) = (out.way, out.inspection.take());
        if ended.is_some() {
            let lane = self.lane(way);
            lane.inspecting = lane.inspecting.saturating_sub(1);
        }
    }

    /// Notes that a claim is no longer out.
    fn count_out(&mut self, domain: &DomainId) {
        self.end_inspection(domain);
        if let Some(out) = self.out.remove(domain) {
            self.busy.remove(out.lease.shard);
        }
    }

    /// Takes in that an outcome was recorded.
    fn settle(&mut self, finished: Finished) {
        self.count_out(&finished.outcome.domain);
        match finished.recorded {
            Recorded::Written => self.tally.written += 1,
            Recorded::Repeated => self.tally.repeated += 1,
            Recorded::Fenced => {
                self.tally.fenced += 1;
                self.busy.ring();
            }
        }
        (self.news)(News::Finished(Box::new(finished)));
    }

    /// Breaks off the inspections whose lease is gone: somebody else may be asking the same servers by now.
    fn drop_lost(&mut self) {
        let held = self.held.borrow().clone().filter(Held::is_fresh);
        let is_lost = |out: &Out| !held.as_ref().is_some_and(|held| held.has(out.lease));
        let lost: Vec<DomainId> = self
            .out
            .iter()
            .filter(|(_, out)| is_lost(out) && out.inspection.is_some())
            .map(|(domain, _)| domain.clone())
            .collect();
        self.may_have_strays |= !lost.is_empty();
        for domain in lost {
            if let Some(inspection) = self.out.get(&domain).and_then(|out| out.inspection.as_ref()) {
                inspection.abort();
            }
            self.count_out(&domain);
        }
    }

    /// Lets go of claims in the database of which nothing is known here, once the leases are known to hold.
    ///
    /// Inspections are broken off as soon as a heartbeat is overdue; where the next one still comes in time the shards were
    /// never anybody else's, and their claims would stand for as long as this worker lives.
    fn free_strays(&mut self) {
        let is_claiming = self.regular.is_claiming || self.interactive.is_claiming;
        if !self.may_have_strays || self.is_freeing || is_claiming {
            return;
        }
        let Some(held) = self.held.borrow().clone().filter(Held::is_fresh) else { return };
        (self.may_have_strays, self.is_freeing) = (false, true);
        let leases: Vec<ShardLease> = held.all().collect();
        let kept: Vec<DomainId> = self.out.keys().cloned().collect();
        let store = Arc::clone(&self.store);
        self.tasks.spawn(async move {
            let freed = timeout(FREEING_LIMIT, store.unclaim_others(&leases, &kept)).await;
            Task::Freed(freed.unwrap_or_else(|_| Err(StoreError::Unavailable("claims could not be freed".to_owned()))))
        });
    }

    /// Hands claims to the shards of their operators.
    fn move_on(&mut self) {
        if self.moves.is_empty() {
            return;
        }
        let (store, moves) = (Arc::clone(&self.store), std::mem::take(&mut self.moves));
        self.tasks.spawn(async move {
            let moved = store.move_domains(&moves).await;
            Task::Moved(moves, moved)
        });
    }

    /// Finds out whether all is done, once nothing is out and the worker has its share of the shards.
    fn look_whether_done(&mut self) {
        let has_share = self.held.borrow().as_ref().is_some_and(Held::has_share);
        if self.is_looking || !self.out.is_empty() || !has_share {
            return;
        }
        let Some(held) = self.held.borrow().clone() else { return };
        let store = Arc::clone(&self.store);
        let look = match self.settings.until.clone() {
            Until::Stopped => return,
            Until::NothingIsDue => async move {
                let next = store.next_due(&held.all().collect::<Vec<_>>()).await?;
                Ok(next.is_none_or(|next| next > held.now()))
            }
            .boxed(),
            Until::RunIsDone(run) => async move {
                let run = store.run(&run).await?;
                Ok(run.is_none_or(|run| run.done >= run.domains))
            }
            .boxed(),
        };
        self.is_looking = true;
        self.tasks.spawn(async move { Task::Looked(look.await) });
    }
}

/// Says why recording broke off.
fn broken_off(ended: Result<Result<(), StoreError>, JoinError>) -> StoreError {
    match ended {
        Ok(Err(error)) => error,
        Ok(Ok(())) | Err(_) => StoreError::Unavailable("recording broke off".to_owned()),
    }
}
