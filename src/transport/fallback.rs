//! UDP, then TCP.
//!
//! A question gets up to three tries over UDP, each waiting twice as long as the one before, then one over TCP. A cut
//! reply (TC=1) goes to TCP, and so does at once what came back unfit: over TCP a forger cannot join in. A server that
//! does not take EDNS is asked again without, for that one try; only what it says over TCP is remembered of that.
//!
//! While an address has never answered, the retries are spent by one question alone: the others send one datagram
//! each and then wait to see whether anybody is there ([`ServerHealth`]).

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::failure_cache::FailureCache;
use super::server_health::{Outlook, ServerHealth, Standing};
use super::waiting::wait;
use super::{Exchange, Query, Transport};
use crate::dns::rrset::Rcode;
use crate::evidence::{Protocol, Silence};
use crate::metrics::{Event, Metrics};

/// How many tries a question has over UDP unless told otherwise (SECURITY.md, limits).
pub const DEFAULT_ATTEMPTS: u32 = 3;
/// By how much a timeout is shortened or prolonged at random, as a factor (SECURITY.md A8).
const JITTER: std::ops::Range<f64> = 0.8..1.2;

/// Asks over UDP and, where that does not do, over TCP.
pub struct Fallback<U, T> {
    /// The way over UDP.
    udp: U,
    /// The way over TCP.
    tcp: T,
    /// What is known of the servers.
    health: Arc<ServerHealth>,
    /// What failed of late.
    failures: Arc<FailureCache>,
    /// The tries over UDP.
    attempts: u32,
    /// The counters.
    metrics: Arc<Metrics>,
}

/// How much is spent on a question.
#[derive(Clone, Copy)]
struct Effort {
    /// The tries over UDP.
    tries: u32,
    /// Whether TCP is tried where all of them were in vain.
    ends_on_tcp: bool,
    /// What is known of the address.
    outlook: Outlook,
}

impl Effort {
    /// Leaves one datagram.
    fn cut_to_one_try(self) -> Self {
        Self { tries: 1, ends_on_tcp: false, ..self }
    }
}

impl<U: Transport, T: Transport> Fallback<U, T> {
    /// Puts the two ways together. `attempts` is the number of tries over UDP; zero asks over TCP alone.
    pub fn new(udp: U, tcp: T, health: Arc<ServerHealth>, failures: Arc<FailureCache>, attempts: u32) -> Self {
        Self { udp, tcp, health, failures, attempts, metrics: Arc::default() }
    }

