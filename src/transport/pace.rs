//! How fast servers are asked.
//!
//! Every datagram and every connection waits for its turn three times: at its server address (a place in flight, then
//! the rate), at its network (a /24 or a /48), and among all. Waiting is first come, first served; it holds no lock of
//! a map, and a question that is dropped gives its place back. One [`Pacer`] is shared by UDP and TCP.
//!
//! A server that also answers but begins to drop, to cut or to refuse while several questions are in flight is taken
//! to be at its limit: its rate is halved, down to an eighth, and grows again step by step while it answers. To refuse
//! counts only where it answered the same check before: a zone that it does not have it refuses at any pace. How many
//! places there are in flight is told in `window`.
//!
//! Time is tokio's, so that it can be paused.

mod window;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures::{FutureExt, poll};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, sleep, timeout};

use super::per_key::PerKey;
use super::waiting::{OnErrand, wait};
use super::{Exchange, PaceClass, Query, Transport, counted};
use crate::budget::Errand;
use crate::dns::rrset::Rcode;
use crate::evidence::{Protocol, Silence};
use crate::metrics::{Event, Metrics};
use window::{Place, Window};

/// How many times the pace of one address a network of many gets (SECURITY.md A9).
const NETWORK_FACTOR: u32 = 5;
/// The highest rate that is told from no limit: a question a microsecond.
const MAX_PER_SECOND: u32 = 1_000_000;
/// The most server addresses, and the most networks, whose pace is remembered while nothing is in flight there.
const GATES_KEPT: usize = 16_384;
/// The most that one question costs at a server that was slowed: its rate is then an eighth.
const MAX_COST: u32 = 8;
/// How many questions in flight make a load that a server may fail under.
const LOAD: usize = 4;
/// For how long a good reply shows that a server is alive, so that a bad one means load.
const ALIVE: Duration = Duration::from_secs(10);
/// The least time between two halvings: the replies to one burst fail together.
const BETWEEN_HALVINGS: Duration = Duration::from_secs(1);
/// Of how many checks is remembered that a server answered them: those of a moment, as each asks all at once.
const ANSWERED_KEPT: usize = 16;
/// How long a slowed server must answer before it is asked a step faster.
const BETWEEN_STEPS: Duration = Duration::from_secs(5);

/// The pace of one class of servers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClassPace {
    /// Questions per second to one address; 0 is no limit, nor for its network.
    pub per_second: u32,
    /// How many may leave at once after a pause.
    pub burst: u32,
    /// How many may be out at one time; at a registry's or a big provider's server up to twice as many while nothing is
    /// lost.
    pub in_flight: usize,
}

/// The pace of everything (SECURITY.md A9).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PaceLimits {
    /// Questions per second to all servers together; 2,000 unless told, 0 is no limit.
    pub per_second_in_all: u32,
    /// The pace of any server; 20 per second, a burst of 40, 16 in flight unless told.
    pub ordinary: ClassPace,
    /// The pace of a root or TLD server or a big provider's; 200 per second, a burst of 200, 64 in flight unless told, and
    /// up to 128 while nothing is lost.
    pub anycast: ClassPace,
    /// How long a question waits for its turn before it is put off; 10 minutes unless told. A server that began to drop
    /// bears an eighth of its pace, and a check that was let in waits for it: what it then did not ask it could not tell.
    pub max_wait: Duration,
}

impl Default for PaceLimits {
    fn default() -> Self {
        Self {
            per_second_in_all: 2000,
            ordinary: ClassPace { per_second: 20, burst: 40, in_flight: 16 },
            anycast: ClassPace { per_second: 200, burst: 200, in_flight: 64 },
            max_wait: Duration::from_secs(600),
        }
    }
}

impl PaceLimits {
    /// Returns these limits with another rate for every server address; 0 is no limit. The burst is two seconds'
    /// worth, and what may be in flight stays.
    #[must_use]
    pub fn with_per_server(mut self, per_second: u32) -> Self {
        for pace in [&mut self.ordinary, &mut self.anycast] {
            *pace = ClassPace { per_second, burst: per_second.saturating_mul(2), ..*pace };
        }
        self
    }

    /// Returns the pace of a class.
    pub(super) fn of(&self, class: PaceClass) -> ClassPace {
        match class {
            PaceClass::Ordinary => self.ordinary,
            PaceClass::Anycast => self.anycast,
        }
    }
}

