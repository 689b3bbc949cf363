//! The chain of a zone's hashed names (NSEC3, RFC 5155 §8).

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::dns::crypto::nsec3_hash;
use crate::dns::name::Name;
use crate::dns::rrset::{Question, RecordType};
use crate::dnssec::denial::{Denied, denied_by_types, leads_away};
use crate::dnssec::record::NextHash;
use crate::dnssec::signed_set::SignedSet;
use crate::dnssec::{Bogus, Security, Work};

/// How often a hash may be repeated; a zone with more counts as unsigned (SECURITY.md A11; RFC 9276 §3.2).
pub(super) const MAX_ITERATIONS: u16 = 50;
/// The digits of base 32 with the extended hex alphabet (RFC 4648 §7), in lower case.
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// The links that one reply has of a zone's chain of hashes.
pub(super) struct HashedChain {
    /// The zone.
    zone: Name,
    /// The links, with the hashes of their owners; all with the parameters of the first.
    links: Vec<(Vec<u8>, NextHash)>,
    /// Hashes that were made already.
    hashes: RefCell<BTreeMap<Name, Vec<u8>>>,
}

/// The longest ancestor that is there, and what covers the name one label below it (RFC 5155 §8.3).
struct Encloser {
    /// The ancestor.
    name: Name,
    /// Whether unsigned delegations may lie where the closer name is not.
    is_opt_out: bool,
}

impl HashedChain {
    /// Reads the links right below the zone's apex.
    pub(super) fn read(sets: &[SignedSet], zone: &Name) -> Self {
        let of_zone = sets.iter().filter(|set| set.owner.parent().as_ref() == Some(zone));
        let links = of_zone.flat_map(|set| set.data.iter().map(|rdata| (&set.owner, rdata)));
        let mut links: Vec<(Vec<u8>, NextHash)> = links
            .filter_map(|(owner, rdata)| Some((from_base32hex(owner.first_label()?)?, NextHash::read(rdata)?)))
            .collect();
        let parameters = |link: &NextHash| (link.algorithm, link.iterations, link.salt.clone());
        let first = links.first().map(|(_, link)| parameters(link));
        links.retain(|(_, link)| Some(parameters(link)) == first);
        Self { zone: zone.clone(), links, hashes: RefCell::default() }
    }

    /// Says whether the zone counts as unsigned, since its hashes cost too much (RFC 9276 §3.2).
    fn costs_too_much(&self) -> bool {
        self.links.iter().any(|(_, link)| link.iterations > MAX_ITERATIONS)
    }

    /// Proves that a question has no answer; `None` where the links do not.
    pub(super) fn of_question(&self, question: &Question, work: &mut Work) -> Result<Option<Denied>, Bogus> {
        if self.costs_too_much() {
            return Ok(Some(Denied::open()));
        }
        if let Some(link) = self.at(&question.name, work)? {
            return Ok(denied_by_types(&link.types, question));
        }
        let Some(encloser) = self.encloser(&question.name, work)? else { return Ok(None) };
        let security = if encloser.is_opt_out { Security::Insecure } else { Security::Secure };
        // What is not there may be an unsigned delegation (RFC 5155 §8.6).
        let unproven = encloser.is_opt_out.then(Denied::open);
        if question.kind == RecordType::DS && encloser.is_opt_out {
            return Ok(unproven);
        }
        let Ok(wildcard) = encloser.name.prepend("*") else { return Ok(unproven) };
        if let Some(link) = self.at(&wildcard, work)? {
            let denied = denied_by_types(&link.types, &Question::new(wildcard, question.kind));
            let denied = denied.map(|denied| Denied { security, is_unsigned_cut: false, ..denied });
            // A name above unsigned delegations alone is left out, and has no records for all that the wildcard has (RFC 5155 §7.1).
            return Ok(denied.or(unproven));
        }
        let is_no_wildcard = self.covering(&wildcard, work)?.is_some();
        if !is_no_wildcard {
            return Ok(unproven);
        }
        // Signers leave out names above unsigned delegations alone, which are there for all that (RFC 5155 §7.1).
        let is_name = (!encloser.is_opt_out).then_some(true);
        Ok(Some(Denied { is_name, ..Denied::name(security) }))
    }

