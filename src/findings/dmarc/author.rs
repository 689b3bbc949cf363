//! One domain whose policy is wanted: what stands at its own place and above, read once, and what comes of that.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::dns::name::Name;
use crate::dns::public_suffix::is_registry;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Evidence, Observation};
use crate::expectation::{Depth, Expectation, ExpectedRecord};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::dmarc::alignment::{Alignment, Legs};
use crate::findings::dmarc::around::{Around, Read};
use crate::findings::dmarc::told::{self, Told, is_near_miss};
use crate::findings::finding::{Argument, Finding, RecordStatus, Subject};
use crate::findings::status::standing;
use crate::findings::txt::{Texts, texts_at, texts_from};
use crate::findings::view::{View, Views};
use crate::records::dmarc::{Applicable, DmarcRecord, Found, Scope, discover, is_dmarc, tree_walk};

/// What servers have at the domain's own place.
enum Own {
    /// These texts.
    Known(Found),
    /// It takes another question to know.
    Ask(Question),
    /// It cannot be known.
    Unknown,
}

/// A domain whose policy is wanted. What is behind it is read once, where somebody needs it.
pub(super) struct Author<'r, 'e> {
    /// All that is expected.
    expectation: &'r Expectation,
    /// What was seen.
    evidence: &'e Evidence,
    /// The record that is expected.
    record: &'r ExpectedRecord,
    /// The domain: the name above the record's.
    domain: Name,
    /// What servers have at the record's name, each with the first of those who say the same one after the other.
    own: Vec<(&'e Observation, Own)>,
    /// Whether the domain exists.
    exists: OnceCell<bool>,
    /// What stands at the names above.
    above: OnceCell<Above>,
}

impl<'r, 'e> Author<'r, 'e> {
    /// Looks at what the servers of a record say.
    pub(super) fn new(expectation: &'r Expectation, evidence: &'e Evidence, record: &'r ExpectedRecord) -> Self {
        let domain = record.name.parent().unwrap_or_else(Name::root);
        let mut own: Vec<(&Observation, Own)> = Vec::new();
        for seen in evidence.observations(&record.question()) {
            // Most servers say what the one before said.
            if own.last().is_some_and(|(last, _)| last.says_the_same_as(seen)) {
                continue;
            }
            let texts = match texts_from(evidence, seen) {
                Texts::Known(texts) => Own::Known(Found::new(record.name.clone(), texts)),
                Texts::Ask(question) => Own::Ask(question),
                Texts::Unknown => Own::Unknown,
            };
            own.push((seen, texts));
        }
        Self { expectation, evidence, record, domain, own, exists: OnceCell::new(), above: OnceCell::new() }
    }

    /// Says whether the domain exists, as far as is known.
    fn exists(&self) -> bool {
        *self.exists.get_or_init(|| !is_nonexistent(self.evidence, &self.expectation.domain))
    }

    /// Returns what stands at the names above.
    fn above(&self) -> &Above {
        self.above.get_or_init(|| above(self.evidence, &self.domain))
    }

    /// Says whether all servers that were heard have a policy of the domain's own, or something that is meant as one.
    pub(super) fn has_own_everywhere(&self) -> bool {
        self.own.iter().all(|(_, own)| match own {
            Own::Known(found) => found.texts.iter().any(|text| is_meant(text)),
            Own::Ask(_) => true,
            Own::Unknown => false,
        })
    }

    /// Returns the questions that the tree walk still takes; sorted, each once.
    pub(super) fn walk_needed(&self) -> BTreeSet<Question> {
        let mut needed = BTreeSet::new();
        for (_, own) in &self.own {
            match own {
                Own::Ask(question) => {
                    needed.insert(question.clone());
                }
                Own::Known(found) if !found.texts.iter().any(|text| is_meant(text)) => {
                    needed.extend(self.above().needed.iter().cloned());
                }
                Own::Known(_) | Own::Unknown => {}
            }
        }
        needed
    }

