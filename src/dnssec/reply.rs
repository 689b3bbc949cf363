//! Whether what one server said of a zone holds against the zone's keys: every record set, every link of a chain of aliases,
//! and that there is nothing where it says so.
//!
//! The keys are given; finding them is up to who asks. What lies in other zones is not looked at.

use crate::dns::message::Message;
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::{Link, Negative, Response};
use crate::dns::rrset::{Question, Record, RecordType};
use crate::dnssec::denial::Denial;
use crate::dnssec::keys::ZoneKeys;
use crate::dnssec::signed_set::SignedSet;
use crate::dnssec::verify::verify_set;
use crate::dnssec::{Bogus, Security, Work};

/// The types that deny records.
const DENIALS: &[RecordType] = &[RecordType::NSEC, RecordType::NSEC3];

/// Lists the record sets that an answer rests on: those on the chain of aliases from the question's name on, and the one at
/// its end. For a CNAME that was made from a DNAME it is the DNAME, which alone is signed (RFC 6672 §5.3.1).
///
/// In order of the chain; empty for all that is no answer.
#[must_use]
pub fn sets_behind(question: &Question, response: &Response, message: &Message) -> Vec<(Name, RecordType)> {
    let behind = |link: &Link| match dname_behind(link, &message.answers) {
        Some(dname) => (dname.owner.clone(), RecordType::DNAME),
        None => (link.owner.clone(), RecordType::CNAME),
    };
    match response {
        Response::Answer(answer) => match answer.rrset.data().first() {
            Some(Rdata::Cname(target)) => {
                let link = Link { owner: question.name.clone(), target: target.clone(), ttl: answer.rrset.ttl };
                vec![behind(&link)]
            }
            _ => vec![(question.name.clone(), question.kind)],
        },
        Response::Alias(alias) => {
            let end = alias.rrset.iter().map(|rrset| (rrset.owner.clone(), rrset.kind));
            alias.links.iter().map(behind).chain(end).collect()
        }
        _ => Vec::new(),
    }
}

/// Finds the DNAME that a link was made from: its owner lies above the alias, and the rest of the alias in front of its
/// target is the link's (RFC 6672 §2.2).
#[must_use]
pub fn dname_behind<'a>(link: &Link, section: &'a [Record]) -> Option<&'a Record> {
    section.iter().find(|record| match &record.rdata {
        Rdata::Dname(target) if link.owner.is_strictly_below(&record.owner) => {
            let rest = link.owner.without_suffix(&record.owner);
            rest.and_then(|rest| rest.concat(target).ok()).as_ref() == Some(&link.target)
        }
        _ => false,
    })
}

/// Proves what a server of the keys' zone said; `None` where nothing in it is that zone's to sign, as where the server speaks
/// for a zone below.
///
/// # Errors
/// What is wrong with it. [`Bogus::MissingSignature`] and [`Bogus::MissingDenial`] hold unless there is an unsigned
/// delegation between the zone and the name, which a server of both zones does not show.
pub fn prove(
    question: &Question,
    response: &Response,
    message: &Message,
    keys: &ZoneKeys,
    now: u32,
    work: &mut Work,
) -> Result<Option<Security>, Bogus> {
    match response {
        Response::Answer(_) | Response::Alias(_) => {
            let mut proven: Option<Security> = None;
            for (owner, kind) in sets_behind(question, response, message) {
                let held = prove_set(&owner, kind, message, keys, now, work)?;
                proven = held.map(|held| proven.map_or(held, |before| before.and(held))).or(proven);
            }
            Ok(proven)
        }
        Response::NoData(negative) | Response::NxDomain(negative) => {
            if is_of_zone_below(negative, &message.authority, &keys.zone) {
                return Ok(None);
            }
            let denial = Denial::read(&message.authority, keys, now, work)?;
            Ok(Some(denial.of_question(question, work)?.security))
        }
        Response::Referral(_) | Response::Lame(_) | Response::Failed(_) => Ok(None),
    }
}

/// Proves one record set of the answer section; `None` where it is not of the keys' zone.
fn prove_set(
    owner: &Name,
    kind: RecordType,
    message: &Message,
    keys: &ZoneKeys,
    now: u32,
    work: &mut Work,
) -> Result<Option<Security>, Bogus> {
    let Some(set) = SignedSet::collect(owner, kind, &message.answers).filter(|_| owner.is_subdomain_of(&keys.zone))
    else {
        return Ok(None);
    };
    let signers = || set.signatures.iter().map(|signature| &signature.signer);
    let is_of_zone_below = |signer: &Name| signer.is_strictly_below(&keys.zone) && owner.is_subdomain_of(signer);
    if !signers().any(|signer| *signer == keys.zone) && signers().any(is_of_zone_below) {
        return Ok(None);
    }
    match verify_set(&set, keys, now, work)?.wildcard_below {
        None => Ok(Some(Security::Secure)),
        Some(labels) => {
            let denial = Denial::read(&message.authority, keys, now, work)?;
            denial.of_closer_name(owner, labels, work).map(Some)
        }
    }
}

/// Says whether a negative answer is that of a zone below, by its SOA record and by who signed what denies the record.
fn is_of_zone_below(negative: &Negative, authority: &[Record], zone: &Name) -> bool {
    let links = SignedSet::all_of(DENIALS, authority);
    let is_below = |name: &Name| name.is_strictly_below(zone);
    negative.soa.as_ref().is_some_and(|(owner, ..)| is_below(owner))
        || (!links.is_empty() && links.iter().all(|link| link.signer().is_some_and(is_below)))
}
