//! Finds who is in charge of a name, from the root down.
//!
//! The way is decided by [`machine`]; this driver asks, looks server addresses up by walks of their
//! own (`addresses`), and remembers cuts in [`cut_cache`]. It never judges, and it takes no resolver's word.

mod addresses;
pub mod cut_cache;
pub mod lookup;
pub mod machine;
pub mod minimise;
mod race;
pub mod root_hints;
mod speeds;
pub mod trust;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tracing::Instrument;

use crate::budget::Budget;
use crate::dns::message::Message;
use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::response::{Lameness, Response};
use crate::dns::rrset::Question;
use crate::evidence::{ChainEnd, Observation, ZoneCut};
use crate::observe::{Seen, Target, ask, ask_whole};
use crate::transport::DynTransport;
use crate::transport::waiting::wait;
use crate::walk::cut_cache::CutCache;
use crate::walk::machine::{Step, Until, Walk};
use crate::walk::race::{Runners, Said, ServerAddress};
use crate::walk::speeds::Speeds;

/// What a walk found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The cuts on the way, the root first.
    pub cuts: Vec<Arc<ZoneCut>>,
    /// How the walk ended.
    pub end: ChainEnd,
    /// What was said to the walk's question on the way, in order of time.
    pub seen: Vec<(Question, Observation)>,
    /// The last message that was said to it, where more than its meaning is wanted.
    pub message: Option<Arc<Message>>,
}

/// What is wanted of the reply to a walk's question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Detail {
    /// What it says.
    Meaning,
    /// What it says, and at a delegation what vouches for the keys of the zone below (DO=1).
    Signers,
    /// The whole message too.
    Message,
    /// The whole message, with signatures (DO=1).
    Proof,
}

/// What a walk carries along.
#[derive(Clone, Copy)]
pub struct Journey<'a> {
    /// The purse of the check, or of the walk that this one serves.
    pub budget: &'a Arc<Budget>,
    /// How old cuts of registered zones may be.
    pub max_age: Duration,
    /// Where everything asked is written down, walks for server addresses included.
    pub log: Option<&'a Seen>,
    /// Whether servers are told no more of a question than they need (RFC 9156).
    pub minimises: bool,
    /// What is wanted of the reply to the walk's question; of servers' addresses, the meaning alone.
    pub detail: Detail,
    /// An address that is asked only where there is no other: what it said before could not be proven.
    avoid: Option<IpAddr>,
    /// The servers whose addresses are being looked up, the outermost first.
    stack: &'a [Name],
}

impl<'a> Journey<'a> {
    /// Sets out from nothing.
    #[must_use]
    pub fn new(budget: &'a Arc<Budget>, max_age: Duration) -> Self {
        Self { budget, max_age, log: None, minimises: false, detail: Detail::Meaning, avoid: None, stack: &[] }
    }

    /// Has servers told no more of a question than they need, or not.
    #[must_use]
    pub fn minimising(self, minimises: bool) -> Self {
        Self { minimises, ..self }
    }

    /// Has parents asked what vouches for the zones below, or not.
    #[must_use]
    pub fn with_signers(self, wants_them: bool) -> Self {
        Self { detail: if wants_them { Detail::Signers } else { self.detail }, ..self }
    }

    /// Has everything written down.
    #[must_use]
    pub fn logged(self, log: &'a Seen) -> Self {
        Self { log: Some(log), ..self }
    }
}

/// Walks delegations.
pub struct Walker {
    /// How questions are asked.
    transport: Arc<dyn DynTransport>,
    /// What is known from earlier walks.
    cache: CutCache,
    /// Whether servers' IPv6 addresses are looked up.
    with_ipv6: bool,
    /// Whether a root server spoke without authority, as something in its place does.
    is_intercepted: AtomicBool,
    /// How fast those are that lead on.
    speeds: Speeds,
}

impl Walker {
    /// Puts a walker together.
    #[must_use]
    pub fn new(transport: Arc<dyn DynTransport>, cache: CutCache, with_ipv6: bool) -> Self {
        Self { transport, cache, with_ipv6, is_intercepted: AtomicBool::new(false), speeds: Speeds::default() }
    }

    /// Says whether a root server ever spoke without authority: something may answer in the servers' place.
    #[must_use]
    pub fn has_seen_interception(&self) -> bool {
        self.is_intercepted.load(Ordering::Relaxed)
    }

    /// Walks towards the name of `question`.
    ///
    /// With [`Until::Zone`] the last cut has every address of its servers, or says why not.
    pub fn walk<'a>(&'a self, question: Question, until: Until, journey: Journey<'a>) -> BoxFuture<'a, Found> {
        self.drive(question, until, journey).boxed()
    }

