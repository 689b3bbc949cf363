//! The chain of a zone's names (NSEC, RFC 4034 §4, RFC 4035 §5.4).

use crate::dns::name::Name;
use crate::dns::rrset::Question;
use crate::dnssec::Security;
use crate::dnssec::denial::{Denied, denied_by_types, leads_away};
use crate::dnssec::record::NextName;
use crate::dnssec::signed_set::SignedSet;

/// The links that one reply has of a zone's chain of names.
pub(super) struct NamedChain {
    /// The links, with their owners.
    links: Vec<(Name, NextName)>,
}

impl NamedChain {
    /// Reads the links whose owner and next name lie in the zone.
    pub(super) fn read(sets: &[SignedSet], zone: &Name) -> Self {
        let links = sets.iter().flat_map(|set| set.data.iter().map(|rdata| (set.owner.clone(), rdata)));
        let links = links.filter_map(|(owner, rdata)| Some((owner, NextName::read(rdata)?)));
        Self { links: links.filter(|(_, link)| link.next.is_subdomain_of(zone)).collect() }
    }

    /// Proves that a question has no answer; `None` where the links do not.
    pub(super) fn of_question(&self, question: &Question) -> Option<Denied> {
        if let Some(link) = self.at(&question.name) {
            return denied_by_types(&link.types, question);
        }
        let (owner, link) = self.covering(&question.name)?;
        if link.next.is_strictly_below(&question.name) {
            // An empty non-terminal: nothing stands there, but something does below.
            return Some(Denied::kind(Security::Secure));
        }
        let wildcard = closest_encloser(&question.name, owner, &link.next).prepend("*").ok()?;
        match self.at(&wildcard) {
            Some(link) => {
                let denied = denied_by_types(&link.types, &Question::new(wildcard, question.kind))?;
                Some(Denied { is_unsigned_cut: false, ..denied })
            }
            None => self.covering(&wildcard).map(|_| Denied::name(Security::Secure)),
        }
    }

    /// Says whether no name is there that is closer to `name` than the last `labels` labels of it.
    pub(super) fn denies_closer_name(&self, name: &Name, labels: usize) -> bool {
        self.covering(name).is_some_and(|(owner, link)| {
            !link.next.is_strictly_below(name) && closest_encloser(name, owner, &link.next).label_count() <= labels
        })
    }

    /// Returns the link at a name.
    fn at(&self, name: &Name) -> Option<&NextName> {
        self.links.iter().find(|(owner, _)| owner == name).map(|(_, link)| link)
    }

    /// Returns the link in whose gap a name lies.
    fn covering(&self, name: &Name) -> Option<(&Name, &NextName)> {
        let covers = |owner: &Name, link: &NextName| {
            let is_last = link.next <= *owner;
            let is_between = owner < name && (is_last || *name < link.next);
            is_between && !(name.is_strictly_below(owner) && leads_away(&link.types))
        };
        self.links.iter().find(|(owner, link)| covers(owner, link)).map(|(owner, link)| (owner, link))
    }
}

