//! Finds the policy record that speaks for a name, and the organizational domain above it (RFC 9989 §4.10).

use std::cell::OnceCell;
use std::iter;
use std::sync::Arc;

use super::parse::{ParseError, is_dmarc, read};
use super::{DmarcRecord, PolicyTag, PublicSuffix, Scope};
use crate::dns::name::Name;

/// The label below which policy records stand (RFC 9989 §4.10).
const LABEL: &str = "_dmarc";
/// Most labels of the second name that is asked: with the first one, eight questions (RFC 9989 §4.10).
const MAX_PARENT_LABELS: usize = 7;

/// The texts at one name of a tree walk, and what its policy record says: it is read once, when that is first asked.
#[derive(Debug, Clone)]
pub struct Found {
    /// The name: `_dmarc` below a domain.
    pub name: Name,
    /// The TXT records there, each joined; empty where there are none.
    pub texts: Vec<Vec<u8>>,
    /// What the policy records among them come to.
    policy: OnceCell<Policies>,
}

/// What the policy records at one name come to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Policies {
    /// There is none.
    None,
    /// There is one, and this is why receivers leave DMARC off because of it, if they do.
    One(Arc<DmarcRecord>, Option<ParseError>),
    /// There are several, all of which are void.
    Several,
}

impl Found {
    /// Takes the texts at a name.
    pub fn new(name: Name, texts: Vec<Vec<u8>>) -> Self {
        Self { name, texts, policy: OnceCell::new() }
    }

    /// Returns the texts that are policy records.
    pub fn policy_texts(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.texts.iter().filter(|text| is_dmarc(text))
    }

    /// Says whether there is one policy record and no other, whatever it says.
    pub fn has_one_policy(&self) -> bool {
        let mut policies = self.policy_texts();
        policies.next().is_some() && policies.next().is_none()
    }

    /// Returns the one policy record that receivers use, where there is just one and they do.
    pub fn usable(&self) -> Option<&DmarcRecord> {
        match self.policies() {
            Policies::One(record, None) => Some(record),
            _ => None,
        }
    }

    /// Says whether the walk ends here: at one record that says whether it is a public suffix's (RFC 9989 §4.10).
    pub fn ends_walk(&self) -> bool {
        self.usable().is_some_and(|record| record.public_suffix != PublicSuffix::Unknown)
    }

    /// Reads the policy records.
    fn policies(&self) -> &Policies {
        self.policy.get_or_init(|| {
            let mut policies = self.policy_texts();
            match (policies.next().and_then(|text| read(text)), policies.next()) {
                (None, _) => Policies::None,
                (Some((record, flaw)), None) => Policies::One(Arc::new(record), flaw),
                (Some(_), Some(_)) => Policies::Several,
            }
        })
    }

    /// Says whether this is what stands below `domain`.
    fn is_of(&self, domain: &Name) -> bool {
        self.name.is_subdomain_of(domain) && self.name.label_count() == domain.label_count() + 1
    }
}

/// What the records found say of an author domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// Whose policy applies.
    pub policy: Applicable,
    /// The organizational domain, for relaxed alignment; `None` where an answer is missing.
    pub organizational_domain: Option<Name>,
    /// Domains with two or more policy records, all of which are void; longest first.
    pub repeated_at: Vec<Name>,
}

/// Whose policy applies to an author domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applicable {
    /// Its own record's `p`.
    Own(Arc<DmarcRecord>),
    /// A policy of a domain above: the organizational domain or a public suffix.
    Inherited {
        /// The domain above.
        domain: Name,
        /// The record there.
        record: Arc<DmarcRecord>,
        /// The tag that applies.
        tag: PolicyTag,
    },
    /// None: there is no record.
    None,
    /// None: the record that would apply is so broken that receivers leave DMARC off.
    Unusable {
        /// The domain that has the record.
        domain: Name,
        /// What is wrong with it.
        error: ParseError,
    },
    /// Not known: nothing was found out about this name, which must be asked next.
    Unanswered(Name),
}

/// Returns the names to ask for TXT on the way from `domain` to the top: `_dmarc.` names, at most eight, longest first.
///
/// A receiver stops at a record with `psd=y` or `psd=n`. A name that would be too long is left out; the root has none.
///
/// Source: RFC 9989 §4.10.
pub fn tree_walk(domain: &Name) -> Vec<Name> {
    steps(domain).filter_map(|domain| domain.prepend(LABEL).ok()).collect()
}

