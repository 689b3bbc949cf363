//! Asks what the plan wants until it wants nothing more.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;

use futures::future::join_all;

use crate::budget::Budget;
use crate::check::Engine;
use crate::check::plan::{self, Ask, Scope};
use crate::check::prove::prove_records;
use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::response::{Referral, Response};
use crate::dns::rrset::Question;
use crate::evidence::{ChainEnd, DelegationChain, Evidence, Observation, ZoneCut};
use crate::expectation::{Depth, Expectation};
use crate::observe::{self, Questions, Target, ask_servers, pace_class};
use crate::transport::PaceClass;
use crate::transport::waiting::{wait, within};
use crate::walk::cut_cache::FRESH_ENOUGH_FOR_A_CHECK;
use crate::walk::machine::{MAX_CUTS, Until, cut_of};
use crate::walk::{Found, Journey};

/// How many letters the name has that nobody chose.
const PROBE_LABEL_LETTERS: usize = 32;
/// How many of them come out of one hash: 26^8 is far below 2^64.
const PROBE_LETTERS_OF_A_HASH: usize = 8;

/// Collects the evidence on one domain, within the budget and the time.
///
/// Where a question was put off, nothing was learned: with some of the answers a domain may come out otherwise than alone.
pub(super) async fn gather(engine: &Engine, expectation: &Expectation, budget: &Arc<Budget>) -> Evidence {
    let mut gathering = Gathering::new(engine, expectation, budget);
    gathering.evidence.cloudflare_ranges.clone_from(&engine.cloudflare_ranges);
    gathering.evidence.gathered_at = Some(now());
    let is_in_time = gathering.run_in_time(expectation).await;
    let mut evidence = gathering.evidence;
    evidence.is_budget_exceeded |= !is_in_time;
    if budget.has_put_off() {
        evidence = Evidence::new(probe_label(&expectation.domain));
        evidence.is_budget_exceeded = true;
    }
    evidence
}

/// Finds the zones that the expected records lie in, without checking anything: one server's answer for the first key, the
/// domain and the policy, and the delegations on the way.
pub(super) async fn locate(engine: &Engine, expectation: &Expectation, budget: &Arc<Budget>) -> Evidence {
    let mut gathering = Gathering::new(engine, expectation, budget);
    let mut kinds = BTreeSet::new();
    let firsts = expectation.records.iter().filter(|record| kinds.insert(record.kind));
    let questions: Vec<Question> = firsts.map(|record| record.question()).collect();
    let journey = Journey::new(budget, FRESH_ENOUGH_FOR_A_CHECK);
    let walks = questions.iter().map(|question| engine.walker.walk(question.clone(), Until::Answer, journey));
    // What is not found in time is not known; the records can be published without it.
    let found = within(budget, engine.timeout, pin!(join_all(walks))).await.unwrap_or_default();
    for (question, found) in questions.into_iter().zip(found) {
        let chain = gathering.take_found(found);
        gathering.evidence.add_chain(question.name, chain);
    }
    gathering.evidence
}

/// Returns the seconds since 1970, modulo 2^32 as signatures count them (RFC 4034 §3.1.5).
fn now() -> u32 {
    let seconds = jiff::Timestamp::now().as_second().rem_euclid(1 << 32);
    u32::try_from(seconds).unwrap_or_default()
}

/// Makes up a label that nobody chose: always the same for one domain, so that a check can be replayed.
fn probe_label(domain: &Name) -> String {
    let letters_of = |nth: usize| {
        let mut hasher = DefaultHasher::new();
        (nth, domain).hash(&mut hasher);
        let digits = std::iter::successors(Some(hasher.finish()), |number| Some(number / 26));
        let letter = |number: u64| u8::try_from(number % 26).map_or('a', |letter| char::from(b'a' + letter));
        digits.take(PROBE_LETTERS_OF_A_HASH).map(letter)
    };
    (0..).flat_map(letters_of).take(PROBE_LABEL_LETTERS).collect()
}

/// One check on its way.
pub(super) struct Gathering<'a> {
    /// What asks.
    pub(super) engine: &'a Engine,
    /// The purse of the check.
    pub(super) budget: &'a Arc<Budget>,
    /// What was learned.
    pub(super) evidence: Evidence,
    /// What was asked for so far.
    asked: BTreeSet<Ask>,
    /// How many zones were known when the way to every name was last looked at.
    settled_with: usize,
    /// How much is asked.
    depth: Depth,
}

