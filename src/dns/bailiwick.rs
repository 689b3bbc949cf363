//! What a reply may state.
//!
//! A server that was asked as an authority for a zone may speak of the zone, point below it, and
//! name servers on the way. Everything else in its reply is dropped before anything is read, and
//! handed back, since in our trade it is evidence.

use crate::dns::message::{Message, Section};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::{Question, Record, RecordType};

/// The most links of a CNAME chain that are followed (SECURITY.md A4: 11 in unbound and BIND).
pub const MAX_CHAIN_LINKS: usize = 8;
/// The types that vouch for a delegation, or deny that anything does.
const PROOFS: &[RecordType] = &[RecordType::DS, RecordType::NSEC, RecordType::NSEC3, RecordType::RRSIG];
/// The most records of these types that one referral brings: 8 DS records (SECURITY.md A11) or 3 NSEC3, each with 4
/// signatures, and some to spare.
const MAX_PROOFS_OF_REFERRAL: usize = 32;

/// The records of a reply, without those that it may not state.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scrubbed<'m> {
    /// Records that answer: on the chain of aliases from the question's name.
    pub answers: Vec<&'m Record>,
    /// The NS records of one delegation between the zone and the question's name.
    pub delegation: Vec<&'m Record>,
    /// DS records of that delegation, and what denies records, with their signatures (RFC 4035 §3.1.4, RFC 5155 §7.2.6).
    pub proofs: Vec<&'m Record>,
    /// The SOA record that goes with a negative answer.
    pub soa: Option<&'m Record>,
    /// Addresses of the delegation's servers.
    pub glue: Vec<&'m Record>,
    /// What was dropped, with its section.
    pub dropped: Vec<(Section, &'m Record)>,
    /// NS records that point to the zone itself or above it.
    pub upward: Vec<&'m Record>,
}

/// Splits `message`, a reply to `question` from a server for `zone`, into what counts and what does not.
///
/// - answer section: owners on the chain of CNAMEs that starts at the question's name and stays in the zone; a DNAME
///   above a link (RFC 6672 §3); nothing else (RFC 2181 §5.4.1);
/// - authority section: NS strictly below the zone and at or above the last name of the chain; DS beside them, and what
///   denies DS records, both with their signatures; the SOA of a zone that encloses the last name;
/// - additional section: A and AAAA of the names that those NS give, where these lie in the zone
///   asked, so that a server of `com.` states nothing about `net.`.
#[must_use]
pub fn scrub<'m>(message: &'m Message, question: &Question, zone: &Name) -> Scrubbed<'m> {
    let mut scrubbed = Scrubbed::default();
    let chain = chain_names(message, question, zone);
    for record in &message.answers {
        let on_chain = chain.contains(&record.owner);
        let dname_above = record.kind() == RecordType::DNAME
            && record.owner.is_subdomain_of(zone)
            && chain.iter().any(|link| link.is_strictly_below(&record.owner));
        if on_chain || dname_above {
            scrubbed.answers.push(record);
        } else {
            scrubbed.dropped.push((Section::Answer, record));
        }
    }
    let last = chain.last().unwrap_or(&question.name);
    scrub_authority(&mut scrubbed, message, last, zone);
    scrub_additional(&mut scrubbed, message, zone);
    scrubbed
}

/// Follows the CNAMEs of the answer section from the question's name on, as far as they stay in `zone`.
fn chain_names(message: &Message, question: &Question, zone: &Name) -> Vec<Name> {
    let mut chain = vec![question.name.clone()];
    while question.kind != RecordType::CNAME && chain.len() <= MAX_CHAIN_LINKS {
        let last = chain.last().unwrap_or(&question.name);
        let next = message.answers.iter().find_map(|record| match &record.rdata {
            Rdata::Cname(target) if record.owner == *last => Some(target.clone()),
            _ => None,
        });
        match next {
            Some(target) if target.is_subdomain_of(zone) && !chain.contains(&target) => chain.push(target),
            _ => break,
        }
    }
    chain
}

/// Sorts the authority section; where several delegations are named, the deepest one counts.
fn scrub_authority<'m>(scrubbed: &mut Scrubbed<'m>, message: &'m Message, last: &Name, zone: &Name) {
    let below = |owner: &Name| owner.is_strictly_below(zone) && last.is_subdomain_of(owner);
    let cut = message
        .authority
        .iter()
        .filter(|record| record.kind() == RecordType::NS && below(&record.owner))
        .map(|record| &record.owner)
        .max_by_key(|owner| owner.label_count());
    for record in &message.authority {
        let is_proof =
            cut.is_some() && record.owner.is_subdomain_of(zone) && scrubbed.proofs.len() < MAX_PROOFS_OF_REFERRAL;
        match record.kind() {
            RecordType::NS if Some(&record.owner) == cut => scrubbed.delegation.push(record),
            RecordType::DS if Some(&record.owner) != cut => scrubbed.dropped.push((Section::Authority, record)),
            kind if is_proof && PROOFS.contains(&kind) => scrubbed.proofs.push(record),
            RecordType::NS if zone.is_subdomain_of(&record.owner) => scrubbed.upward.push(record),
            RecordType::SOA
                if scrubbed.soa.is_none()
                    && record.owner.is_subdomain_of(zone)
                    && last.is_subdomain_of(&record.owner) =>
            {
                scrubbed.soa = Some(record);
            }
            _ => scrubbed.dropped.push((Section::Authority, record)),
        }
    }
}

/// Keeps the glue of the delegation, in-domain or sibling (RFC 9471 §2), and drops the rest.
fn scrub_additional<'m>(scrubbed: &mut Scrubbed<'m>, message: &'m Message, zone: &Name) {
    for record in &message.additional {
        let is_address = matches!(record.rdata, Rdata::A(_) | Rdata::Aaaa(_));
        let of_a_server =
            scrubbed.delegation.iter().any(|ns| matches!(&ns.rdata, Rdata::Ns(host) if *host == record.owner));
        if is_address && of_a_server && record.owner.is_subdomain_of(zone) {
            scrubbed.glue.push(record);
        } else {
            scrubbed.dropped.push((Section::Additional, record));
        }
    }
}