/// Says which record applies to mail of `author`, which exists unless the DNS said NXDOMAIN.
///
/// `found` holds what stands at the `_dmarc.` names: no texts where there are none. A name that
/// could not be asked must be left out, for an error is not an absence.
/// A record void for its policy still ends the walk and marks an organizational domain by its `psd`.
///
/// Source: RFC 9989 §4.10, §4.10.1, §4.10.2.
pub fn discover(author: &Name, author_exists: bool, found: &[&Found]) -> Discovery {
    let walk = Walk::read(author, found);
    let organizational_domain = walk.organizational_domain();
    let scope = if author_exists { Scope::Subdomain } else { Scope::NonexistentSubdomain };
    let policy = match (walk.at(author), &walk.unanswered, &organizational_domain) {
        (Some(own), _, _) => own.apply(|record| Applicable::Own(Arc::clone(record))),
        (None, Some(asked), _) => Applicable::Unanswered(asked.clone()),
        (None, None, above) => {
            let above = above.as_ref().and_then(|domain| walk.at(domain)).or_else(|| walk.public_suffix());
            above.map_or(Applicable::None, |above| {
                above.apply(|record| Applicable::Inherited {
                    domain: above.domain.clone(),
                    record: Arc::clone(record),
                    tag: record.policy_tag(scope),
                })
            })
        }
    };
    Discovery { policy, organizational_domain, repeated_at: walk.repeated_at }
}

/// Returns the organizational domain of any name; `None` where an answer is missing from `found`.
///
/// `found` is as for [`discover`]. Two names align when this is the same for both.
///
/// Source: RFC 9989 §4.10.2.
pub fn organizational_domain(domain: &Name, found: &[&Found]) -> Option<Name> {
    Walk::read(domain, found).organizational_domain()
}

/// Returns the domains of a walk.
fn steps(domain: &Name) -> impl Iterator<Item = Name> {
    let parents = domain.label_count().saturating_sub(1).min(MAX_PARENT_LABELS);
    let own = iter::once(domain.clone()).filter(|domain| domain.label_count() > 0);
    own.chain((1..=parents).rev().map(|labels| domain.last_labels(labels)))
}

/// A tree walk through records that were found.
struct Walk<'f> {
    /// Where it started.
    start: Name,
    /// What stands along it, one record a domain, longest domain first.
    stops: Vec<Stop<'f>>,
    /// The domains whose records are void because there are several.
    repeated_at: Vec<Name>,
    /// The name without an answer that the walk ended at.
    unanswered: Option<Name>,
}

/// A domain with exactly one policy record.
struct Stop<'f> {
    /// The domain.
    domain: Name,
    /// Its record.
    record: &'f Arc<DmarcRecord>,
    /// Why receivers leave DMARC off, if they do.
    flaw: &'f Option<ParseError>,
}

impl<'f> Walk<'f> {
    /// Walks from `start` to the top, to a record that says `psd`, or to a name without an answer.
    fn read(start: &Name, found: &[&'f Found]) -> Self {
        let mut walk = Self { start: start.clone(), stops: Vec::new(), repeated_at: Vec::new(), unanswered: None };
        for domain in steps(start) {
            let Some(found) = found.iter().find(|found| found.is_of(&domain)) else {
                // Where there is no room for the label, nothing can stand.
                let Ok(asked) = domain.prepend(LABEL) else { continue };
                walk.unanswered = Some(asked);
                break;
            };
            match found.policies() {
                Policies::None => {}
                Policies::One(record, flaw) => {
                    walk.stops.push(Stop { domain, record, flaw });
                    if record.public_suffix != PublicSuffix::Unknown {
                        break;
                    }
                }
                Policies::Several => walk.repeated_at.push(domain),
            }
        }
        walk
    }

    /// Returns what stands at `domain`.
    fn at(&self, domain: &Name) -> Option<&Stop<'f>> {
        self.stops.iter().find(|stop| stop.domain == *domain)
    }

    /// Returns the public suffix that the walk ended at.
    fn public_suffix(&self) -> Option<&Stop<'f>> {
        self.stops.last().filter(|stop| stop.record.public_suffix == PublicSuffix::Yes)
    }

    /// Says where the organization begins, unless an answer is missing.
    fn organizational_domain(&self) -> Option<Name> {
        if self.unanswered.is_some() {
            return None;
        }
        Some(match self.stops.last() {
            Some(stop) if stop.record.public_suffix == PublicSuffix::Yes && stop.domain != self.start => {
                self.start.last_labels(stop.domain.label_count() + 1)
            }
            Some(stop) => stop.domain.clone(),
            None => self.start.clone(),
        })
    }
}

impl Stop<'_> {
    /// Applies the record, unless it is unusable.
    fn apply(&self, policy: impl FnOnce(&Arc<DmarcRecord>) -> Applicable) -> Applicable {
        match self.flaw {
            None => policy(self.record),
            Some(error) => Applicable::Unusable { domain: self.domain.clone(), error: error.clone() },
        }
    }
}