impl<'a> Gathering<'a> {
    /// Starts with nothing seen.
    fn new(engine: &'a Engine, expectation: &Expectation, budget: &'a Arc<Budget>) -> Self {
        let evidence = Evidence::new(probe_label(&expectation.domain));
        Self { engine, budget, evidence, asked: BTreeSet::new(), settled_with: 0, depth: expectation.depth }
    }

    /// Asks round after round until nothing is left or the time is up; false in the latter case.
    ///
    /// The time in the queue before busy servers does not count.
    async fn run_in_time(&mut self, expectation: &Expectation) -> bool {
        let (engine, budget) = (self.engine, self.budget);
        let gathered = pin!(async {
            let first = self.new_asks(expectation);
            self.locate(&first).await;
            let _places = wait(budget, engine.turns.take(self.servers())).await;
            self.run(expectation, first).await;
        });
        within(budget, engine.timeout, gathered).await.is_some()
    }

    /// Returns what the plan wants whatever the servers say that are still awaited, and can be asked at once.
    ///
    /// What lies in a zone that is not known to this check waits for the next round.
    fn asks_ahead(&mut self, expectation: &Expectation) -> Vec<Ask> {
        if self.budget.is_exhausted() {
            return Vec::new();
        }
        let mut asks = plan::ahead(expectation, &self.evidence);
        asks.retain(|Ask { question, .. }| {
            let is_out = self.asked.iter().any(|ask| ask.question == *question);
            !is_out && (self.evidence.chain(&question.name).is_some() || self.adopt(&question.name))
        });
        self.asked.extend(asks.iter().cloned());
        asks
    }

    /// Returns what the plan wants and was not asked for in that scope yet.
    fn new_asks(&mut self, expectation: &Expectation) -> Vec<Ask> {
        let mut asks = plan::next(expectation, &self.evidence);
        asks.retain(|ask| self.asked.insert(ask.clone()));
        asks
    }

    /// Iterates over the servers of the zones found so far that people registered.
    fn servers(&self) -> impl Iterator<Item = (IpAddr, PaceClass)> {
        let zones = self.evidence.cuts().filter(|cut| !is_registry(&cut.zone));
        zones.flat_map(|cut| cut.addresses().map(|(server, address)| (address, pace_class(&cut.zone, server))))
    }

    /// Asks round after round, the first one being known.
    async fn run(&mut self, expectation: &Expectation, first: Vec<Ask>) {
        let mut asks = first;
        while !asks.is_empty() {
            if self.budget.is_exhausted() {
                self.evidence.is_budget_exceeded = true;
                return;
            }
            self.locate(&asks).await;
            let (beside, asks_of_zones) = asks.into_iter().partition(|ask| matches!(ask.scope, Scope::Server(_)));
            self.ask_beside(beside).await;
            self.observe(expectation, asks_of_zones).await;
            asks = self.new_asks(expectation);
        }
        prove_records(self, expectation).await;
    }

    /// Finds the zone of every name that has none yet.
    ///
    /// Names below one registered name share its walk: whether one of them lies deeper shows itself when it is asked. At depth
    /// full the parents are asked for DS records on the way, so that of a zone without any nothing more has to be asked.
    async fn locate(&mut self, asks: &[Ask]) {
        let mut groups: BTreeMap<Name, Vec<Question>> = BTreeMap::new();
        for Ask { question, .. } in asks {
            if self.evidence.chain(&question.name).is_none() && !self.adopt(&question.name) {
                let is_around = |group: &&Name| question.name.is_subdomain_of(group) && !is_registry(group);
                let group = groups.keys().find(is_around).cloned();
                let group = group.unwrap_or_else(|| below_registry(&question.name));
                groups.entry(group).or_default().push(question.clone());
            }
        }
        let is_first_of_all = self.evidence.cuts().next().is_none();
        let journey = Journey::new(self.budget, FRESH_ENOUGH_FOR_A_CHECK).with_signers(self.depth == Depth::Full);
        let firsts = groups.values().filter_map(|questions| questions.first());
        let walks = firsts.map(|first| self.engine.walker.walk(first.clone(), Until::Zone, journey));
        let found = join_all(walks).await;
        for (questions, found) in groups.values().zip(found) {
            let chain = self.take_found(found);
            for question in questions {
                if !self.adopt(&question.name) {
                    self.evidence.add_chain(question.name.clone(), chain.clone());
                }
            }
        }
        if is_first_of_all && groups.len() == 1 {
            self.settled_with = self.evidence.cuts().count();
        }
    }

