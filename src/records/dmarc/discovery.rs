//! Finds the policy record that speaks for a name, and the organizational domain above it (RFC 9989 §4.10).

use std::iter;

use super::parse::{ParseError, is_dmarc, read};
use super::{DmarcRecord, PolicyTag, PublicSuffix, Scope};
use crate::dns::name::Name;

/// The label below which policy records stand (RFC 9989 §4.10).
const LABEL: &str = "_dmarc";
/// Most labels of the second name that is asked: with the first one, eight questions (RFC 9989 §4.10).
const MAX_PARENT_LABELS: usize = 7;

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
    Own(DmarcRecord),
    /// A policy of a domain above: the organizational domain or a public suffix.
    Inherited {
        /// The domain above.
        domain: Name,
        /// The record there.
        record: DmarcRecord,
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
    steps(domain).map(|(_, asked)| asked).collect()
}

/// Says which record applies to mail of `author`, which exists unless the DNS said NXDOMAIN.
///
/// `found` holds, by `_dmarc.` name, the joined TXT records there: an empty list where there are none. A name that
/// could not be asked must be left out, for an error is not an absence.
/// A record void for its policy still ends the walk and marks an organizational domain by its `psd`.
///
/// Source: RFC 9989 §4.10, §4.10.1, §4.10.2.
pub fn discover(author: &Name, author_exists: bool, found: &[(Name, Vec<Vec<u8>>)]) -> Discovery {
    let walk = Walk::read(author, found);
    let organizational_domain = walk.organizational_domain();
    let scope = if author_exists { Scope::Subdomain } else { Scope::NonexistentSubdomain };
    let policy = match (walk.at(author), &walk.unanswered, &organizational_domain) {
        (Some(own), _, _) => own.apply(|record| Applicable::Own(record.clone())),
        (None, Some(asked), _) => Applicable::Unanswered(asked.clone()),
        (None, None, above) => {
            let above = above.as_ref().and_then(|domain| walk.at(domain)).or_else(|| walk.public_suffix());
            above.map_or(Applicable::None, |above| {
                above.apply(|record| Applicable::Inherited {
                    domain: above.domain.clone(),
                    record: record.clone(),
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
pub fn organizational_domain(domain: &Name, found: &[(Name, Vec<Vec<u8>>)]) -> Option<Name> {
    Walk::read(domain, found).organizational_domain()
}

/// Returns the domains of a walk, each with the name that is asked for it.
fn steps(domain: &Name) -> impl Iterator<Item = (Name, Name)> {
    let parents = domain.label_count().saturating_sub(1).min(MAX_PARENT_LABELS);
    iter::once(domain.clone())
        .filter(|domain| domain.label_count() > 0)
        .chain((1..=parents).rev().map(|labels| domain.last_labels(labels)))
        .filter_map(|domain| Some((domain.clone(), domain.prepend(LABEL).ok()?)))
}

/// A tree walk through records that were found.
struct Walk {
    /// Where it started.
    start: Name,
    /// What stands along it, one record a domain, longest domain first.
    stops: Vec<Stop>,
    /// The domains whose records are void because there are several.
    repeated_at: Vec<Name>,
    /// The name without an answer that the walk ended at.
    unanswered: Option<Name>,
}

/// A domain with exactly one policy record.
struct Stop {
    /// The domain.
    domain: Name,
    /// Its record.
    record: DmarcRecord,
    /// Why receivers leave DMARC off, if they do.
    flaw: Option<ParseError>,
}

impl Walk {
    /// Walks from `start` to the top, to a record that says `psd`, or to a name without an answer.
    fn read(start: &Name, found: &[(Name, Vec<Vec<u8>>)]) -> Self {
        let mut walk = Self { start: start.clone(), stops: Vec::new(), repeated_at: Vec::new(), unanswered: None };
        for (domain, asked) in steps(start) {
            let Some((_, texts)) = found.iter().find(|(name, _)| *name == asked) else {
                walk.unanswered = Some(asked);
                break;
            };
            let texts: Vec<_> = texts.iter().filter(|text| is_dmarc(text)).collect();
            match texts.as_slice() {
                [] => {}
                [text] => {
                    let Some((record, flaw)) = read(text) else { continue };
                    let is_last = record.public_suffix != PublicSuffix::Unknown;
                    walk.stops.push(Stop { domain, record, flaw });
                    if is_last {
                        break;
                    }
                }
                _ => walk.repeated_at.push(domain),
            }
        }
        walk
    }

    /// Returns what stands at `domain`.
    fn at(&self, domain: &Name) -> Option<&Stop> {
        self.stops.iter().find(|stop| stop.domain == *domain)
    }

    /// Returns the public suffix that the walk ended at.
    fn public_suffix(&self) -> Option<&Stop> {
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

impl Stop {
    /// Applies the record, unless it is unusable.
    fn apply(&self, policy: impl FnOnce(&DmarcRecord) -> Applicable) -> Applicable {
        match &self.flaw {
            None => policy(&self.record),
            Some(error) => Applicable::Unusable { domain: self.domain.clone(), error: error.clone() },
        }
    }
}