    /// Proves that no name is there that is closer to `name` than its last `labels` labels (RFC 5155 §8.8).
    pub(super) fn of_closer_name(
        &self,
        name: &Name,
        labels: usize,
        work: &mut Work,
    ) -> Result<Option<Security>, Bogus> {
        if self.costs_too_much() {
            return Ok(Some(Security::Insecure));
        }
        let link = self.covering(&name.last_labels(labels + 1), work)?;
        Ok(link.map(|link| if link.is_opt_out { Security::Insecure } else { Security::Secure }))
    }

    /// Finds the longest ancestor that is there (RFC 5155 §8.3).
    fn encloser(&self, name: &Name, work: &mut Work) -> Result<Option<Encloser>, Bogus> {
        let mut closer = name.clone();
        for ancestor in name.ancestors().skip(1).take_while(|ancestor| ancestor.is_subdomain_of(&self.zone)) {
            if let Some(link) = self.at(&ancestor, work)? {
                let covering = self.covering(&closer, work)?.filter(|_| !leads_away(&link.types));
                return Ok(covering.map(|link| Encloser { name: ancestor, is_opt_out: link.is_opt_out }));
            }
            closer = ancestor;
        }
        Ok(None)
    }

    /// Returns the link at a name.
    fn at(&self, name: &Name, work: &mut Work) -> Result<Option<&NextHash>, Bogus> {
        let Some(hash) = self.hash(name, work)? else { return Ok(None) };
        Ok(self.links.iter().find(|(owner, _)| *owner == hash).map(|(_, link)| link))
    }

    /// Returns the link in whose gap a name lies.
    fn covering(&self, name: &Name, work: &mut Work) -> Result<Option<&NextHash>, Bogus> {
        let Some(hash) = self.hash(name, work)? else { return Ok(None) };
        let covers = |owner: &Vec<u8>, next: &Vec<u8>| {
            if owner < next { *owner < hash && hash < *next } else { hash > *owner || hash < *next }
        };
        Ok(self.links.iter().find(|(owner, link)| covers(owner, &link.next)).map(|(_, link)| link))
    }

    /// Hashes a name as the links do.
    fn hash(&self, name: &Name, work: &mut Work) -> Result<Option<Vec<u8>>, Bogus> {
        if let Some(known) = self.hashes.borrow().get(name) {
            return Ok(Some(known.clone()));
        }
        let Some((_, link)) = self.links.first() else { return Ok(None) };
        work.hash()?;
        let Some(hash) = nsec3_hash(link.algorithm, name, &link.salt, link.iterations) else { return Ok(None) };
        self.hashes.borrow_mut().insert(name.clone(), hash.clone());
        Ok(Some(hash))
    }
}

/// Writes octets in base 32 with the extended hex alphabet, without padding (RFC 4648 §7).
#[must_use]
pub fn base32hex(octets: &[u8]) -> String {
    let (mut text, mut bits, mut count) = (String::new(), 0_u32, 0_u32);
    let digit = |bits: u32| {
        usize::try_from(bits & 31).ok().and_then(|nth| DIGITS.get(nth)).map_or('0', |digit| char::from(*digit))
    };
    for octet in octets {
        bits = (bits << 8 | u32::from(*octet)) & 0xffff;
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(digit(bits >> count));
        }
    }
    if count > 0 {
        text.push(digit(bits << (5 - count)));
    }
    text
}

/// Reads base 32 with the extended hex alphabet, in either case; `None` where there is another character, or a rest.
#[must_use]
pub fn from_base32hex(text: &[u8]) -> Option<Vec<u8>> {
    let (mut octets, mut bits, mut count) = (Vec::new(), 0_u32, 0_u32);
    for character in text {
        let digit = DIGITS.iter().position(|digit| *digit == character.to_ascii_lowercase())?;
        bits = (bits << 5 | u32::try_from(digit).ok()?) & 0xffff;
        count += 5;
        if count >= 8 {
            count -= 8;
            octets.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    (bits & ((1 << count) - 1) == 0).then_some(octets)
}

#[cfg(test)]
#[cfg(feature = "dnssec")]
mod tests;