    /// Writes down what a walk found and returns the way.
    fn take_found(&mut self, found: Found) -> DelegationChain {
        let zones = found.cuts.iter().map(|cut| cut.zone.clone()).collect();
        for cut in found.cuts {
            self.evidence.add_cut(cut);
        }
        for (question, observation) in found.seen {
            self.evidence.add_observation(question, observation);
        }
        DelegationChain { zones, end: found.end }
    }

    /// Takes the way to a name from a zone of this check that encloses it; false where there is none.
    fn adopt(&mut self, name: &Name) -> bool {
        // In canonical order the zones around a name come from the root down.
        let cuts: Vec<&ZoneCut> = self.evidence.cuts().filter(|cut| name.is_subdomain_of(&cut.zone)).collect();
        let Some(deepest) = cuts.last().filter(|cut| !is_registry(&cut.zone)) else { return false };
        let end = end_of(deepest);
        let zones = cuts.iter().map(|cut| cut.zone.clone()).collect();
        self.evidence.add_chain(name.clone(), DelegationChain { zones, end });
        true
    }

    /// Asks servers by their names, one address of each.
    async fn ask_beside(&mut self, asks: Vec<Ask>) {
        let names: BTreeSet<&Name> = asks.iter().filter_map(server_asked).collect();
        let journey = Journey::new(self.budget, FRESH_ENOUGH_FOR_A_CHECK);
        let found = self.engine.walker.addresses_of(names.into_iter().cloned().collect(), journey).await;
        let found: BTreeMap<Name, IpAddr> = found.into_iter().collect();
        let (transport, budget) = (self.engine.transport.as_ref(), self.budget);
        let said = join_all(asks.iter().map(|ask| {
            let address = server_asked(ask).and_then(|server| Some((server, found.get(server)?)));
            let zone = self.evidence.zone_of(&ask.question.name).map(|cut| cut.zone.clone());
            let target = address.zip(zone).map(|((server, address), zone)| Target {
                zone,
                server: server.clone(),
                address: *address,
            });
            async move {
                match target {
                    Some(target) => vec![observe::ask(transport, target, &ask.question, budget).await],
                    None => Vec::new(),
                }
            }
        }))
        .await;
        for (ask, said) in asks.iter().zip(said) {
            if let Some(server) = server_asked(ask) {
                self.evidence.add_beside(ask.question.clone(), server.clone(), said);
            }
        }
    }

    /// Asks the servers of the names' zones, and follows referrals to zones below.
    async fn observe(&mut self, expectation: &Expectation, asks: Vec<Ask>) {
        let mut asks = asks;
        for _ in 0..MAX_CUTS {
            self.ask_zones(expectation, &mut asks).await;
            asks = self.descend(asks).await;
            if asks.is_empty() {
                return;
            }
        }
        self.evidence.is_budget_exceeded = true;
    }

    /// Asks each zone's servers, all zones at the same time, and adds to `asks` what was asked ahead meanwhile.
    ///
    /// Ahead, the server whose word calls for it is asked first: it is the one that replies soonest.
    async fn ask_zones(&mut self, expectation: &Expectation, asks: &mut Vec<Ask>) {
        let at_first = self.questions(asks, None);
        let Engine { transport, is_repeatable, .. } = self.engine;
        ask_servers(transport.as_ref(), at_first, self.budget, |question, seen| {
            // Who says what another one said before calls for nothing more.
            let is_news = plan::may_lead_on(question, &seen)
                && !self.evidence.observations(question).iter().any(|known| known.says_the_same_as(&seen));
            let address = seen.address;
            self.evidence.add_observation(question.clone(), seen);
            if !is_news {
                return Vec::new();
            }
            let ahead = self.asks_ahead(expectation);
            let questions = self.questions(&ahead, Some(address).filter(|_| !is_repeatable));
            asks.extend(ahead);
            questions
        })
        .await;
    }

