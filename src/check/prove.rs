//! Asks for the signatures of what was seen, and checks them as a receiver of mail does that validates.
//!
//! Done once at the end of a check at depth full, and only of zones with DS records on the way from the registry down:
//! else nothing is signed that anybody checks. One server is asked for each record; where its signature does not hold,
//! up to three others are, since validators ask on too. A server that does not answer proves nothing, and nothing is
//! written down of what fewer than half of those asked say.
//!
//! Signatures are checked between questions, on the thread that asks: one reply takes two or three of them as a rule, which
//! is less than a change of threads is worth, after which others get their turn. All of a check is paid from one
//! [`Work`], 30 at most (SECURITY.md A11).

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;

use crate::check::gather::Gathering;
use crate::dns::message::Message;
use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, Record, RecordType};
use crate::dnssec::denial::Denial;
use crate::dnssec::keys::{ZoneKeys, accept_keys, usable_signers};
use crate::dnssec::record::{DelegationSigner, SignatureRecord};
use crate::dnssec::reply::prove;
use crate::dnssec::signed_set::SignedSet;
use crate::dnssec::verify::verify_set;
use crate::dnssec::{Bogus, Security, Work};
use crate::evidence::{Observation, Outcome, Proven, ZoneCut};
use crate::expectation::{Depth, Expectation};
use crate::observe::{Target, ask_whole};
use crate::walk::Journey;
use crate::walk::cut_cache::FRESH_ENOUGH_FOR_A_CHECK;

/// How far clocks may differ, in seconds: a signature that ran out within the last hour still counts.
const CLOCK_TOLERANCE_SECONDS: u32 = 3600;
/// The types that vouch for keys, or deny that anything does.
const VOUCHING: &[RecordType] = &[RecordType::DS, RecordType::NSEC, RecordType::NSEC3];
/// The most servers of one zone that are asked for a proof.
const MAX_SERVERS_ASKED: usize = 4;
/// The most names between a zone and a record at which an unsigned delegation is looked for.
const MAX_NAMES_BETWEEN: usize = 8;

/// Whose keys sign what a zone says.
#[derive(Clone)]
enum Standing {
    /// These keys do, as each of its servers gave them; never empty.
    Signed(Vec<ZoneKeys>),
    /// It is a registry's zone, whose word is taken since no trust anchor is known.
    TakenAtItsWord,
    /// It is not signed, or it is not known by whom.
    Open,
}

/// The records of a reply, in order, by which the same reply is known again.
type Content = (Question, Vec<(Name, Rdata)>, Vec<(Name, Rdata)>);

/// What checks the signatures of one check.
pub(super) struct Prover<'g, 'e> {
    /// What was seen, and who asks.
    gathering: &'g mut Gathering<'e>,
    /// What may still be spent on signatures.
    work: Work,
    /// The time, in seconds since 1970 modulo 2^32.
    now: u32,
    /// What was made of replies already, of which several servers give the same.
    known: Vec<(Content, Result<Option<Security>, Bogus>)>,
    /// How zones stand.
    standings: BTreeMap<Name, Standing>,
    /// Whether a name is shown to be a delegation without DS records.
    unsigned_cuts: BTreeMap<Name, bool>,
}

/// Proves what was seen of the expected records.
pub(super) async fn prove_records(gathering: &mut Gathering<'_>, expectation: &Expectation) {
    let Some(now) = gathering.evidence.gathered_at.filter(|_| expectation.depth == Depth::Full) else { return };
    let mut prover = Prover {
        gathering,
        work: Work::default(),
        now,
        known: Vec::new(),
        standings: BTreeMap::new(),
        unsigned_cuts: BTreeMap::new(),
    };
    let mut by_zone: BTreeMap<Name, Vec<Question>> = BTreeMap::new();
    for record in &expectation.records {
        let home = prover.gathering.evidence.zone_of(&record.name).filter(|cut| !is_registry(&cut.zone));
        if let Some(cut) = home {
            by_zone.entry(cut.zone.clone()).or_default().push(record.question());
        }
    }
    for (zone, questions) in by_zone {
        if let Standing::Signed(keys) = prover.standing_of(&zone).await {
            prover.prove_all(&zone, &keys, &questions).await;
        }
    }
}