    /// Has what happens here counted.
    #[must_use]
    pub fn counting(self, metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), ..self }
    }

    /// Asks, unless it is known that it is too early to ask again. A query that wants TCP gets it at once.
    async fn ask(&self, query: &Query) -> Exchange {
        if query.protocol == Protocol::Tcp {
            let exchange = self.ask_tcp(query).await;
            return self.conclude(query, exchange);
        }
        let now = now();
        if let Some(silence) = self.failures.recall(query.server, &query.question, now) {
            self.metrics.count(Event::FailuresRecalled);
            return Exchange::silent(silence, Duration::ZERO, Protocol::Udp);
        }
        let outlook = self.health.outlook(query.server, query.budget.check(), now);
        let all = Effort { tries: self.attempts, ends_on_tcp: true, outlook };
        // Most servers answer; what the others take is not carried along with every question.
        match outlook.standing {
            Standing::Answers => self.spend(query, all).await,
            Standing::Unknown => Box::pin(self.ask_unknown(query, all)).await,
            Standing::Silent => self.spend(query, all.cut_to_one_try()).await,
            Standing::Down { is_turn } => Box::pin(self.ask_down(query, all, is_turn)).await,
        }
    }

    /// Asks an address of which nothing is known: with all tries where no other question does so already; else with
    /// one, and with the others once the address has answered anything.
    async fn ask_unknown(&self, query: &Query, all: Effort) -> Exchange {
        let lead = self.health.lead(query.server);
        if let Ok(_leads) = lead.try_lock() {
            return self.spend(query, all).await;
        }
        let began = now();
        let exchange = self.try_udp(query, all.cut_to_one_try()).await;
        if exchange.outcome != Err(Silence::Timeout) {
            return self.conclude(query, exchange);
        }
        // A question that led and was dropped leaves the lock without a word: then this one leads.
        let held = wait(&query.budget, lead.lock()).await;
        if self.health.has_failed_since(query.server, began, now()) {
            return self.conclude(query, exchange);
        }
        let outlook = self.health.outlook(query.server, query.budget.check(), now());
        let rest = Effort { tries: all.tries.saturating_sub(1), outlook, ..all };
        if self.health.has_answered(query.server, now()) {
            drop(held);
        }
        self.spend(query, rest).await
    }

    /// Asks an address that is down: once for each check. Its other questions wait for what comes of that.
    async fn ask_down(&self, query: &Query, all: Effort, is_turn: bool) -> Exchange {
        let lead = self.health.lead(query.server);
        if is_turn {
            let _leads = lead.try_lock();
            return self.spend(query, all.cut_to_one_try()).await;
        }
        drop(wait(&query.budget, lead.lock()).await);
        if self.health.has_answered(query.server, now()) {
            let outlook = self.health.outlook(query.server, query.budget.check(), now());
            return self.spend(query, Effort { outlook, ..all }).await;
        }
        self.metrics.count(Event::DownAddresses);
        Exchange::silent(Silence::Timeout, Duration::ZERO, Protocol::Udp)
    }

    /// Asks with a given effort and takes note of how it went.
    async fn spend(&self, query: &Query, effort: Effort) -> Exchange {
        let mut exchange = self.try_udp(query, effort).await;
        if effort.ends_on_tcp && exchange.outcome == Err(Silence::Timeout) && exchange.protocol == Protocol::Udp {
            self.metrics.count(Event::TcpAfterSilence);
            exchange = self.or_tcp(query, exchange).await;
        }
        self.conclude(query, exchange)
    }

    /// Tries over UDP, and over TCP where the reply was cut or unfit. Where nothing came, that is for the caller.
    async fn try_udp(&self, query: &Query, effort: Effort) -> Exchange {
        let refuses_edns = effort.outlook.quirks.refuses_edns;
        let mut timeout = query.timeout.unwrap_or(effort.outlook.first_timeout);
        let mut last = Exchange::silent(Silence::Timeout, Duration::ZERO, Protocol::Udp);
        let mut may_drop_edns = query.with_edns;
        for nth in 0..effort.tries {
            if nth > 0 {
                self.metrics.count(Event::Retries);
            }
            // A second try may take another path.
            let lot = if nth == 0 { query.lot } else { rand::random() };
            last = self.send_udp(query, lot, query.with_edns && !refuses_edns, timeout).await;
            last.flaws.takes_no_edns = query.with_edns && refuses_edns && last.outcome.is_ok();
            if may_drop_edns && is_edns_refused(&last) {
                may_drop_edns = false;
                self.metrics.count(Event::EdnsLeftOut);
                last = self.send_udp(query, lot, false, timeout).await;
                last.flaws.takes_no_edns = last.outcome.is_ok() && !is_edns_refused(&last);
            }
            match &last.outcome {
                Ok(reply) => {
                    self.health.note_answer(query.server, Some(last.rtt), now());
                    if !reply.flags.truncated {
                        return last;
                    }
                    self.health.note_quirk(query.server, now(), |quirks| quirks.truncates = true);
                    self.metrics.count(Event::TcpAfterCut);
                    let mut over_tcp = self.ask_tcp(query).await;
                    over_tcp.flaws.takes_no_edns |= last.flaws.takes_no_edns;
                    over_tcp.flaws.lacks_tcp = matches!(over_tcp.outcome, Err(Silence::Timeout | Silence::Refused));
                    return over_tcp;
                }
                Err(Silence::Mismatched) => {
                    tracing::info!(server = %query.server, question = %query.question, "a reply that does not match");
                    self.metrics.count(Event::TcpAfterNearMiss);
                    let loses_case = last.flaws.loses_case;
                    let mut over_tcp = self.or_tcp(query, last).await;
                    over_tcp.flaws.loses_case = loses_case && over_tcp.outcome.is_ok();
                    if over_tcp.outcome.is_ok() {
                        self.health.note_quirk(query.server, now(), |quirks| quirks.mismatches_udp = true);
                    }
                    return over_tcp;
                }
                Err(Silence::Malformed | Silence::Refused) => {
                    self.metrics.count(Event::TcpAfterUnfit);
                    return self.or_tcp(query, last).await;
                }
                Err(Silence::NoRoute | Silence::Forbidden | Silence::Limit) => return last,
                Err(Silence::Timeout) if query.timeout.is_none() => timeout = ServerHealth::next_timeout(timeout),
                Err(Silence::Timeout) => {}
            }
        }
        last
    }

    /// Sends one datagram and waits for about `timeout`.
    async fn send_udp(&self, query: &Query, lot: u8, with_edns: bool, timeout: Duration) -> Exchange {
        let timeout = Some(timeout.mul_f64(rand::random_range(JITTER)));
        let one = Query { protocol: Protocol::Udp, with_edns, timeout, lot, ..query.clone() };
        self.udp.exchange(&one).await
    }

    /// Asks over TCP after UDP was in vain. What UDP said stands where this host has no way over TCP, and so does the
    /// silence over UDP where this host has no more connections to give: the server was asked and did not answer.
    async fn or_tcp(&self, query: &Query, over_udp: Exchange) -> Exchange {
        let over_tcp = self.ask_tcp(query).await;
        let udp_stands = match over_tcp.outcome {
            Err(Silence::NoRoute) => true,
            Err(Silence::Limit) => over_udp.outcome == Err(Silence::Timeout) && !query.budget.is_exhausted(),
            _ => false,
        };
        if udp_stands { over_udp } else { over_tcp }
    }

    /// Asks over TCP, which few questions need: none has to make room for it.
    fn ask_tcp<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Exchange> {
        self.converse(query).boxed()
    }

    /// Asks over TCP, and once more without EDNS where the server does not take it.
    async fn converse(&self, query: &Query) -> Exchange {
        let with_edns = query.with_edns && !self.health.quirks(query.server, now()).refuses_edns;
        let first = Query { protocol: Protocol::Tcp, with_edns, timeout: None, ..query.clone() };
        let mut exchange = self.tcp.exchange(&first).await;
        if with_edns && is_edns_refused(&exchange) {
            self.metrics.count(Event::EdnsLeftOut);
            exchange = self.tcp.exchange(&Query { with_edns: false, ..first }).await;
            if exchange.outcome.is_ok() && !is_edns_refused(&exchange) {
                exchange.flaws.takes_no_edns = true;
                self.health.note_quirk(query.server, now(), |quirks| quirks.refuses_edns = true);
            }
        }
        if exchange.outcome.is_ok() {
            exchange.flaws.takes_no_edns |= query.with_edns && !with_edns;
            self.health.note_answer(query.server, None, now());
        }
        exchange
    }

    /// Takes note of how a question that was sent ended.
    fn conclude(&self, query: &Query, exchange: Exchange) -> Exchange {
        match &exchange.outcome {
            Ok(_) => self.failures.note_answer(query.server, &query.question),
            Err(Silence::NoRoute | Silence::Forbidden | Silence::Limit) => {}
            Err(silence) => {
                self.health.note_failure(query.server, query.budget.check(), now());
                self.failures.note_failure(query.server, &query.question, *silence, now());
            }
        }
        exchange
    }
}

impl<U: Transport, T: Transport> Transport for Fallback<U, T> {
    fn exchange(&self, query: &Query) -> impl Future<Output = Exchange> + Send {
        self.ask(query)
    }
}

/// Says whether a reply may mean that the server does not take EDNS (RFC 6891 §7).
fn is_edns_refused(exchange: &Exchange) -> bool {
    exchange.outcome.as_ref().is_ok_and(|reply| matches!(reply.rcode, Rcode::FORMERR | Rcode::NOTIMP | Rcode::BADVERS))
}

/// Returns the time, as the runtime counts it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;
