//! The DMARC policy of the domain: its own, or that of a domain above by the tree walk (RFC 9989 §4.10).

mod alignment;
mod around;
pub mod assess;
mod told;

use std::collections::BTreeSet;

use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Evidence, Observation};
use crate::expectation::{Depth, Expectation, ExpectedRecord, RecordKind};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::delegation::not_registered;
pub use crate::findings::dmarc::alignment::Legs;
use crate::findings::dmarc::alignment::{Alignment, ends_walk};
use crate::findings::dmarc::around::{Around, Read};
use crate::findings::dmarc::told::{Told, is_near_miss};
use crate::findings::finding::{Argument, Finding, JudgedRecord, RecordStatus, Subject};
use crate::findings::status::standing;
use crate::findings::txt::{Texts, records_found, texts_at, texts_from};
use crate::findings::view::{View, Views};
use crate::records::dmarc::{Applicable, DmarcRecord, Scope, discover, is_dmarc, parse, tree_walk};

/// Judges the DMARC records that are expected, in the expectation's order.
///
/// Right is a policy that receivers use, the domain's own or one above. A record at the domain's own name that
/// receivers cannot use is wrong, whatever applies in its place. Where a name of the tree walk could not be asked and
/// the policy may hang on it, nothing is known.
///
/// Arguments: `name`, where the record in question stands or belongs; with `dmarc_inherited` `inherited_from`, `policy`
/// (what receivers apply) and `tag` (where it comes from); with `dmarc_syntax` `record` and `problem`; with
/// `dmarc_multiple` `count`; with `dmarc_wrong_place` `typed`, where the record stands; the others as in [`told`] and
/// [`around()`].
pub(super) fn judge(expectation: &Expectation, evidence: &Evidence) -> (Vec<JudgedRecord>, Vec<Finding>) {
    let (mut records, mut findings) = (Vec::new(), Vec::new());
    for record in expectation.of_kind(RecordKind::Dmarc) {
        let views = views(expectation, evidence, record);
        let own = evidence.observations(&record.question());
        let mut told = views.findings();
        told.extend(further(expectation, evidence, record, &views).0);
        let elsewhere = told.iter().filter_map(|finding| match finding.code {
            Code::DmarcInherited => finding.name("name"),
            Code::DmarcWrongPlace => finding.name("typed"),
            _ => None,
        });
        let elsewhere = elsewhere.flat_map(|name| evidence.observations(&txt(name)));
        records.push(
            views.judged(records_found(own.iter().chain(elsewhere), |text| is_dmarc(text) || is_near_miss(text))),
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
        let mut last: Option<&Observation> = None;
        let mut is_own = true;
        for seen in evidence.observations(&record.question()) {
            // Most servers say what the one before said.
            if last.replace(seen).is_some_and(|last| last.response() == seen.response()) {
                continue;
            }
            match texts_from(evidence, seen) {
                Texts::Ask(question) => {
                    needed.insert(question);
                }
                Texts::Known(texts) if !texts.iter().any(|text| is_dmarc(text) || is_near_miss(text)) => {
                    is_own = false;
                    needed
                        .extend(record.name.parent().map(|domain| above(evidence, &domain).needed).unwrap_or_default());
                }
                Texts::Known(_) => {}
                Texts::Unknown => is_own = false,
            }
        }
        // At depth quick a policy that all servers have costs no more questions.
        if needed.is_empty() && (expectation.depth == Depth::Full || !is_own) {
            needed.extend(further(expectation, evidence, record, &views(expectation, evidence, record)).1);
        }
    }
    needed.into_iter().collect()
}

/// Looks beside and behind the policy that applies, where that is known: what is worth telling of a right record, and
/// what stands in place of one that is not there. Returns that, and the questions that it still takes.
///
/// At depth quick only a policy that is not there, or other texts in its place, cost questions.
fn further(
    expectation: &Expectation,
    evidence: &Evidence,
    record: &ExpectedRecord,
    views: &Views<'_, '_>,
) -> (Vec<Finding>, Vec<Question>) {
    let (Some(domain), Texts::Known(own)) = (record.name.parent(), texts_at(evidence, &record.name)) else {
        return Default::default();
    };
    let around = around(evidence, record, &domain);
    let mut needed = Vec::new();
    let mut read = |name: &Name| match texts_at(evidence, name) {
        Texts::Known(texts) => Some(texts),
        Texts::Ask(question) => {
            needed.push(question);
            None
        }
        Texts::Unknown => None,
    };
    let mut told: Vec<Told> = Vec::new();
    let is_meant = own.iter().any(|text| is_dmarc(text) || is_near_miss(text));
    let status = views.status().0;
    if status == RecordStatus::Absent {
        // The views tell of it themselves; here it only matters what they need to read.
        around.wrong_place(&mut read);
    }
    if !is_meant && !matches!(status, RecordStatus::Inconsistent | RecordStatus::UnableToCheck) {
        told.extend(around.wildcard(&own, &mut read));
    }
    if status == RecordStatus::Ok {
        told.extend(behind(expectation, evidence, record, &around, &own, &mut read));
    }
    (told.into_iter().map(|told| proven(told, evidence)).collect(), needed)
}

/// Tells what is worth knowing of the policy that applies, be it the domain's own or one above; `own` are the texts at
/// the domain's own name.
fn behind(
    expectation: &Expectation,
    evidence: &Evidence,
    record: &ExpectedRecord,
    around: &Around<'_>,
    own: &[Vec<u8>],
    read: &mut Read<'_>,
) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let is_full = expectation.depth == Depth::Full;
    let exists = !is_nonexistent(evidence, &expectation.domain);
    let mut found = vec![(record.name.clone(), own.to_vec())];
    let mut discovery = discover(around.domain, exists, &found);
    // Whose organization it is matters only beside another name than the domain's own.
    let is_wanted = is_full || expectation.mail_from.is_some();
    if is_wanted || matches!(discovery.policy, Applicable::Unanswered(_)) {
        found.extend(above(evidence, around.domain).found);
        discovery = discover(around.domain, exists, &found);
    }
    let (subject, author) = (&around.subject, &expectation.domain);
    let organization = discovery.organizational_domain.as_ref();
    let alignment = Alignment { author, legs: legs(expectation), organization, found: &found };
    // At depth quick nothing is asked for it: a name below the domain is taken to belong to its organization.
    let align = |place: &Name, policy: &DmarcRecord, read: &mut Read<'_>| match is_full {
        true => alignment.judge(subject, place, policy, read),
        false => alignment.judge(subject, place, policy, &mut |_| None),
    };
    match &discovery.policy {
        Applicable::Own(policy) => {
            let text = own.iter().find(|text| is_dmarc(text)).map(Vec::as_slice).unwrap_or_default();
            told.extend(told::old_tags(subject, &record.name, policy, text));
            told.extend(told::test_mode(subject, &record.name, policy, Scope::OwnName));
            told.extend(align(&record.name, policy, read));
            told.extend(alias(evidence, record, subject));
            if is_full {
                told.extend(around.wildcard(own, read));
                told.extend(around.unauthorised(policy, organization, read));
            }
        }
        Applicable::Inherited { domain: from, record: policy, .. } => {
            let place = from.prepend("_dmarc").unwrap_or_else(|_| from.clone());
            let scope = if exists { Scope::Subdomain } else { Scope::NonexistentSubdomain };
            told.extend(told::test_mode(subject, &place, policy, scope));
            told.extend(align(&place, policy, read));
            told.extend(organization.and_then(|domain| told::psl_disagrees(subject, &place, author, domain, "policy")));
            if is_full {
                told.extend(around.wrong_place(read));
            }
        }
        _ => {}
    }
    told
}

