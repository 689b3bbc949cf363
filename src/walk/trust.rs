//! The chain of trust from the root to what a server said: asks for DS and DNSKEY records, and judges nothing itself.
//!
//! What a name stands for is remembered: the keys of a zone, that it lies below an unsigned delegation, or that it is no
//! zone of its own. A failure to learn it is neither proof nor disproof (SECURITY.md F7), and is not remembered beyond the
//! lookup.

mod standing;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::dns::message::Message;
use crate::dns::name::Name;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, Record, RecordType, Ttl};
use crate::dnssec::denial::{Denial, Denied};
use crate::dnssec::keys::ZoneKeys;
use crate::dnssec::record::DelegationSigner;
use crate::dnssec::reply::sets_behind;
use crate::dnssec::signed_set::SignedSet;
use crate::dnssec::verify::verify_set;
use crate::dnssec::{Bogus, Security, Work};
use crate::walk::lookup::LookupFailure;
use crate::walk::{Detail, Found, Journey, Walker};

/// The most names of which it is remembered what they stand for.
const NAMES_KEPT: usize = 16_384;
/// The least and the most time that it is remembered (SECURITY.md, limits).
const KEPT_AT_LEAST: Duration = Duration::from_secs(5);
/// See [`KEPT_AT_LEAST`].
const KEPT_AT_MOST: Duration = Duration::from_secs(3600);
/// How long it is remembered where no record says.
const KEPT_WITHOUT_TTL: Duration = Duration::from_secs(60);

/// What a name stands for.
#[derive(Clone, Debug)]
enum Standing {
    /// It is a signed zone with these keys.
    Zone(Arc<ZoneKeys>),
    /// It lies in an unsigned zone, or is the apex of one.
    Unsigned,
    /// It is a name like others in the zone above.
    NoCut,
}

/// Something remembered until a time.
#[derive(Clone)]
struct Kept {
    /// What it is.
    standing: Standing,
    /// Until when.
    until: Instant,
}

/// The trust anchors, and what was learned from them.
pub struct Trust {
    /// The keys of the root that are known without asking; never empty.
    anchors: Vec<DelegationSigner>,
    /// What names stand for.
    known: Cache<Name, Kept>,
}

impl Trust {
    /// Starts from the anchors alone; `None` where there is none, so that nothing can be proven.
    #[must_use]
    pub fn new(anchors: Vec<DelegationSigner>) -> Option<Self> {
        (!anchors.is_empty()).then(|| Self { anchors, known: Cache::new(NAMES_KEPT) })
    }

    /// Returns what is remembered of a name.
    fn recall(&self, name: &Name) -> Option<Standing> {
        self.known.get(name).filter(|kept| Instant::now() < kept.until).map(|kept| kept.standing)
    }

    /// Remembers what a name stands for.
    fn keep(&self, name: &Name, standing: &Standing, ttl: Option<Ttl>) {
        let keep_for = ttl.map_or(KEPT_WITHOUT_TTL, |ttl| Duration::from_secs(u64::from(ttl.seconds())));
        let until = Instant::now() + keep_for.clamp(KEPT_AT_LEAST, KEPT_AT_MOST);
        self.known.insert(name.clone(), Kept { standing: standing.clone(), until });
    }
}

/// What is proven of one reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proof {
    /// Whether it is signed.
    pub(super) security: Security,
    /// Of a negative answer: whether the name is not there, as the proof has it; `None` where the server's word stands.
    pub(super) is_name_absent: Option<bool>,
}

impl Proof {
    /// Says that something that is there is signed or not.
    fn of(security: Security) -> Self {
        Self { security, is_name_absent: None }
    }
}

/// Validates the replies of one lookup.
pub(super) struct Validator<'a> {
    /// Asks for keys.
    pub(super) walker: &'a Walker,
    /// Where trust starts.
    pub(super) trust: &'a Trust,
    /// What the questions are paid from.
    pub(super) journey: Journey<'a>,
    /// The time, in seconds since 1970 modulo 2^32.
    pub(super) now: u32,
    /// What may still be spent on signatures.
    pub(super) work: Work,
    /// Of which names it could not be learned what they stand for, and why.
    pub(super) failed: BTreeMap<Name, LookupFailure>,
}

impl Walker {
    /// Returns the keys of a zone, as a chain from the trust anchors shows them; `None` where it is unsigned, or nothing is
    /// shown.
    pub async fn keys_of(
        &self,
        zone: &Name,
        trust: &Trust,
        journey: Journey<'_>,
        now: u32,
        work: &mut Work,
    ) -> Option<Arc<ZoneKeys>> {
        let journey = Journey { detail: Detail::Proof, ..journey };
        let work_left = std::mem::take(work);
        let mut validator = Validator { walker: self, trust, journey, now, work: work_left, failed: BTreeMap::new() };
        let standing = validator.standing(zone).await;
        *work = validator.work;
        match standing {
            Ok(Standing::Zone(keys)) => Some(keys),
            Ok(Standing::Unsigned | Standing::NoCut) | Err(_) => None,
        }
    }
}

