//! Writes the SPF record that a domain should have instead: with one more include, or one made of several.

use super::macro_string::DomainSpec;
use super::term::{Mechanism, Qualifier, TermKind};
use super::{SpfRecord, VERSION};

impl SpfRecord {
    /// Writes the record with `include:domain` before `all`, else before `redirect`, else at the end.
    ///
    /// The record stays as it is where a live include of `domain` already lets it pass.
    pub fn with_include(&self, domain: &DomainSpec) -> String {
        let include = TermKind::Directive(Qualifier::Pass, Mechanism::Include(domain.clone()));
        let terms: Vec<&TermKind> = self.terms.iter().map(|term| &term.kind).collect();
        if self.live_terms().any(|term| key(&term.kind) == key(&include)) {
            return write(&terms);
        }
        let is_redirect = |kind: &&TermKind| matches!(kind, TermKind::Redirect(_));
        let at = terms.iter().position(|kind| kind.is_all()).or_else(|| terms.iter().position(is_redirect));
        let (before, after) = terms.split_at(at.unwrap_or(terms.len()));
        write(&[before, &[&include], after].concat())
    }

    /// Writes the record with one `all` behind all other mechanisms, `~all` where it had none or a milder one.
    ///
    /// A `redirect` beside an `all` had no effect and goes; alone it stays and needs no `all`. So mechanisms that had no
    /// effect behind an `all` come into effect.
    pub fn tidied(&self) -> String {
        let all = match (self.all(), self.redirect()) {
            (Some(strict), _) if strict >= Qualifier::SoftFail => Some(strict),
            (None, Some(_)) => None,
            _ => Some(Qualifier::SoftFail),
        };
        let all = all.map(|qualifier| TermKind::Directive(qualifier, Mechanism::All));
        let kinds = || self.terms.iter().map(|term| &term.kind);
        let mechanisms = kinds().filter(|kind| matches!(kind, TermKind::Directive(..)) && !kind.is_all());
        let modifiers = kinds().filter(|kind| match kind {
            TermKind::Directive(..) => false,
            TermKind::Redirect(_) => all.is_none(),
            TermKind::Explanation(_) | TermKind::UnknownModifier { .. } => true,
        });
        let terms: Vec<&TermKind> = mechanisms.chain(&all).chain(modifiers).collect();
        write(&terms)
    }
}

/// Writes the one record that stands for several at one name; `None` where there are none.
///
/// - Mechanisms come in the order written, record by record, each once; those after an `all` had no effect and go.
/// - The strictest `all` of them is kept, at the end of the mechanisms.
/// - A `redirect` beside an `all` of its own record had no effect and goes. If another record has an `all`, or
///   redirects elsewhere, it becomes an `include` in its place, which lets the same senders pass.
/// - The first `exp` is kept, and every unknown modifier once.
///
/// The result may need more lookups than are allowed: count them anew.
pub fn merge(records: &[SpfRecord]) -> Option<String> {
    if records.is_empty() {
        return None;
    }
    let all = records.iter().filter_map(SpfRecord::all).max();
    let kept_redirect = if all.is_some() { None } else { sole_redirect(records) };
    let (mut mechanisms, mut modifiers) = (Vec::new(), Vec::new());
    for term in records.iter().flat_map(SpfRecord::live_terms) {
        match &term.kind {
            kind if kind.is_all() => {}
            TermKind::Directive(..) => mechanisms.push(term.kind.clone()),
            TermKind::Redirect(_) if kept_redirect.is_some() => modifiers.push(term.kind.clone()),
            TermKind::Redirect(domain) => {
                mechanisms.push(TermKind::Directive(Qualifier::Pass, Mechanism::Include(domain.clone())));
            }
            TermKind::Explanation(_) if modifiers.iter().any(|kind| matches!(kind, TermKind::Explanation(_))) => {}
            TermKind::Explanation(_) | TermKind::UnknownModifier { .. } => modifiers.push(term.kind.clone()),
        }
    }
    mechanisms.extend(all.map(|qualifier| TermKind::Directive(qualifier, Mechanism::All)));
    mechanisms.extend(modifiers);
    Some(write(&each_once(&mechanisms)))
}

/// Returns where `records` redirect to, if they all redirect to one place or not at all.
fn sole_redirect(records: &[SpfRecord]) -> Option<&DomainSpec> {
    let mut targets = records.iter().filter_map(SpfRecord::redirect);
    let first = targets.next()?;
    targets.all(|target| target == first).then_some(first)
}

/// Drops terms that were there before.
fn each_once(terms: &[TermKind]) -> Vec<&TermKind> {
    let mut seen = std::collections::BTreeSet::new();
    terms.iter().filter(|kind| seen.insert(key(kind))).collect()
}

/// Returns what two terms that do the same have in common: all but case, which matters in macros only, and a final dot.
fn key(kind: &TermKind) -> String {
    let text = kind.to_string();
    let text = text.strip_suffix('.').unwrap_or(&text);
    if text.contains('%') { text.to_owned() } else { text.to_ascii_lowercase() }
}

/// Writes a record of `terms`.
fn write(terms: &[&TermKind]) -> String {
    terms.iter().fold(VERSION.to_owned(), |text, term| text + " " + &term.to_string())
}