/// Puts together what is around the policy of a domain.
fn around<'a>(evidence: &'a Evidence, record: &'a ExpectedRecord, domain: &'a Name) -> Around<'a> {
    Around {
        domain,
        place: &record.name,
        zone: evidence.zone_of(domain).or_else(|| evidence.zone_of(&record.name)).map(|cut| cut.zone.clone()),
        probe_label: &evidence.probe_label,
        subject: Subject::from(record),
    }
}

/// Returns what SES signs with, the domain itself, and where bounces go.
fn legs(expectation: &Expectation) -> Legs<'_> {
    Legs { signed_by: Some(&expectation.domain), mail_from: expectation.mail_from.as_ref() }
}

/// Tells that the policy's name is an alias, which leads to the policy.
fn alias(evidence: &Evidence, record: &ExpectedRecord, subject: &Subject) -> Option<Told> {
    let aliases = evidence.observations(&record.question()).iter().filter_map(|seen| match seen.response() {
        Some(Response::Alias(alias)) => alias.links.first().map(|link| &link.target),
        _ => None,
    });
    let target = aliases.min()?;
    Some(told::alias(subject, &record.name, target.clone()))
}

/// Adds what was said at the names that a finding was read at.
fn proven(told: Told, evidence: &Evidence) -> Finding {
    let Told { finding, read_at } = told;
    read_at.iter().fold(finding, |finding, name| {
        let seen = evidence.observations(&txt(name));
        finding.proven_by(&txt(name), seen.iter().filter(|seen| seen.is_answer()))
    })
}