impl Validator<'_> {
    /// Proves what a server said to a question, or shows that it is not signed and need not be.
    pub(super) async fn prove(
        &mut self,
        question: &Question,
        response: &Response,
        message: &Message,
    ) -> Result<Proof, LookupFailure> {
        match response {
            Response::Answer(_) | Response::Alias(_) => {
                let mut security = Security::Secure;
                for (owner, kind) in sets_behind(question, response, message) {
                    security = security.and(self.prove_set(&owner, kind, message).await?);
                }
                Ok(Proof::of(security))
            }
            Response::NoData(_) | Response::NxDomain(_) => self.prove_denial(question, message).await,
            Response::Referral(_) | Response::Lame(_) | Response::Failed(_) => Err(LookupFailure::Unanswered),
        }
    }

    /// Proves a record set of the answer section.
    async fn prove_set(
        &mut self,
        owner: &Name,
        kind: RecordType,
        message: &Message,
    ) -> Result<Security, LookupFailure> {
        let set = SignedSet::collect(owner, kind, &message.answers).ok_or(LookupFailure::Unanswered)?;
        let above = if kind == RecordType::DS { owner.parent() } else { Some(owner.clone()) };
        let Some(signer) =
            set.signer().filter(|signer| above.as_ref().is_some_and(|above| above.is_subdomain_of(signer)))
        else {
            return self.excuse(&above.unwrap_or_else(Name::root), Bogus::MissingSignature).await;
        };
        let keys = match self.standing(signer).await? {
            Standing::Zone(keys) => keys,
            Standing::Unsigned => return Ok(Security::Insecure),
            Standing::NoCut => return self.excuse(owner, Bogus::MissingSignature).await,
        };
        let verified = verify_set(&set, &keys, self.now, &mut self.work)?;
        match verified.wildcard_below {
            None => Ok(Security::Secure),
            // Signers do not expand wildcards at a cut.
            Some(_) if kind == RecordType::DS => Err(Bogus::BadSignature.into()),
            Some(labels) => {
                let denial = Denial::read(&message.authority, &keys, self.now, &mut self.work)?;
                Ok(denial.of_closer_name(owner, labels, &mut self.work)?)
            }
        }
    }

    /// Proves a negative answer.
    async fn prove_denial(&mut self, question: &Question, message: &Message) -> Result<Proof, LookupFailure> {
        let denied = self.denied(question, &message.authority).await?;
        Ok(match denied {
            Some(denied) => Proof { security: denied.security, is_name_absent: denied.is_name },
            None => Proof::of(Security::Insecure),
        })
    }

    /// Reads the proof that a question has no answer; `None` where the zone is unsigned.
    async fn denied(&mut self, question: &Question, authority: &[Record]) -> Result<Option<Denied>, LookupFailure> {
        let is_of_parent = question.kind == RecordType::DS;
        let links = SignedSet::all_of(&[RecordType::NSEC, RecordType::NSEC3], authority);
        let fits = |signer: &&Name| {
            question.name.is_subdomain_of(signer) && !(is_of_parent && !signer.is_root() && **signer == question.name)
        };
        let above = if is_of_parent { question.name.parent() } else { None }.unwrap_or_else(|| question.name.clone());
        let Some(signer) = links.iter().filter_map(SignedSet::signer).find(fits) else {
            return self.excuse(&above, Bogus::MissingDenial).await.map(|_| None);
        };
        match self.standing(signer).await? {
            Standing::Zone(keys) => {
                let denial = Denial::read(authority, &keys, self.now, &mut self.work)?;
                Ok(Some(denial.of_question(question, &mut self.work)?))
            }
            Standing::Unsigned => Ok(None),
            Standing::NoCut => self.excuse(&above, Bogus::MissingDenial).await.map(|_| None),
        }
    }

    /// Looks for an unsigned delegation above `name`, from the top down; without one, `cause` is what is wrong.
    async fn excuse(&mut self, name: &Name, cause: Bogus) -> Result<Security, LookupFailure> {
        for labels in 1..=name.label_count() {
            match self.standing(&name.last_labels(labels)).await {
                Ok(Standing::Unsigned) => return Ok(Security::Insecure),
                Ok(Standing::Zone(_) | Standing::NoCut) => {}
                // NSD proves too little of a name that stands above unsigned delegations alone, where NSEC3 leaves these out
                // (RFC 5155 §7.1). What it says of the delegation itself counts.
                Err(LookupFailure::Bogus(Bogus::MissingDenial)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Err(cause.into())
    }
}

/// A reply that did not hold.
#[derive(Clone, Copy)]
pub(super) struct Refused {
    /// Who gave it.
    pub(super) address: IpAddr,
    /// What is wrong with it.
    cause: LookupFailure,
}

/// Says whether what was read of a reply counts; `Err` where another server is to be asked, once: one of several may serve an
/// old zone, or leave proofs out.
///
/// Where no server gives anything that holds, what is wrong with the first reply is told.
pub(super) fn ask_on<T>(
    before: Option<Refused>,
    found: &Found,
    read: Result<T, LookupFailure>,
) -> Result<Result<T, LookupFailure>, Refused> {
    match (read, before, found.seen.last()) {
        (Err(cause @ LookupFailure::Bogus(why)), None, Some((_, seen))) if why != Bogus::TooMuchWork => {
            Err(Refused { address: seen.address, cause })
        }
        (Err(_), Some(first), _) => Ok(Err(first.cause)),
        (read, ..) => Ok(read),
    }
}