impl Prover<'_, '_> {
    /// Finds out how a zone stands, from the registry down.
    async fn standing_of(&mut self, zone: &Name) -> Standing {
        let mut way: Vec<ZoneCut> = Vec::new();
        let mut at = self.gathering.evidence.cut(zone);
        while let Some(cut) = at.filter(|cut| !is_registry(&cut.zone)) {
            way.push(cut.clone());
            at = cut.parent.as_ref().and_then(|parent| self.gathering.evidence.cut(parent));
        }
        let mut above = None;
        while let Some(cut) = way.pop() {
            let known = self.standings.get(&cut.zone).cloned();
            let standing = match (known, above) {
                (Some(known), _) => known,
                // Most zones have no DS records: nothing has to be known of their registry.
                (None, None) if cut.proofs.as_ref().is_some_and(|given| !has_signers(&cut, given)) => Standing::Open,
                (None, None) => {
                    let registry = self.registry(&cut).await;
                    self.stand(&cut, &registry).await
                }
                (None, Some(above)) => self.stand(&cut, &above).await,
            };
            self.standings.insert(cut.zone.clone(), standing.clone());
            if matches!(standing, Standing::Open) {
                return Standing::Open;
            }
            above = Some(standing);
        }
        above.unwrap_or(Standing::Open)
    }

    /// Says who signs the registry's zone that delegates `cut`, from the trust anchors down where there are any.
    async fn registry(&mut self, cut: &ZoneCut) -> Standing {
        let engine = self.gathering.engine;
        let (Some(trust), Some(parent)) = (&engine.trust, &cut.parent) else { return Standing::TakenAtItsWord };
        // A server of the root or of a registry may serve the one below too, whose keys it is that sign.
        let given = SignedSet::all_of(VOUCHING, cut.proofs.as_deref().unwrap_or_default());
        let signer = given.iter().find_map(SignedSet::signer);
        let parent = signer.filter(|signer| is_between(parent, signer, &cut.zone)).unwrap_or(parent);
        let journey = Journey::new(self.gathering.budget, FRESH_ENOUGH_FOR_A_CHECK);
        let keys = engine.walker.keys_of(parent, trust, journey, self.now, &mut self.work).await;
        keys.map_or(Standing::Open, |keys| Standing::Signed(vec![(*keys).clone()]))
    }

    /// Finds out how the zone of a cut stands, where it is known of the one above.
    async fn stand(&mut self, cut: &ZoneCut, above: &Standing) -> Standing {
        let signers = self.signers(cut, above).await;
        if signers.is_empty() { Standing::Open } else { self.accept(cut, &signers) }
    }

    /// Returns the DS records of a cut that can be followed; empty where there are none, or they are not proven.
    ///
    /// Where the zone above is no registry's and its word does not hold, all its servers are asked, and what they say is
    /// written down.
    async fn signers(&mut self, cut: &ZoneCut, above: &Standing) -> Vec<DelegationSigner> {
        let question = Question::new(cut.zone.clone(), RecordType::DS);
        let Some(parent) = cut.parent.as_ref().and_then(|parent| self.gathering.evidence.cut(parent)).cloned() else {
            return Vec::new();
        };
        if let Some(given) = &cut.proofs
            && let Ok(signers) = self.read_signers(&cut.zone, given, above)
        {
            return signers;
        }
        let targets = self.targets(&parent);
        let mut said = Vec::new();
        for target in &targets {
            let Some((seen, message)) = self.ask(target.clone(), &question).await else { continue };
            let section = [message.answers.as_slice(), &message.authority].concat();
            match self.read_signers(&cut.zone, &section, above) {
                Ok(signers) => return signers,
                Err(cause) => said.push(Said { seen, held: Err(cause), costly_iterations: None }),
            }
        }
        if !is_registry(&parent.zone) {
            self.note_refused(&question, said, targets.len());
        }
        Vec::new()
    }