/// Returns the longest ancestor of `name` that is there, given the names on both sides of it (RFC 4592 §3.3.1).
fn closest_encloser(name: &Name, before: &Name, behind: &Name) -> Name {
    let is_there = |ancestor: &Name| before.is_subdomain_of(ancestor) || behind.is_subdomain_of(ancestor);
    name.ancestors().skip(1).find(is_there).unwrap_or_else(Name::root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::rdata::Rdata;
    use crate::dns::rrset::RecordType;
    use crate::dnssec::denial::NXNAME;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    /// Writes a bitmap of types below 256.
    fn bitmap(types: &[RecordType]) -> Vec<u8> {
        let mut bits = [0_u8; 32];
        for kind in types {
            bits[usize::from(kind.0 / 8)] |= 0x80 >> (kind.0 % 8);
        }
        [&[0, 32], &bits[..]].concat()
    }

    /// A chain of the zone `example.` from (owner, next, types).
    fn chain(links: &[(&str, &str, &[RecordType])]) -> NamedChain {
        let set = |(owner, next, types): &(&str, &str, &[RecordType])| SignedSet {
            owner: name(owner),
            kind: RecordType::NSEC,
            data: vec![Rdata::Other {
                kind: RecordType::NSEC,
                octets: [name(next).wire(), &bitmap(types)].concat().into(),
            }],
            signatures: Vec::new(),
        };
        NamedChain::read(&links.iter().map(set).collect::<Vec<_>>(), &name("example."))
    }

    /// Says `name`, `kind`, `cut` or `none`.
    fn denied(chain: &NamedChain, owner: &str, kind: RecordType) -> &'static str {
        match chain.of_question(&Question::new(name(owner), kind)) {
            Some(Denied { is_unsigned_cut: true, .. }) => "cut",
            Some(Denied { is_name: Some(true), .. }) => "name",
            Some(_) => "kind",
            None => "none",
        }
    }

    #[test]
    fn a_name_is_denied_with_its_wildcard_or_not_at_all() {
        use RecordType as T;
        let both = chain(&[("example.", "b.example.", &[T::SOA, T::NS]), ("b.example.", "d.e.example.", &[T::A])]);
        assert_eq!(denied(&both, "c.example.", T::A), "name");
        assert_eq!(denied(&both, "x.c.example.", T::A), "name");
        assert_eq!(denied(&both, "e.example.", T::A), "kind", "an empty non-terminal");
        let no_wildcard = chain(&[("b.example.", "d.example.", &[T::A])]);
        assert_eq!(denied(&no_wildcard, "c.example.", T::A), "none", "the wildcard may be there");
        let wildcard = chain(&[("b.example.", "d.example.", &[T::A]), ("*.example.", "b.example.", &[T::TXT])]);
        assert_eq!(denied(&wildcard, "c.example.", T::A), "kind");
        assert_eq!(denied(&wildcard, "c.example.", T::TXT), "none", "the wildcard has it");
    }

    #[test]
    fn the_last_link_covers_what_follows_it() {
        use RecordType as T;
        let last = chain(&[("z.example.", "example.", &[T::A]), ("example.", "a.example.", &[T::SOA])]);
        assert_eq!(denied(&last, "zz.example.", T::A), "name");
        assert_eq!(denied(&last, "b.example.", T::A), "none");
    }

    #[test]
    fn a_link_from_above_a_cut_says_nothing_of_the_zone_below() {
        use RecordType as T;
        let cut = chain(&[("sub.example.", "z.example.", &[T::NS]), ("example.", "sub.example.", &[T::SOA])]);
        assert_eq!(denied(&cut, "sub.example.", T::A), "none");
        assert_eq!(denied(&cut, "x.sub.example.", T::A), "none");
        assert_eq!(denied(&cut, "sub.example.", T::DS), "cut");
        assert_eq!(denied(&cut, "t.example.", T::A), "name");
        let apex = chain(&[("example.", "z.example.", &[T::SOA, T::NS])]);
        assert_eq!(denied(&apex, "example.", T::DS), "none", "the zone itself does not speak of its own DS");
        assert_eq!(denied(&apex, "example.", T::MX), "kind");
        let dname = chain(&[("d.example.", "z.example.", &[T::DNAME]), ("example.", "a.example.", &[T::SOA])]);
        assert_eq!(denied(&dname, "x.d.example.", T::A), "none", "it is redirected");
    }

    #[test]
    fn an_alias_or_the_type_itself_is_no_denial_and_a_compact_one_is_of_the_name() {
        use RecordType as T;
        for (types, kind, expected) in [
            (&[T::CNAME][..], T::A, "none"),
            (&[T::A], T::A, "none"),
            (&[T::A], T::TXT, "kind"),
            (&[T::RRSIG, T::NSEC, NXNAME], T::TXT, "name"),
        ] {
            let links = chain(&[("a.example.", "b.example.", types)]);
            assert_eq!(denied(&links, "a.example.", kind), expected, "{types:?} {kind}");
        }
    }

    #[test]
    fn a_wildcard_counts_only_where_nothing_closer_is_there() {
        let links = chain(&[("b.example.", "a.x.example.", &[])]);
        assert!(links.denies_closer_name(&name("c.example."), 1));
        assert!(!links.denies_closer_name(&name("x.example."), 1), "it is there, with nothing at it");
        let links = chain(&[("b.example.", "z.c.example.", &[])]);
        assert!(!links.denies_closer_name(&name("y.c.example."), 1), "c.example. is there and closer");
        assert!(links.denies_closer_name(&name("y.c.example."), 2));
    }
}