    /// Does what the machine says until it is done.
    async fn drive(&self, question: Question, until: Until, journey: Journey<'_>) -> Found {
        let purse = if journey.stack.is_empty() { journey.budget.for_walk() } else { Arc::clone(journey.budget) };
        let known = self.cache.known_cuts(&question.name, journey.max_age);
        let set_out = |known| {
            let walk = Walk::new(question.clone(), until, known).avoiding(journey.avoid);
            if journey.minimises { walk.minimised() } else { walk }
        };
        let mut walk = set_out(known);
        let mut seen = Vec::new();
        let mut last = None;
        loop {
            match walk.next() {
                Step::Done(end) => return Found { cuts: walk.into_cuts(), end, seen, message: last },
                Step::Resolve { names } => self.resolve_into(&mut walk, names, until, journey).await,
                Step::Ask { zone, question: asked, untried } => {
                    // Many checks start at once with nothing known: one of them asks the root.
                    let is_first = zone.is_root() && journey.stack.is_empty();
                    let flight = if is_first {
                        Some(wait(journey.budget, self.cache.enter_walk(&question.name)).await)
                    } else {
                        None
                    };
                    if is_first {
                        let anew = set_out(self.cache.known_cuts(&question.name, journey.max_age));
                        if anew.cuts().len() > walk.cuts().len() {
                            walk = anew;
                            continue;
                        }
                    }
                    let step = tracing::debug_span!("step", %zone, question = %asked);
                    let said = self.ask_one_of(&question, (zone, untried), &asked, &purse, journey);
                    let Some(said) = said.instrument(step).await else {
                        walk.stop();
                        continue;
                    };
                    self.take_in(&mut walk, &asked, &said);
                    drop(flight);
                    for (observation, message) in said {
                        if let Some(log) = journey.log {
                            log.push(&asked, observation.clone());
                        }
                        if asked == question {
                            seen.push((asked.clone(), observation));
                            last = message;
                        }
                    }
                    if purse.is_exhausted() {
                        walk.stop();
                    }
                }
            }
        }
    }

    /// Asks one of the servers of a zone that were not tried, and another one where that takes long; `None` without one.
    async fn ask_one_of(
        &self,
        question: &Question,
        (zone, untried): (Name, Vec<ServerAddress>),
        asked: &Question,
        purse: &Arc<Budget>,
        journey: Journey<'_>,
    ) -> Option<Vec<Said>> {
        let is_avoided = |address| Some(address) == journey.avoid || self.speeds.is_slow(address);
        let runners = match is_registry(&zone) {
            true => Runners::by_speed(&question.name, untried, is_avoided, &self.speeds)?,
            false => Runners::by_name(&question.name, untried, is_avoided)?,
        };
        let target = |(server, address)| Target { zone: zone.clone(), server, address };
        let ask = async |whom: ServerAddress| {
            let _under_way = self.speeds.depart(whom.1);
            self.ask(target(whom), asked, purse, journey.detail).await
        };
        Some(race::first_to_speak(&self.speeds, runners, || purse.sends(), ask).await)
    }

    /// Has a walk take in what was said: a reply, where there is one.
    fn take_in(&self, walk: &mut Walk, asked: &Question, said: &[Said]) {
        let depth = walk.cuts().len();
        let has_reply = said.iter().any(|(observation, _)| observation.response().is_some());
        for (observation, _) in said {
            self.watch_root(observation);
            tell_step(asked, observation);
            // Beside a reply, one who is silent ends nothing.
            if !has_reply || observation.response().is_some() {
                walk.handle_reply(observation.address, observation.response());
            }
        }
        if let Some(cut) = walk.cuts().last().filter(|_| walk.cuts().len() > depth) {
            self.cache.keep_cut(Arc::clone(cut));
        }
    }

    /// Asks one address one question.
    async fn ask(
        &self,
        target: Target,
        question: &Question,
        purse: &Arc<Budget>,
        detail: Detail,
    ) -> (Observation, Option<Arc<Message>>) {
        let transport = self.transport.as_ref();
        match detail {
            Detail::Meaning => (ask(transport, target, question, purse).await, None),
            Detail::Signers => (ask_whole(transport, target, question, true, purse).await.0, None),
            Detail::Message => ask_whole(transport, target, question, false, purse).await,
            Detail::Proof => ask_whole(transport, target, question, true, purse).await,
        }
    }

    /// Takes note of a root server that speaks as a resolver does.
    fn watch_root(&self, seen: &Observation) {
        let speaks_without_authority =
            matches!(seen.response(), Some(Response::Lame(Lameness::RecursiveProxy | Lameness::NotAuthoritative)));
        if seen.zone.is_root() && speaks_without_authority {
            self.is_intercepted.store(true, Ordering::Relaxed);
        }
    }

    /// Learns the addresses of a cut that a referral gave outside a walk.
    pub async fn complete(&self, cut: &mut ZoneCut, journey: Journey<'_>) {
        self.cache.keep_cut(cut.clone());
        let unknown: Vec<Name> =
            cut.servers.iter().filter(|server| server.addresses.is_empty()).map(|server| server.name.clone()).collect();
        for (name, addresses) in self.resolve_all(unknown, journey).await {
            if let Some(server) = cut.servers.iter_mut().find(|server| server.name == name) {
                match addresses {
                    Ok(addresses) => server.addresses = addresses,
                    Err(reason) => server.unresolved = Some(reason),
                }
            }
        }
    }
}

/// Tells who listens of one step of a walk.
fn tell_step(question: &Question, seen: &Observation) {
    tracing::debug!(
        %question, zone = %seen.zone, server = %seen.server, address = %seen.address, protocol = %seen.protocol,
        outcome = &*seen.outcome_word(), "walked"
    );
}