/// Reads what every server says of the record.
pub(super) fn views<'r, 'e>(
    expectation: &Expectation,
    evidence: &'e Evidence,
    record: &'r ExpectedRecord,
) -> Views<'r, 'e> {
    let exists = !is_nonexistent(evidence, &expectation.domain);
    let has_own = evidence.observations(&record.question()).iter().any(|seen| has_own_policy(evidence, seen));
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
        let mut discovery = discover(&self.domain, self.exists, &found);
        if matches!(discovery.policy, Applicable::Unanswered(_)) {
            found.extend(above(self.evidence, &self.domain).found);
            discovery = discover(&self.domain, self.exists, &found);
        }
        match discovery.policy {
            Applicable::Own(record) => {
                let start = self.finding(Code::DmarcSyntax, &self.record.name);
                View::Right(told::flaw(start, &record, own_text.as_deref().unwrap_or_default()).into_iter().collect())
            }
            Applicable::Inherited { domain, record, tag } => {
                let scope = if self.exists { Scope::Subdomain } else { Scope::NonexistentSubdomain };
                let place = domain.prepend("_dmarc").unwrap_or_else(|_| domain.clone());
                let start = self.finding(Code::DmarcInherited, &place);
                let inherited = told::inherited(start, &domain, &record, scope, tag);
                if self.has_own { View::Wrong(Box::new(inherited)) } else { View::Right(vec![inherited]) }
            }
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
                None => View::Wrong(Box::new(self.absent())),
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

    /// Says that there is no policy, or that it stands in a wrong place.
    fn absent(&self) -> Finding {
        let around = around(self.evidence, self.record, &self.domain);
        let wrong_place = around.wrong_place(&mut |name: &Name| match texts_at(self.evidence, name) {
            Texts::Known(texts) => Some(texts),
            Texts::Ask(_) | Texts::Unknown => None,
        });
        let Some(told) = wrong_place else { return self.finding(Code::DmarcAbsent, &self.record.name) };
        let severity = if self.record.is_required { Severity::Error } else { told.finding.severity };
        proven(told, self.evidence).with_severity(severity)
    }

    /// Says that the record at `place` is none that receivers use.
    fn broken(&self, place: &Name, text: &[u8], problem: String) -> View {
        View::Wrong(Box::new(told::broken(self.finding(Code::DmarcSyntax, place), text, problem)))
    }

    /// Says that there are several records at `place`, so that none counts.
    fn repeated(&self, place: &Name, count: usize) -> View {
        View::Wrong(Box::new(told::repeated(self.finding(Code::DmarcMultiple, place), count)))
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
                has_policy |= policies.next().is_some_and(|_| policies.next().is_none());
                let is_end = ends_walk(&texts);
                above.found.push((asked, texts));
                if is_end {
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
