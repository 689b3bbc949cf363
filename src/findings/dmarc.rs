//! The DMARC policy of the domain: its own, or that of a domain above by the tree walk (RFC 9989 §4.10).

use std::collections::BTreeSet;

use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Evidence, Observation};
use crate::expectation::{Expectation, ExpectedRecord, RecordKind};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::delegation::not_registered;
use crate::findings::finding::{Argument, Finding, JudgedRecord};
use crate::findings::status::standing;
use crate::findings::txt::{Texts, records_found, texts_at, texts_from};
use crate::findings::view::{View, Views};
use crate::records::dmarc::{
    Applicable, DmarcRecord, Problem, PublicSuffix, Scope, discover, is_dmarc, parse, tree_walk,
};

/// Judges the DMARC records that are expected, in the expectation's order.
///
/// Right is a policy that receivers use, the domain's own or one above. A record at the domain's own name that
/// receivers cannot use is wrong, whatever applies in its place. Where a name of the tree walk could not be asked and
/// the policy may hang on it, nothing is known.
///
/// Arguments: `name`, where the record in question stands; with `dmarc_inherited` `inherited_from`, `policy` (what
/// receivers apply) and `tag` (where it comes from); with `dmarc_syntax` `record` and `problem`; with `dmarc_multiple`
/// `count`.
pub(super) fn judge(expectation: &Expectation, evidence: &Evidence) -> (Vec<JudgedRecord>, Vec<Finding>) {
    let (mut records, mut findings) = (Vec::new(), Vec::new());
    for record in expectation.of_kind(RecordKind::Dmarc) {
        let views = views(expectation, evidence, record);
        let own = evidence.observations(&record.question());
        let told = views.findings();
        let above = told.iter().find(|finding| finding.code == Code::DmarcInherited).and_then(place);
        let inherited = above.map(|asked| evidence.observations(&txt(&asked))).unwrap_or_default();
        records.push(
            views.judged(records_found(own.into_iter().chain(inherited), |text| is_dmarc(text) || is_near_miss(text))),
        );
        findings.extend(told);
    }
    (records, findings)
}

/// Returns the questions that it still takes to know whose policy applies; sorted, each once, empty where everything
/// is known or was asked in vain.
///
/// Names of registries come last, and only where none below them has a policy.
#[must_use]
pub fn names_still_needed(expectation: &Expectation, evidence: &Evidence) -> Vec<Question> {
    if not_registered(expectation, evidence).is_some() {
        return Vec::new();
    }
    let mut needed = BTreeSet::new();
    for record in expectation.of_kind(RecordKind::Dmarc) {
        for seen in evidence.observations(&record.question()) {
            match texts_from(evidence, seen) {
                Texts::Ask(question) => {
                    needed.insert(question);
                }
                Texts::Known(texts) if !texts.iter().any(|text| is_dmarc(text) || is_near_miss(text)) => {
                    needed
                        .extend(record.name.parent().map(|domain| above(evidence, &domain).needed).unwrap_or_default());
                }
                Texts::Known(_) | Texts::Unknown => {}
            }
        }
    }
    needed.into_iter().collect()
}

/// Reads what every server says of the record.
pub(super) fn views<'r, 'e>(
    expectation: &Expectation,
    evidence: &'e Evidence,
    record: &'r ExpectedRecord,
) -> Views<'r, 'e> {
    let exists = !is_nonexistent(evidence, &expectation.domain);
    let has_own = evidence.observations(&record.question()).into_iter().any(|seen| has_own_policy(evidence, seen));
    Views::read(evidence, record, |seen| match (texts_from(evidence, seen), record.name.parent()) {
        (Texts::Known(texts), Some(domain)) => Author { evidence, record, domain, exists, has_own }.view(texts),
        _ => View::Unknown,
    })
}

/// Says whether the servers say NXDOMAIN of the domain itself, where it was asked for.
fn is_nonexistent(evidence: &Evidence, domain: &Name) -> bool {
    let is_nxdomain = |seen: &Observation| matches!(seen.response(), Some(Response::NxDomain(_)));
    let standing = standing(evidence, &txt(domain), is_nxdomain);
    standing.is_checkable() && standing.other.is_empty()
}