    /// Iterates over the different texts at the record's name.
    fn found(&self) -> impl Iterator<Item = &Found> {
        self.own.iter().filter_map(|(_, own)| if let Own::Known(found) = own { Some(found) } else { None })
    }

    /// Reads what every server says of the record.
    pub(super) fn views(&self) -> Views<'r, 'e> {
        // Where one server at least has a policy of its own that receivers use, one without lacks it.
        let has_own = self.found().any(|found| found.usable().is_some());
        Views::read(self.evidence, self.record, |seen| {
            match self.own.iter().find(|(first, _)| first.says_the_same_as(seen)) {
                Some((_, Own::Known(found))) => self.view(found, has_own),
                _ => View::Unknown(Vec::new()),
            }
        })
    }

    /// Looks beside and behind the policy that applies, where that is known: what is worth telling of a right record, and
    /// what stands in place of one that is not there. Returns that, and the questions that it still takes.
    ///
    /// At depth quick only a policy that is not there, or other texts in its place, cost questions.
    pub(super) fn further(&self, views: &Views<'_, '_>) -> (Vec<Finding>, Vec<Question>) {
        let Texts::Known(own) = texts_at(self.evidence, &self.record.name) else { return Default::default() };
        let around = around(self.evidence, self.record, &self.domain);
        let mut needed = Vec::new();
        let mut read = |name: &Name| match texts_at(self.evidence, name) {
            Texts::Known(texts) => Some(texts),
            Texts::Ask(question) => {
                needed.push(question);
                None
            }
            Texts::Unknown => None,
        };
        let mut told: Vec<Told> = Vec::new();
        let status = views.status().0;
        if status == RecordStatus::Absent {
            // The views tell of it themselves; here it only matters what they need to read.
            around.wrong_place(&mut read);
        }
        if !own.iter().any(|text| is_meant(text))
            && !matches!(status, RecordStatus::Inconsistent | RecordStatus::UnableToCheck)
        {
            told.extend(around.wildcard(&own, &mut read));
        }
        if status == RecordStatus::Ok {
            let known = self.found().find(|found| found.texts == own);
            let found = known.cloned().unwrap_or_else(|| Found::new(self.record.name.clone(), own));
            told.extend(self.behind(&around, &found, &mut read));
        }
        (told.into_iter().map(|told| proven(told, self.evidence)).collect(), needed)
    }