    /// Puts together what each zone's servers are to be asked; where one answer is enough, `first` before the others.
    fn questions(&self, asks: &[Ask], first: Option<IpAddr>) -> Vec<Questions> {
        let mut every: BTreeMap<&Name, Vec<Question>> = BTreeMap::new();
        let mut any: Vec<Questions> = Vec::new();
        for ask in asks {
            let zone = match &ask.scope {
                Scope::At(zone) => self.evidence.cut(zone),
                Scope::Every | Scope::Any => self.evidence.zone_of(&ask.question.name),
                Scope::Server(_) => None,
            };
            let Some(cut) = zone else { continue };
            if is_registry(&cut.zone) {
                // Its servers were asked on the way to one name of each group, as many as are needed.
                if !self.evidence.is_asked(&ask.question) && !self.is_unregistered(&ask.question.name, &cut.zone) {
                    any.push(Questions::until_answered(cut, ask.question.clone(), first));
                }
                continue;
            }
            match ask.scope {
                Scope::Every => every.entry(&cut.zone).or_default().push(ask.question.clone()),
                Scope::Any | Scope::At(_) | Scope::Server(_) => {
                    any.push(Questions::until_answered(cut, ask.question.clone(), first));
                }
            }
        }
        let every = every
            .into_iter()
            .filter_map(|(zone, questions)| Some(Questions::to_every_server(self.evidence.cut(zone)?, questions)));
        every.chain(any).collect()
    }

    /// Says whether the servers of a registry said of a name of the same group that there is no such one.
    fn is_unregistered(&self, name: &Name, registry: &Name) -> bool {
        let group = below_registry(name);
        self.evidence.all_observations().any(|(question, seen)| {
            seen.zone == *registry
                && question.name.is_subdomain_of(&group)
                && matches!(seen.response(), Some(Response::NxDomain(_)))
        })
    }

    /// Follows the referrals that the asked questions met, and returns what is to be asked again below.
    async fn descend(&mut self, asks: Vec<Ask>) -> Vec<Ask> {
        for ask in asks.iter().filter(|ask| ask.scope.is_of_deepest_zone()) {
            let Some(referral) = self.referral_below(&ask.question) else { continue };
            let parent = self.evidence.chain(&ask.question.name).and_then(|chain| chain.zones.last());
            if let Some(parent) = parent
                && self.evidence.cut(&referral.zone).is_none()
            {
                let mut cut = cut_of(&referral, parent);
                let journey = Journey::new(self.budget, FRESH_ENOUGH_FOR_A_CHECK);
                self.engine.walker.complete(&mut cut, journey).await;
                self.evidence.add_cut(cut);
            }
        }
        // A cut that one name met holds for all names below it, even where servers above it answer for them,
        // and for those that were asked in an earlier round.
        let known = self.evidence.cuts().count();
        if std::mem::replace(&mut self.settled_with, known) == known {
            return Vec::new();
        }
        let mut again: Vec<Ask> = self.asked.iter().filter(|ask| ask.scope.is_of_deepest_zone()).cloned().collect();
        let before: Vec<Option<DelegationChain>> =
            again.iter().map(|ask| self.evidence.chain(&ask.question.name).cloned()).collect();
        let names: BTreeSet<Name> = again.iter().map(|ask| ask.question.name.clone()).collect();
        for name in &names {
            self.adopt(name);
        }
        let mut before = before.into_iter();
        again
            .retain(|ask| before.next().is_some_and(|chain| self.evidence.chain(&ask.question.name) != chain.as_ref()));
        again
    }

    /// Returns the referral that the servers of the name's zone gave, where at least as many point below as answer.
    fn referral_below(&self, question: &Question) -> Option<Referral> {
        let seen = self.evidence.observations(question);
        let referrals: Vec<&Referral> = seen.iter().filter_map(|one| referral_of(one)).collect();
        let answers = seen.iter().filter(|one| one.is_answer()).count();
        let first = referrals.first().filter(|_| referrals.len() >= answers)?;
        Some((*first).clone())
    }
}

/// Returns the server that a question is to be asked of by name.
fn server_asked(ask: &Ask) -> Option<&Name> {
    match &ask.scope {
        Scope::Server(server) => Some(server),
        Scope::Every | Scope::Any | Scope::At(_) => None,
    }
}

/// Returns the referral that a server gave.
fn referral_of(seen: &Observation) -> Option<&Referral> {
    match seen.response() {
        Some(Response::Referral(referral)) => Some(referral),
        _ => None,
    }
}

/// Says whether the servers of a cut can be asked.
fn end_of(cut: &ZoneCut) -> ChainEnd {
    if cut.addresses().next().is_some() { ChainEnd::Reached } else { crate::walk::machine::unresolvable(cut) }
}

/// Returns the ancestor of `name` that stands right below a registry: what somebody registered.
fn below_registry(name: &Name) -> Name {
    let is_below = |ancestor: &Name| ancestor.parent().is_none_or(|parent| is_registry(&parent));
    name.ancestors().find(is_below).unwrap_or_else(|| name.clone())
}