/// Gives every question its turn. One is shared by all transports that send.
pub struct Pacer {
    /// The limits.
    limits: PaceLimits,
    /// The rate of all.
    in_all: Option<Rate>,
    /// The gates of the server addresses.
    servers: PerKey<(IpAddr, PaceClass), Gate>,
    /// The rates of the networks.
    networks: PerKey<(IpAddr, PaceClass), Option<Rate>>,
}

impl Pacer {
    /// Makes a pacer.
    #[must_use]
    pub fn new(limits: PaceLimits) -> Arc<Self> {
        // A tenth of a second's worth may leave at once, so that no burst of ours is felt far away (SECURITY.md A9).
        let in_all = Rate::new(limits.per_second_in_all, limits.per_second_in_all.div_ceil(10));
        Arc::new(Self { limits, in_all, servers: PerKey::new(GATES_KEPT), networks: PerKey::new(GATES_KEPT) })
    }

    /// Waits for the turn of a question; `None` where that would take too long.
    async fn turn(&self, server: IpAddr, class: PaceClass) -> Option<Turn> {
        let mut turn = pin!(self.wait(server, class));
        if let Poll::Ready(turn) = poll!(turn.as_mut()) {
            return turn;
        }
        // Most need not wait, and carry no timer along.
        timeout(self.limits.max_wait, turn).boxed().await.ok().flatten()
    }

    /// Waits for the turn of a question.
    async fn wait(&self, server: IpAddr, class: PaceClass) -> Option<Turn> {
        let pace = self.limits.of(class);
        let gate = self.servers.get_or_make(&(server, class), || Gate::new(pace, class));
        let place = gate.window.enter().await?;
        if let Some(rate) = &gate.rate {
            rate.pass(gate.cost()).await;
        }
        // Without a limit for an address there is none for its network.
        if gate.rate.is_some() {
            let times = |number: u32| number.saturating_mul(NETWORK_FACTOR);
            let network_rate = || Rate::new(times(pace.per_second), times(pace.burst));
            let network = self.networks.get_or_make(&(network_of(server), class), network_rate);
            if let Some(rate) = network.as_ref() {
                rate.pass(NonZeroU32::MIN).await;
            }
        }
        if let Some(rate) = &self.in_all {
            rate.pass(NonZeroU32::MIN).await;
        }
        let in_flight = gate.window.taken();
        Some(Turn { gate, _place: place, in_flight })
    }
}

/// A turn that was given; the place in flight is given back when this is dropped.
struct Turn {
    /// The server's gate.
    gate: Arc<Gate>,
    /// The place in flight.
    _place: Place,
    /// How many questions to that server were in flight or about to be, this one included.
    in_flight: usize,
}

/// What stands before one server address.
struct Gate {
    /// The places in flight.
    window: Arc<Window>,
    /// The rate, where there is a limit.
    rate: Option<Rate>,
    /// How well the server takes it.
    strain: Mutex<Strain>,
}

/// How well a server takes its load.
#[derive(Default)]
struct Strain {
    /// How often its rate was halved, less the steps that it was given back: what a question costs, less one.
    extra_cost: u32,
    /// When that changed.
    changed: Option<Instant>,
    /// When it last replied well.
    replied: Option<Instant>,
    /// The checks that it replied well to of late.
    answered: VecDeque<u64>,
}

impl Gate {
    /// Opens a gate.
    fn new(pace: ClassPace, class: PaceClass) -> Self {
        let window = Window::new(pace.in_flight, class);
        Self { window, rate: Rate::new(pace.per_second, pace.burst), strain: Mutex::default() }
    }

    /// Returns what one question costs.
    fn cost(&self) -> NonZeroU32 {
        let strain = self.strain.lock().unwrap_or_else(PoisonError::into_inner);
        NonZeroU32::MIN.saturating_add(strain.extra_cost)
    }