/// Says whether a server has one policy record for the domain's own name that receivers use.
fn has_own_policy(evidence: &Evidence, seen: &Observation) -> bool {
    let Texts::Known(texts) = texts_from(evidence, seen) else { return false };
    let mut policies = texts.iter().filter(|text| is_dmarc(text));
    policies.next().is_some_and(|text| parse(text).is_ok()) && policies.next().is_none()
}

/// Returns the question for the TXT records of a name.
fn txt(name: &Name) -> Question {
    Question::new(name.clone(), RecordType::TXT)
}

/// Returns where the record that a finding is about stands.
fn place(finding: &Finding) -> Option<Name> {
    match finding.arguments.get("name") {
        Some(Argument::Name(name)) => Some(name.clone()),
        _ => None,
    }
}

/// Says whether a text is meant as a policy record and is none: `v` is not first, or its letters are wrong (RFC 9989 §4.7).
fn is_near_miss(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    !is_dmarc(text) && lower.windows(b"dmarc1".len()).any(|window| window == b"dmarc1")
}

/// A domain whose policy is wanted.
struct Author<'a> {
    /// What was seen.
    evidence: &'a Evidence,
    /// The record that is expected.
    record: &'a ExpectedRecord,
    /// The domain.
    domain: Name,
    /// Whether it exists.
    exists: bool,
    /// Whether one of its servers at least has a policy of its own, so that one without lacks it.
    has_own: bool,
}

impl Author<'_> {
    /// Judges the TXT records that one server has at the domain's own name.
    fn view(&self, own: Vec<Vec<u8>>) -> View {
        let policies: Vec<&Vec<u8>> = own.iter().filter(|text| is_dmarc(text)).collect();
        match policies.as_slice() {
            [] => {
                if let Some(text) = own.iter().find(|text| is_near_miss(text)) {
                    return self.broken(&self.record.name, text, "it does not start with v=DMARC1".to_owned());
                }
            }
            [_] => {}
            several => return self.repeated(&self.record.name, several.len()),
        }
        let own_text = policies.first().map(|text| (*text).clone());
        let mut found = vec![(self.record.name.clone(), own)];
        found.extend(above(self.evidence, &self.domain).found);
        let discovery = discover(&self.domain, self.exists, &found);
        match discovery.policy {
            Applicable::Own(record) => View::Right(self.flaws(&record, own_text.as_deref().unwrap_or_default())),
            Applicable::Inherited { domain, record, tag } => match self.inherited(domain, &record, &tag.to_string()) {
                Some(inherited) if self.has_own => View::Wrong(Box::new(inherited)),
                inherited => View::Right(inherited.into_iter().collect()),
            },
            Applicable::Unusable { domain, error } => {
                let place = domain.prepend("_dmarc").unwrap_or(domain);
                let texts = found.iter().find(|(name, _)| *name == place).map(|(_, texts)| texts.as_slice());
                let text = texts.unwrap_or_default().iter().find(|text| is_dmarc(text)).cloned().unwrap_or_default();
                self.broken(&place, &text, error.to_string())
            }
            Applicable::None => match discovery.repeated_at.first().and_then(|domain| domain.prepend("_dmarc").ok()) {
                Some(place) => {
                    let texts = found.iter().find(|(name, _)| *name == place).map(|(_, texts)| texts.as_slice());
                    self.repeated(&place, texts.unwrap_or_default().iter().filter(|text| is_dmarc(text)).count())
                }
                None => View::Wrong(Box::new(self.finding(Code::DmarcAbsent, &self.record.name))),
            },
            Applicable::Unanswered(_) => View::Unknown,
        }
    }

    /// Starts a finding about a record at `place`.
    fn finding(&self, code: Code, place: &Name) -> Finding {
        let severity = if self.record.is_required { Severity::Error } else { code.severity() };
        let finding =
            Finding::new(code, self.record).with_severity(severity).with("name", Argument::Name(place.clone()));
        let is_own = *place == self.record.name;
        if is_own { finding } else { finding.proven_by(&txt(place), self.evidence.observations(&txt(place))) }
    }

    /// Says that the record at `place` is none that receivers use.
    fn broken(&self, place: &Name, text: &[u8], problem: String) -> View {
        let finding = self.finding(Code::DmarcSyntax, place);
        View::Wrong(Box::new(
            finding
                .with("record", Argument::Text(text.escape_ascii().to_string()))
                .with("problem", Argument::Text(problem)),
        ))
    }

    /// Says that there are several records at `place`, so that none counts (RFC 9989 §4.10).
    fn repeated(&self, place: &Name, count: usize) -> View {
        let count = Argument::Number(u64::try_from(count).unwrap_or(u64::MAX));
        View::Wrong(Box::new(self.finding(Code::DmarcMultiple, place).with("count", count)))
    }

    /// Tells what receivers skip in a record that they use: a warning where it is a policy, else a notice.
    fn flaws(&self, record: &DmarcRecord, text: &[u8]) -> Vec<Finding> {
        let is_policy = |problem: &&Problem| matches!(problem, Problem::BadValue { tag: "p" | "sp" | "np", .. });
        let severe = record.problems.iter().find(is_policy);
        let Some(problem) = severe.or(record.problems.first()) else { return Vec::new() };
        let severity = if severe.is_some() { Severity::Warning } else { Severity::Notice };
        let finding = self
            .finding(Code::DmarcSyntax, &self.record.name)
            .with_severity(severity)
            .with("record", Argument::Text(text.escape_ascii().to_string()))
            .with("problem", Argument::Text(problem.to_string()));
        vec![finding]
    }

    /// Tells whose policy the domain takes, and which.
    fn inherited(&self, from: Name, record: &DmarcRecord, tag: &str) -> Option<Finding> {
        let scope = if self.exists { Scope::Subdomain } else { Scope::NonexistentSubdomain };
        let place = from.prepend("_dmarc").ok()?;
        let finding = self.finding(Code::DmarcInherited, &place).with_severity(Code::DmarcInherited.severity());
        Some(
            finding
                .with("inherited_from", Argument::Name(from))
                .with("policy", Argument::Text(record.effective_policy(scope).to_string()))
                .with("tag", Argument::Text(tag.to_owned())),
        )
    }
}

