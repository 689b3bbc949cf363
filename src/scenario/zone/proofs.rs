//! What goes along with an answer where signatures are asked for: those of the records in it, and the NSEC records that show
//! what is not there (RFC 4035 §3.1). All of it stands in the zone; what does not is left out.

use crate::dns::dnssec::Signature;
use crate::dns::message::Message;
use crate::dns::name::Name;
use crate::dns::rrset::{Question, Record, RecordType};
use crate::scenario::zone::Zone;

impl Zone {
    /// Adds proofs to an answer that has everything else.
    pub(super) fn add_proofs(&self, reply: &mut Message, question: &Question) {
        let mut denied: Vec<Name> = Vec::new();
        for (owner, kind) in sets_in(&reply.answers) {
            let source = self.source_of(&owner);
            reply.answers.extend(self.signatures(&source, kind, &owner));
            if source != owner {
                denied.push(owner);
            }
        }
        for (owner, kind) in sets_in(&reply.authority) {
            // A referral is not the zone's to sign, the DS records in it are (RFC 4035 §2.2).
            reply.authority.extend(self.signatures(&owner, kind, &owner));
            if kind == RecordType::NS && !self.has(&owner, RecordType::DS) {
                denied.push(owner);
            } else if kind == RecordType::SOA {
                let last = last_name(reply, question);
                let source = self.source_of(&last);
                denied.extend([last.clone(), source, self.wildcard_beside(&last)]);
            }
        }
        let mut owners: Vec<Name> = denied.iter().filter_map(|name| self.nsec_before(name)).collect();
        owners.sort();
        owners.dedup();
        for owner in owners {
            reply.authority.extend(self.records_at(&owner, RecordType::NSEC));
            reply.authority.extend(self.signatures(&owner, RecordType::NSEC, &owner));
        }
    }

    /// Returns the name that the records at `owner` stand at: itself, or the wildcard that they are made from.
    fn source_of(&self, owner: &Name) -> Name {
        if self.nodes.contains_key(owner) { owner.clone() } else { self.wildcard_beside(owner) }
    }

    /// Returns the wildcard below the closest encloser of a name (RFC 4592 §3.3.1).
    fn wildcard_beside(&self, name: &Name) -> Name {
        let encloser = name.ancestors().skip(1).find(|above| self.nodes.contains_key(above));
        encloser.and_then(|encloser| encloser.prepend("*").ok()).unwrap_or_else(|| self.origin.clone())
    }

    /// Returns the signatures over one set at `source`, with `owner` in front.
    fn signatures(&self, source: &Name, kind: RecordType, owner: &Name) -> Vec<Record> {
        let all = self.records_at(source, RecordType::RRSIG).into_iter();
        let of_kind = all.filter(|record| Signature::read(&record.rdata).is_some_and(|read| read.covered == kind));
        of_kind.map(|record| Record { owner: owner.clone(), ..record }).collect()
    }

    /// Returns the last owner of an NSEC record at or before a name in canonical order (RFC 4034 §6.1).
    fn nsec_before(&self, name: &Name) -> Option<Name> {
        let owners = || self.nodes.keys().filter(|owner| self.has(owner, RecordType::NSEC));
        owners().filter(|owner| *owner <= name).max().or_else(|| owners().max()).cloned()
    }
}

/// Lists the sets of a section, in order of appearance.
fn sets_in(section: &[Record]) -> Vec<(Name, RecordType)> {
    let mut sets: Vec<(Name, RecordType)> = Vec::new();
    for record in section {
        let set = (record.owner.clone(), record.kind());
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    sets
}

/// Returns the name at the end of the chain of aliases of an answer.
fn last_name(reply: &Message, question: &Question) -> Name {
    let mut last = question.name.clone();
    for record in &reply.answers {
        if let crate::dns::rdata::Rdata::Cname(target) = &record.rdata
            && record.owner == last
        {
            last = target.clone();
        }
    }
    last
}
