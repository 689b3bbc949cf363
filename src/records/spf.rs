//! The SPF record of a domain: who may send for it (RFC 7208).
//!
//! Reads and writes one record, and says which names it still needs; [`evaluation`] is `check_host()`. Asks nothing.

mod edit;
pub mod evaluation;
mod macro_string;
mod parse;
pub mod survey;
mod term;
#[cfg(test)]
mod tests;

use std::fmt;

pub use edit::merge;
pub use macro_string::{DomainSpec, Macro, MacroString, Piece};
pub use parse::{ErrorKind, ParseError, parse};
pub use term::{DualCidr, Mechanism, Qualifier, Term, TermKind};

use crate::dns::name::Name;

/// What an SPF record starts with (RFC 7208 §4.5).
const VERSION: &str = "v=spf1";

/// Tells whether a TXT record is an SPF record: `v=spf1`, then a blank or the end.
///
/// Source: RFC 7208 §4.5; letters in either case.
pub fn is_spf(text: &[u8]) -> bool {
    match text.split_at_checked(VERSION.len()) {
        Some((version, rest)) => {
            version.eq_ignore_ascii_case(VERSION.as_bytes()) && matches!(rest.first(), None | Some(b' '))
        }
        None => false,
    }
}

/// An SPF record whose every term is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpfRecord {
    /// The terms as written; at most one `redirect` and one `exp`.
    terms: Vec<Term>,
}

/// A name that an SPF record sends its evaluator to, and what is asked there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededName {
    /// The name.
    pub name: Name,
    /// What is asked there.
    pub need: Need,
}

/// What an SPF evaluation asks at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The TXT records, for an SPF record among them (`include`, `redirect`).
    Spf,
    /// The A and AAAA records (`a`).
    Addresses,
    /// The MX records, and then the addresses of the exchangers (`mx`).
    Exchangers,
    /// The A records, whatever they hold (`exists`).
    Existence,
}

impl SpfRecord {
    /// Returns all terms in the order written; may be empty.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Returns the terms that can have an effect: no mechanism after `all`, no `redirect` beside it.
    ///
    /// Source: RFC 7208 §5.1.
    pub fn live_terms(&self) -> impl Iterator<Item = &Term> {
        let all_at = self.terms.iter().position(|term| term.kind.is_all());
        self.terms.iter().enumerate().filter_map(move |(index, term)| {
            let is_live = match term.kind {
                TermKind::Directive(..) => all_at.is_none_or(|at| index <= at),
                TermKind::Redirect(_) => all_at.is_none(),
                TermKind::Explanation(_) | TermKind::UnknownModifier { .. } => true,
            };
            is_live.then_some(term)
        })
    }

    /// Returns the qualifier of the first `all`, the only one with an effect.
    pub fn all(&self) -> Option<Qualifier> {
        self.terms.iter().find_map(|term| match term.kind {
            TermKind::Directive(qualifier, Mechanism::All) => Some(qualifier),
            _ => None,
        })
    }

    /// Returns the target of `redirect`, be it with effect or not.
    pub fn redirect(&self) -> Option<&DomainSpec> {
        self.terms.iter().find_map(|term| match &term.kind {
            TermKind::Redirect(domain) => Some(domain),
            _ => None,
        })
    }

    /// Returns the target of `exp`.
    pub fn explanation(&self) -> Option<&DomainSpec> {
        self.terms.iter().find_map(|term| match &term.kind {
            TermKind::Explanation(domain) => Some(domain),
            _ => None,
        })
    }

    /// Returns the names of live `include` terms in the order written; leaves out targets with macros.
    pub fn includes(&self) -> impl Iterator<Item = Name> {
        self.live_terms().filter_map(|term| match &term.kind {
            TermKind::Directive(_, Mechanism::Include(domain)) => domain.name(),
            _ => None,
        })
    }

    /// Counts the live terms that ask the DNS; those of included records are not among them.
    ///
    /// Source: RFC 7208 §4.6.4, which allows ten over the whole tree.
    pub fn lookup_terms(&self) -> usize {
        self.live_terms().filter(|term| term.kind.is_lookup()).count()
    }

    /// Returns the names that an evaluation for `domain` asks, in the order written.
    ///
    /// Leaves out targets with macros, which depend on the message, and `ptr` and `exp`.
    pub fn names_needed(&self, domain: &Name) -> Vec<NeededName> {
        let needed = |name: Option<Name>, need| name.map(|name| NeededName { name, need });
        let or_own = |spec: &Option<DomainSpec>| spec.as_ref().map_or_else(|| Some(domain.clone()), DomainSpec::name);
        self.live_terms()
            .filter_map(|term| match &term.kind {
                TermKind::Redirect(spec) | TermKind::Directive(_, Mechanism::Include(spec)) => {
                    needed(spec.name(), Need::Spf)
                }
                TermKind::Directive(_, Mechanism::A(spec, _)) => needed(or_own(spec), Need::Addresses),
                TermKind::Directive(_, Mechanism::Mx(spec, _)) => needed(or_own(spec), Need::Exchangers),
                TermKind::Directive(_, Mechanism::Exists(spec)) => needed(spec.name(), Need::Existence),
                _ => None,
            })
            .collect()
    }
}

/// Writes the record with single blanks, without `+` and without prefixes as long as the address.
impl fmt::Display for SpfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION)?;
        self.terms.iter().try_for_each(|term| write!(f, " {term}"))
    }
}