    /// Reads DS records, or the proof that there are none, from the records of one reply; none where a zone in between signed
    /// them, of which nothing is known.
    fn read_signers(
        &mut self,
        zone: &Name,
        section: &[Record],
        above: &Standing,
    ) -> Result<Vec<DelegationSigner>, Bogus> {
        let set = SignedSet::collect(zone, RecordType::DS, section);
        let usable = |set: &SignedSet| usable_signers(&set.data);
        let keys = match above {
            Standing::Signed(keys) => keys,
            Standing::TakenAtItsWord => return Ok(set.as_ref().map(usable).unwrap_or_default()),
            Standing::Open => return Ok(Vec::new()),
        };
        let (now, work) = (self.now, &mut self.work);
        let signers = SignedSet::all_of(VOUCHING, section);
        let is_of_another =
            |signer: &Name| keys.iter().all(|keys| is_between(&keys.zone, signer, zone) && keys.zone != *signer);
        if signers.iter().find_map(SignedSet::signer).is_some_and(is_of_another) {
            return Ok(Vec::new());
        }
        match set {
            Some(set) => {
                with_any(keys, now, |keys, now| verify_set(&set, keys, now, work))?;
                Ok(usable(&set))
            }
            None => {
                let question = Question::new(zone.clone(), RecordType::DS);
                let denied = with_any(keys, now, |keys, now| {
                    Denial::read(section, keys, now, work)?.of_question(&question, work)
                })?;
                let is_unsigned = denied.is_unsigned_cut || denied.security == Security::Insecure;
                if is_unsigned { Ok(Vec::new()) } else { Err(Bogus::MissingDenial) }
            }
        }
    }

    /// Accepts the keys that the servers of a zone gave, and writes down what was proven of each.
    fn accept(&mut self, cut: &ZoneCut, signers: &[DelegationSigner]) -> Standing {
        let question = Question::new(cut.zone.clone(), RecordType::DNSKEY);
        let all = self.gathering.evidence.observations(&question);
        let asked = all.iter().filter(|seen| seen.is_counted()).count();
        let seen: Vec<Observation> = all.iter().filter(|seen| seen.is_answer()).cloned().collect();
        let mut accepted: Vec<ZoneKeys> = Vec::new();
        let mut said = Vec::new();
        let mut known: Vec<(Option<SignedSet>, Result<ZoneKeys, Bogus>)> = Vec::new();
        for one in seen {
            let set = key_set(&cut.zone, &one);
            let before = known.iter().find(|(other, _)| *other == set).map(|(_, keys)| keys.clone());
            let keys = before.unwrap_or_else(|| {
                let set = set.as_ref().ok_or(Bogus::NoMatchingKey)?;
                with_patience(self.now, |now| accept_keys(set, signers, now, &mut self.work))
            });
            known.push((set, keys.clone()));
            match keys {
                Ok(keys) if accepted.contains(&keys) => {}
                Ok(keys) => accepted.push(keys),
                Err(cause) => said.push(Said { seen: one, held: Err(cause), costly_iterations: None }),
            }
        }
        if !accepted.is_empty() {
            return Standing::Signed(accepted);
        }
        self.note_refused(&question, said, asked);
        Standing::Open
    }