    /// Tells what is worth knowing of the policy that applies, be it the domain's own or one above; `own` is what stands at
    /// the domain's own name.
    fn behind(&self, around: &Around<'_>, own: &Found, read: &mut Read<'_>) -> Vec<Told> {
        let mut told: Vec<Told> = Vec::new();
        let (expectation, record) = (self.expectation, self.record);
        let is_full = expectation.depth == Depth::Full;
        let exists = self.exists();
        let mut found = vec![own];
        // Whose organization it is matters only beside another name than the domain's own.
        if is_full || expectation.mail_from.is_some() || !own.has_one_policy() {
            found.extend(&self.above().found);
        }
        let discovery = discover(around.domain, exists, &found);
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
                let text = own.policy_texts().next().map(Vec::as_slice).unwrap_or_default();
                told.extend(told::old_tags(subject, &record.name, policy, text));
                told.extend(told::test_mode(subject, &record.name, policy, Scope::OwnName));
                told.extend(align(&record.name, policy, read));
                told.extend(alias(self.evidence, record, subject));
                if is_full {
                    told.extend(around.wildcard(&own.texts, read));
                    told.extend(around.unauthorised(policy, organization, read));
                }
            }
            Applicable::Inherited { domain: from, record: policy, .. } => {
                let place = from.prepend("_dmarc").unwrap_or_else(|_| from.clone());
                let scope = if exists { Scope::Subdomain } else { Scope::NonexistentSubdomain };
                told.extend(told::test_mode(subject, &place, policy, scope));
                told.extend(align(&place, policy, read));
                told.extend(
                    organization.and_then(|domain| told::psl_disagrees(subject, &place, author, domain, "policy")),
                );
                if is_full {
                    told.extend(around.wrong_place(read));
                }
            }
            _ => {}
        }
        told
    }

    /// Judges the TXT records that one server has at the domain's own name.
    fn view(&self, own: &Found, has_own: bool) -> View {
        let policies: Vec<&Vec<u8>> = own.policy_texts().collect();
        match policies.as_slice() {
            [] => {
                if let Some(text) = own.texts.iter().find(|text| is_near_miss(text)) {
                    return self.broken(&self.record.name, text, "it does not start with v=DMARC1".to_owned());
                }
            }
            [_] => {}
            several => return self.repeated(&self.record.name, several.len()),
        }
        let mut found = vec![own];
        if policies.is_empty() {
            found.extend(&self.above().found);
        }
        let discovery = discover(&self.domain, self.exists(), &found);
        let at = |place: &Name| found.iter().find(|found| found.name == *place).copied();
        match discovery.policy {
            Applicable::Own(record) => {
                let start = self.finding(Code::DmarcSyntax, &self.record.name);
                let text = policies.first().map(|text| text.as_slice()).unwrap_or_default();
                View::Right(told::flaw(start, &record, text).into_iter().collect())
            }
            Applicable::Inherited { domain, record, tag } => {
                let scope = if self.exists() { Scope::Subdomain } else { Scope::NonexistentSubdomain };
                let place = domain.prepend("_dmarc").unwrap_or_else(|_| domain.clone());
                let start = self.finding(Code::DmarcInherited, &place);
                let inherited = told::inherited(start, &domain, &record, scope, tag);
                if has_own { View::Wrong(Box::new(inherited)) } else { View::Right(vec![inherited]) }
            }
            Applicable::Unusable { domain, error } => {
                let place = domain.prepend("_dmarc").unwrap_or(domain);
                let text = at(&place).and_then(|found| found.policy_texts().next());
                self.broken(&place, text.map(Vec::as_slice).unwrap_or_default(), error.to_string())
            }
            Applicable::None => match discovery.repeated_at.first().and_then(|domain| domain.prepend("_dmarc").ok()) {
                Some(place) => self.repeated(&place, at(&place).map_or(0, |found| found.policy_texts().count())),
                None => View::Wrong(Box::new(self.absent())),
            },
            Applicable::Unanswered(_) => View::Unknown(Vec::new()),
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
    /// What stands at the names that were asked.
    found: Vec<Found>,
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
        let of_registry = |asked: &Name| asked.parent().is_some_and(|domain| is_registry(&domain));
        match texts_at(evidence, &asked) {
            Texts::Known(texts) => {
                let here = Found::new(asked, texts);
                has_policy |= here.has_one_policy();
                let is_end = here.ends_walk();
                above.found.push(here);
                if is_end {
                    break;
                }
            }
            _ if has_policy && of_registry(&asked) => above.found.push(Found::new(asked, Vec::new())),
            _ if is_open && of_registry(&asked) => {}
            Texts::Ask(question) => {
                is_open = true;
                above.needed.push(question);
            }
            Texts::Unknown => is_open = true,
        }
    }
    above
}

/// Says whether a text is a policy record, or is meant as one.
pub(super) fn is_meant(text: &[u8]) -> bool {
    is_dmarc(text) || is_near_miss(text)
}

/// Says whether the servers say NXDOMAIN of the domain itself, where it was asked for.
fn is_nonexistent(evidence: &Evidence, domain: &Name) -> bool {
    let is_nxdomain = |seen: &Observation| matches!(seen.response(), Some(Response::NxDomain(_)));
    let standing = standing(evidence, &txt(domain), is_nxdomain);
    standing.is_checkable() && standing.other.is_empty()
}

/// Returns the question for the TXT records of a name.
pub(super) fn txt(name: &Name) -> Question {
    Question::new(name.clone(), RecordType::TXT)
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