/// What is known of the names above a domain.
#[derive(Default)]
struct Above {
    /// The texts at the names that were asked.
    found: Vec<(Name, Vec<Vec<u8>>)>,
    /// What is to be asked next.
    needed: Vec<Question>,
}

/// Reads the tree walk from the name above `domain` on.
///
/// The name of a registry is asked where no domain below has a policy, and after those. Where one has, the registry
/// counts as having none: its record could only matter if it claimed to be the organization of all that it registered.
fn above(evidence: &Evidence, domain: &Name) -> Above {
    let mut above = Above::default();
    let (mut has_policy, mut is_open) = (false, false);
    for asked in tree_walk(domain).into_iter().skip(1) {
        let of_registry = asked.parent().is_some_and(|domain| is_registry(&domain));
        match texts_at(evidence, &asked) {
            Texts::Known(texts) => {
                let mut policies = texts.iter().filter(|text| is_dmarc(text));
                let sole = policies.next().filter(|_| policies.next().is_none()).cloned();
                above.found.push((asked, texts));
                has_policy |= sole.is_some();
                // The walk ends at a record that says whether it is a public suffix's (RFC 9989 §4.10).
                let public_suffix = sole.and_then(|text| parse(&text).ok()).map(|record| record.public_suffix);
                if public_suffix.is_some_and(|says| says != PublicSuffix::Unknown) {
                    break;
                }
            }
            _ if of_registry && has_policy => above.found.push((asked, Vec::new())),
            _ if of_registry && is_open => {}
            Texts::Ask(question) => {
                is_open = true;
                above.needed.push(question);
            }
            Texts::Unknown => is_open = true,
        }
    }
    above
}

#[cfg(test)]
mod tests;