    /// Takes note of how a question of a check went that was out with others; says whether the rate was halved for it.
    fn observe(&self, check: u64, exchange: &Exchange, in_flight: usize) -> bool {
        let mut strain = self.strain.lock().unwrap_or_else(PoisonError::into_inner);
        let is_strained = match &exchange.outcome {
            Ok(reply) if reply.rcode == Rcode::REFUSED && !strain.answered.contains(&check) => return false,
            Ok(reply) if reply.rcode == Rcode::REFUSED => true,
            Ok(reply) => reply.flags.truncated && exchange.protocol == Protocol::Udp,
            Err(Silence::Timeout) => true,
            Err(_) => return false,
        };
        let now = Instant::now();
        let is_due = |pause| strain.changed.is_none_or(|changed| now.duration_since(changed) >= pause);
        if !is_strained {
            self.window.note_reply(in_flight);
            if strain.extra_cost > 0 && is_due(BETWEEN_STEPS) {
                strain.extra_cost -= 1;
                strain.changed = Some(now);
            }
            strain.replied = Some(now);
            if strain.answered.back() != Some(&check) {
                if strain.answered.len() == ANSWERED_KEPT {
                    strain.answered.pop_front();
                }
                strain.answered.push_back(check);
            }
            return false;
        }
        self.window.note_loss();
        let is_overloaded = in_flight >= LOAD
            && is_due(BETWEEN_HALVINGS)
            && strain.replied.is_some_and(|replied| now.duration_since(replied) < ALIVE);
        if is_overloaded {
            strain.extra_cost = (strain.extra_cost * 2 + 1).min(MAX_COST - 1);
            strain.changed = Some(now);
        }
        is_overloaded
    }
}

/// One rate limit and the queue before it.
struct Rate {
    /// The arithmetic.
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
    /// The clock of the arithmetic.
    clock: TokioClock,
    /// What one question costs at most.
    burst: NonZeroU32,
    /// The head of the queue holds this while it waits, so that there is one timer a queue and nobody is overtaken.
    turnstile: tokio::sync::Mutex<()>,
}

impl Rate {
    /// Makes a rate limit; `None` where there is none.
    fn new(per_second: u32, burst: u32) -> Option<Self> {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(NonZeroU32::new(per_second.min(MAX_PER_SECOND))?).allow_burst(burst);
        let clock = TokioClock { start: Instant::now() };
        let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
        Some(Self { limiter, clock, burst, turnstile: tokio::sync::Mutex::default() })
    }

    /// Waits until `cost` questions may pass, after all that came before.
    async fn pass(&self, cost: NonZeroU32) {
        // Nobody stands before this one, and there is room.
        let passes = || !matches!(self.limiter.check_n(cost.min(self.burst)), Ok(Err(_)));
        if !self.turnstile.try_lock().is_ok_and(|_turn| passes()) {
            self.queue(cost).boxed().await;
        }
    }

    /// Waits in the queue, one timer at its head.
    async fn queue(&self, cost: NonZeroU32) {
        let _turn = self.turnstile.lock().await;
        while let Ok(Err(too_early)) = self.limiter.check_n(cost.min(self.burst)) {
            sleep(too_early.wait_time_from(self.clock.now())).await;
        }
    }
}

/// The runtime's clock, counted from the making of a rate limit.
#[derive(Clone)]
struct TokioClock {
    /// Where it starts.
    start: Instant,
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Returns the first address of the /24 or /48 that an address lies in.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & !0xff).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 80)).into(),
    }
}

/// A transport that is asked at the pacer's pace.
pub struct Paced<T> {
    /// The transport.
    inner: T,
    /// The pacer.
    pacer: Arc<Pacer>,
    /// The counters.
    metrics: Arc<Metrics>,
}

impl<T: Transport> Paced<T> {
    /// Puts a pacer before a transport that sends one datagram, or makes one connection, for a query.
    pub fn new(inner: T, pacer: Arc<Pacer>) -> Self {
        Self { inner, pacer, metrics: Arc::default() }
    }

    /// Has what happens here counted.
    #[must_use]
    pub fn counting(self, metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), ..self }
    }

    /// Waits for the query's turn, then asks. A question without budget does not queue.
    async fn ask(&self, query: &Query) -> Exchange {
        let unsent = || Exchange::silent(Silence::Limit, Duration::ZERO, query.protocol);
        if query.budget.is_exhausted() {
            self.metrics.count(Event::BudgetHits);
            return unsent();
        }
        let Some(turn) = wait(&query.budget, self.pacer.turn(query.server, query.class)).await else {
            self.metrics.count(Event::PutOff);
            query.budget.note_put_off();
            return unsent();
        };
        let _out = OnErrand::begin(&query.budget, Errand::Out);
        let exchange = self.inner.exchange(query).await;
        counted::count(&self.metrics, query, &exchange);
        if turn.gate.observe(query.budget.check(), &exchange, turn.in_flight) {
            self.metrics.count(Event::ServersSlowed);
        }
        exchange
    }
}

impl<T: Transport> Transport for Paced<T> {
    fn exchange(&self, query: &Query) -> impl Future<Output = Exchange> + Send {
        self.ask(query)
    }
}

#[cfg(test)]
mod tests;
