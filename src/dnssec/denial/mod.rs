//! Proofs that something is not there: by the chain of a zone's names (NSEC, RFC 4035 §5.4) or of their hashes (NSEC3,
//! RFC 5155 §8).
//!
//! Only records that the zone itself signed, each in its own place and not made from a wildcard, prove anything. One from
//! above a cut says nothing of the zone below (RFC 6840 §4.1).

mod hashed;
mod named;

pub use hashed::{base32hex, from_base32hex};

use crate::dns::name::Name;
use crate::dns::rrset::{Question, Record, RecordType};
use crate::dnssec::denial::hashed::{HashedChain, MAX_ITERATIONS};
use crate::dnssec::denial::named::NamedChain;
use crate::dnssec::keys::ZoneKeys;
use crate::dnssec::record::{NextHash, TypeSet};
use crate::dnssec::signed_set::SignedSet;
use crate::dnssec::verify::verify_set;
use crate::dnssec::{Bogus, Security, Work};

/// The type that stands for "this name is not there" in a compact denial (RFC 9824 §2).
pub const NXNAME: RecordType = RecordType(128);

/// What is proven not to be there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denied {
    /// Whether the proof leaves no gap: one with opt-out leaves room for unsigned delegations (RFC 5155 §9.2).
    pub security: Security,
    /// Whether it is the whole name that is not there, not just the type; `None` where the proof leaves that open.
    pub is_name: Option<bool>,
    /// Whether the name is shown to be a delegation without DS records: what lies below is unsigned.
    pub is_unsigned_cut: bool,
}

impl Denied {
    /// Says that a name is not there.
    fn name(security: Security) -> Self {
        Self { security, is_name: Some(true), is_unsigned_cut: false }
    }

    /// Says that there may be an unsigned delegation, or no name at all.
    fn open() -> Self {
        Self { security: Security::Insecure, is_name: None, is_unsigned_cut: true }
    }

    /// Says that a name has no records of a type.
    fn kind(security: Security) -> Self {
        Self { security, is_name: Some(false), is_unsigned_cut: false }
    }
}

/// The records of one reply that prove what is not there.
pub struct Denial {
    /// The links of the chain of names.
    named: NamedChain,
    /// The links of the chain of hashes.
    hashed: HashedChain,
}

impl Denial {
    /// Collects the links in the authority section whose signatures hold.
    ///
    /// # Errors
    /// What is wrong with the signatures, where none holds; [`Bogus::MissingDenial`] where there is no link at all.
    pub fn read(authority: &[Record], keys: &ZoneKeys, now: u32, work: &mut Work) -> Result<Self, Bogus> {
        let mut cause = Bogus::MissingDenial;
        let mut verified: Vec<SignedSet> = Vec::new();
        for set in SignedSet::all_of(&[RecordType::NSEC, RecordType::NSEC3], authority) {
            match verify_set(&set, keys, now, work) {
                Ok(link) if link.wildcard_below.is_none() => verified.push(set),
                Ok(_) => {}
                Err(Bogus::TooMuchWork) => return Err(Bogus::TooMuchWork),
                Err(why) => cause = why,
            }
        }
        if verified.is_empty() {
            return Err(cause);
        }
        Ok(Self { named: NamedChain::read(&verified, &keys.zone), hashed: HashedChain::read(&verified, &keys.zone) })
    }

    /// Returns how often the hash of the links is repeated, where that is so often that the zone counts as unsigned (RFC 9276
    /// §3.2).
    #[must_use]
    pub fn costly_iterations(authority: &[Record]) -> Option<u16> {
        let links = authority.iter().filter_map(|record| NextHash::read(&record.rdata));
        links.map(|link| link.iterations).filter(|iterations| *iterations > MAX_ITERATIONS).max()
    }

    /// Proves that the question has no answer: its name is not there, or has no such type, nor has a wildcard.
    ///
    /// # Errors
    /// [`Bogus::MissingDenial`] or [`Bogus::TooMuchWork`].
    pub fn of_question(&self, question: &Question, work: &mut Work) -> Result<Denied, Bogus> {
        match self.named.of_question(question) {
            Some(denied) => Ok(denied),
            None => self.hashed.of_question(question, work)?.ok_or(Bogus::MissingDenial),
        }
    }

    /// Proves that no name is there that is closer to `name` than the wildcard below the last `labels` labels.
    ///
    /// # Errors
    /// As [`Denial::of_question`].
    pub fn of_closer_name(&self, name: &Name, labels: usize, work: &mut Work) -> Result<Security, Bogus> {
        if self.named.denies_closer_name(name, labels) {
            return Ok(Security::Secure);
        }
        self.hashed.of_closer_name(name, labels, work)?.ok_or(Bogus::MissingDenial)
    }
}

/// Reads what a link at a question's own name says of its type; `None` where it proves nothing.
///
/// The link above a cut speaks of the DS records there and of nothing else, and the one below of all but these.
fn denied_by_types(types: &TypeSet, question: &Question) -> Option<Denied> {
    if types.has(NXNAME) {
        return Some(Denied::name(Security::Secure));
    }
    let is_other_side = match question.kind {
        RecordType::DS => types.has(RecordType::SOA) && !question.name.is_root(),
        _ => types.is_delegation(),
    };
    if is_other_side || types.has(question.kind) || types.has(RecordType::CNAME) {
        return None;
    }
    let is_unsigned_cut = question.kind == RecordType::DS && types.has(RecordType::NS);
    Some(Denied { is_unsigned_cut, ..Denied::kind(Security::Secure) })
}

/// Says whether a link at an ancestor says nothing of the names below it: they lie in another zone, or are redirected
/// (RFC 6840 §4.1).
fn leads_away(types: &TypeSet) -> bool {
    types.is_delegation() || types.has(RecordType::DNAME)
}