    /// Proves what the servers of a zone say to questions, all of which were answered before.
    async fn prove_all(&mut self, zone: &Name, keys: &[ZoneKeys], questions: &[Question]) {
        let mut asked: Vec<(Question, Vec<Target>)> = Vec::new();
        for question in questions {
            let answering = self.gathering.evidence.observations(question).iter().filter(|seen| seen.is_answer());
            let target =
                |seen: &Observation| Target { zone: zone.clone(), server: seen.server.clone(), address: seen.address };
            let targets: Vec<Target> = answering.map(target).take(MAX_SERVERS_ASKED).collect();
            if !targets.is_empty() && asked.iter().all(|(other, _)| other != question) {
                asked.push((question.clone(), targets));
            }
        }
        let firsts = asked.iter().filter_map(|(question, targets)| Some((question, targets.first()?.clone())));
        let asker = &*self;
        let said = join_all(firsts.map(|(question, target)| asker.ask(target, question))).await;
        for ((question, targets), said) in asked.iter().zip(said) {
            let mut said = said;
            let mut refused = Vec::new();
            let mut others = targets.iter().skip(1);
            loop {
                if let Some((seen, message)) = said {
                    let one = self.prove_reply(question, seen, &message, keys).await;
                    if one.held.is_ok() {
                        refused.clear();
                        self.note(question, one);
                        break;
                    }
                    refused.push(one);
                }
                let Some(target) = others.next() else { break };
                said = self.ask(target.clone(), question).await;
            }
            self.note_refused(question, refused, targets.len());
        }
    }

    /// Proves one reply, with the keys that any server of the zone gave.
    async fn prove_reply(
        &mut self,
        question: &Question,
        seen: Observation,
        message: &Message,
        keys: &[ZoneKeys],
    ) -> Said {
        let costly_iterations = Denial::costly_iterations(&message.authority);
        let Some(response) = seen.response() else { return Said { seen, held: Ok(None), costly_iterations } };
        let content = (question.clone(), content_of(&message.answers), content_of(&message.authority));
        if let Some((_, held)) = self.known.iter().find(|(known, _)| *known == content) {
            return Said { held: *held, seen, costly_iterations };
        }
        let (now, work) = (self.now, &mut self.work);
        let mut held = with_any(keys, now, |keys, now| prove(question, response, message, keys, now, work));
        if matches!(held, Err(Bogus::MissingSignature | Bogus::MissingDenial))
            && self.is_below_unsigned_cut(&question.name, &seen.zone, keys).await
        {
            held = Ok(Some(Security::Insecure));
        }
        self.known.push((content, held));
        tokio::task::yield_now().await;
        Said { seen, held, costly_iterations }
    }

    /// Says whether there is an unsigned delegation between a zone and a name, which the servers of both do not show.
    async fn is_below_unsigned_cut(&mut self, name: &Name, zone: &Name, keys: &[ZoneKeys]) -> bool {
        let Some(cut) = self.gathering.evidence.cut(zone).cloned() else { return false };
        let between = (zone.label_count() + 1..=name.label_count()).map(|labels| name.last_labels(labels));
        for name in between.take(MAX_NAMES_BETWEEN) {
            let is_unsigned = match self.unsigned_cuts.get(&name) {
                Some(known) => *known,
                None => {
                    let question = Question::new(name.clone(), RecordType::DS);
                    let target = self.targets(&cut).into_iter().next();
                    let said = match target {
                        Some(target) => self.ask(target, &question).await,
                        None => None,
                    };
                    let (now, work) = (self.now, &mut self.work);
                    said.is_some_and(|(_, message)| {
                        let denied = with_any(keys, now, |keys, now| {
                            Denial::read(&message.authority, keys, now, work)?.of_question(&question, work)
                        });
                        denied.is_ok_and(|denied| denied.is_unsigned_cut)
                    })
                }
            };
            self.unsigned_cuts.insert(name, is_unsigned);
            if is_unsigned {
                return true;
            }
        }
        false
    }

    /// Returns the servers of a zone that may be asked for proofs, one address of each first.
    fn targets(&self, cut: &ZoneCut) -> Vec<Target> {
        crate::observe::targets(cut).take(MAX_SERVERS_ASKED).collect()
    }

    /// Asks one server with its signatures; `None` where it does not answer.
    async fn ask(&self, target: Target, question: &Question) -> Option<(Observation, Arc<Message>)> {
        let transport = self.gathering.engine.transport.as_ref();
        let (seen, message) = ask_whole(transport, target, question, true, self.gathering.budget).await;
        seen.is_answer().then_some(())?;
        Some((seen, message?))
    }

    /// Writes down what no server gave with a signature that holds, where half of the `asked` ones gave it.
    fn note_refused(&mut self, question: &Question, said: Vec<Said>, asked: usize) {
        if said.len() * 2 >= asked {
            said.into_iter().for_each(|one| self.note(question, one));
        }
    }

    /// Writes down what was proven of a reply; nothing where it is not the zone's to sign.
    fn note(&mut self, question: &Question, said: Said) {
        let Some(holds) = said.held.transpose() else { return };
        let costly_iterations = said.costly_iterations.filter(|_| holds == Ok(Security::Insecure));
        self.gathering.evidence.add_proven(question.clone(), Proven { seen: said.seen, holds, costly_iterations });
    }
}

/// What one server said, and what was made of it.
struct Said {
    /// What it said.
    seen: Observation,
    /// Whether it holds; nothing where it is not the zone's to sign.
    held: Result<Option<Security>, Bogus>,
    /// How often the hashes are repeated that deny a record, where that is too often.
    costly_iterations: Option<u16>,
}

/// Says whether a zone lies at or below another one and above a third.
fn is_between(above: &Name, zone: &Name, below: &Name) -> bool {
    zone.is_subdomain_of(above) && below.is_strictly_below(zone)
}

/// Says whether DS records of a cut are among those that came with its referral.
fn has_signers(cut: &ZoneCut, given: &[Record]) -> bool {
    given.iter().any(|record| record.kind() == RecordType::DS && record.owner == cut.zone)
}

/// Returns the key records of an answer with their signatures.
fn key_set(zone: &Name, seen: &Observation) -> Option<SignedSet> {
    let Outcome::Replied(reply) = &seen.outcome else { return None };
    let Response::Answer(answer) = &reply.response else { return None };
    let signatures = reply.signatures.iter().filter_map(SignatureRecord::read);
    let signatures = signatures.filter(|signature| signature.covered == RecordType::DNSKEY).collect();
    let data = answer.rrset.data().to_vec();
    Some(SignedSet { owner: zone.clone(), kind: RecordType::DNSKEY, data, signatures })
}

/// Sorts records by owner and data.
fn content_of(records: &[Record]) -> Vec<(Name, Rdata)> {
    let mut content: Vec<_> = records.iter().map(|record| (record.owner.clone(), record.rdata.clone())).collect();
    content.sort();
    content
}

/// Does something at a time at which it may hold: now, or as far away as clocks differ.
fn with_patience<T>(now: u32, mut check: impl FnMut(u32) -> Result<T, Bogus>) -> Result<T, Bogus> {
    let first = check(now);
    let other = match first {
        Err(Bogus::Expired) => check(now.wrapping_sub(CLOCK_TOLERANCE_SECONDS)),
        Err(Bogus::NotYetValid) => check(now.wrapping_add(CLOCK_TOLERANCE_SECONDS)),
        _ => return first,
    };
    other.or(first)
}

/// Does something with one set of keys after the other until it holds, each with patience; returns what came of the first
/// where none does.
fn with_any<T>(
    keys: &[ZoneKeys],
    now: u32,
    mut check: impl FnMut(&ZoneKeys, u32) -> Result<T, Bogus>,
) -> Result<T, Bogus> {
    let mut first = None;
    for some in keys {
        match with_patience(now, |now| check(some, now)) {
            Ok(held) => return Ok(held),
            Err(cause) => first = first.or(Some(cause)),
        }
    }
    Err(first.unwrap_or(Bogus::NoMatchingKey))
}
