//! The policy of one domain for its own sake: the whole tree walk, whatever is worth telling, and nothing of DKIM tokens.
//!
//! Pure: says which names to ask for TXT until it can say what applies. What could not be asked is never absent.

use std::collections::BTreeMap;

use crate::dns::name::Name;
use crate::dns::public_suffix::registrable_name;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::Observation;
use crate::expectation::RecordKind;
use crate::findings::catalogue::{Code, Severity};
use crate::findings::dmarc::alignment::{Alignment, Legs};
use crate::findings::dmarc::around::{self, Around};
use crate::findings::dmarc::told::{self, Told, is_near_miss};
use crate::findings::finding::{Argument, Finding, Subject};
use crate::records::dmarc::{
    Applicable, Discovery, DmarcRecord, Found, Policy, PolicyTag, Scope, discover, is_dmarc, tree_walk,
};

/// A label that nobody chose, for names that exist only where a wildcard makes them up.
const PROBE_LABEL: &str = "qzwjxkvnbrptmhdyfgclsoaeiuqxzjwk";

/// What came back to a question for the TXT records at a name.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The records, each joined; empty where there are none.
    pub texts: Vec<Vec<u8>>,
    /// Whether the name does not exist.
    pub is_nxdomain: bool,
    /// Where the name leads, if it is an alias.
    pub alias: Option<Name>,
}

/// All that came back.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// By name; `None` where nobody answered.
    heard: BTreeMap<Name, Option<Heard>>,
    /// The reply that proves it, by name.
    proof: BTreeMap<Name, (Question, Observation)>,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Step {
    /// These names are to be asked for TXT; never empty, each once.
    Ask(Vec<Name>),
    /// This is what applies.
    Done(Box<Assessment>),
}

/// What applies to a domain.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The names of the tree walk, in the order asked; at most eight.
    pub queries: Vec<Name>,
    /// The text of the record that applies.
    pub record: Option<Vec<u8>>,
    /// Where the organization begins; `None` where an answer is missing.
    pub organizational_domain: Option<Name>,
    /// What receivers apply to the domain; `None` where there is no policy or it could not be read.
    pub policy: Option<Policy>,
    /// The tag that it comes from.
    pub policy_tag: Option<PolicyTag>,
    /// The domain that publishes it.
    pub policy_source: Option<Name>,
    /// What was found, by severity and precedence.
    pub findings: Vec<Finding>,
}

impl Said {
    /// Notes what came back for `name`, and the last reply.
    pub fn add(&mut self, name: Name, heard: Option<Heard>, proof: Option<(Question, Observation)>) {
        if let Some(proof) = proof {
            self.proof.insert(name.clone(), proof);
        }
        self.heard.insert(name, heard);
    }

    /// Returns the texts at a name, where they are known.
    fn texts(&self, name: &Name) -> Option<Vec<Vec<u8>>> {
        self.heard.get(name)?.as_ref().map(|heard| heard.texts.clone())
    }

    /// Says whether a name does not exist, where that is known.
    fn is_nxdomain(&self, name: &Name) -> Option<bool> {
        self.heard.get(name)?.as_ref().map(|heard| heard.is_nxdomain)
    }
}

/// Says what applies to `domain`, or what it takes to know.
///
/// Source: RFC 9989 §4.10. The walk stops where nobody answers. Whether the domain exists is asked only where `np` may
/// apply and `_dmarc` in front of it does not exist either (RFC 8020).
#[must_use]
pub fn assess(domain: &Name, legs: Legs<'_>, said: &Said) -> Step {
    let (mut queries, mut found): (Vec<Name>, Vec<Found>) = Default::default();
    for asked in tree_walk(domain) {
        let Some(heard) = said.heard.get(&asked) else { return Step::Ask(vec![asked]) };
        queries.push(asked.clone());
        let Some(heard) = heard else { break };
        let here = Found::new(asked, heard.texts.clone());
        let is_end = here.ends_walk();
        found.push(here);
        if is_end {
            break;
        }
    }
    let found: Vec<&Found> = found.iter().collect();
    let mut discovery = discover(domain, true, &found);
    let mut is_open = false;
    if let Applicable::Inherited { record, .. } = &discovery.policy
        && record.nonexistent_policy.is_some()
        && queries.first().and_then(|own| said.is_nxdomain(own)) == Some(true)
    {
        if !said.heard.contains_key(domain) {
            return Step::Ask(vec![domain.clone()]);
        }
        let nonexistent = discover(domain, false, &found);
        match said.is_nxdomain(domain) {
            Some(true) => discovery = nonexistent,
            Some(false) => {}
            None => is_open = effective(&nonexistent, false) != effective(&discovery, true),
        }
    }
    let place = queries.first().cloned().unwrap_or_else(|| domain.clone());
    let judge = Judge { domain, place: &place, legs, said, found: &found, discovery: &discovery, is_open };
    judge.conclude(queries)
}

/// Returns what receivers apply, where the domain exists or does not.
fn effective(discovery: &Discovery, exists: bool) -> Option<Policy> {
    match &discovery.policy {
        Applicable::Own(record) => Some(record.effective_policy(Scope::OwnName)),
        Applicable::Inherited { record, .. } => Some(record.effective_policy(scope(exists))),
        _ => None,
    }
}

/// Returns the scope of a name below the record's domain.
fn scope(exists: bool) -> Scope {
    if exists { Scope::Subdomain } else { Scope::NonexistentSubdomain }
}

/// A domain whose walk is done.
struct Judge<'a> {
    /// The domain.
    domain: &'a Name,
    /// Where its policy belongs.
    place: &'a Name,
    /// Who signs and who gets bounces.
    legs: Legs<'a>,
    /// All that came back.
    said: &'a Said,
    /// What stands along the walk.
    found: &'a [&'a Found],
    /// What applies.
    discovery: &'a Discovery,
    /// Whether the policy hangs on a question that nobody answered.
    is_open: bool,
}

impl Judge<'_> {
    /// Says what applies, and all that is worth telling.
    fn conclude(&self, queries: Vec<Name>) -> Step {
        let mut wanted: Vec<Name> = Vec::new();
        let mut findings = self.findings(&mut |name: &Name| {
            if !self.said.heard.contains_key(name) && !wanted.contains(name) {
                wanted.push(name.clone());
            }
            self.said.texts(name)
        });
        if !wanted.is_empty() {
            return Step::Ask(wanted);
        }
        findings.sort_by(|one, other| (one.rank(), &one.arguments).cmp(&(other.rank(), &other.arguments)));
        let (source, tag, policy) = match &self.discovery.policy {
            Applicable::Own(record) => (
                Some(self.domain.clone()),
                Some(record.policy_tag(Scope::OwnName)),
                Some(record.effective_policy(Scope::OwnName)),
            ),
            Applicable::Inherited { domain, record, tag } if !self.is_open => {
                (Some(domain.clone()), Some(*tag), Some(record.effective_policy(scope(*tag != PolicyTag::Np))))
            }
            _ => (None, None, None),
        };
        let record = source.as_ref().and_then(|source| self.text_of(source));
        Step::Done(Box::new(Assessment {
            queries,
            record,
            organizational_domain: self.discovery.organizational_domain.clone(),
            policy,
            policy_tag: tag,
            policy_source: source,
            findings,
        }))
    }

    /// Returns the policy record that stands below a domain.
    fn text_of(&self, domain: &Name) -> Option<Vec<u8>> {
        let place = domain.prepend("_dmarc").ok()?;
        self.found.iter().find(|found| found.name == place)?.policy_texts().next().cloned()
    }

    /// Returns what is worth telling; reads what it needs with `read`.
    fn findings(&self, read: &mut around::Read<'_>) -> Vec<Finding> {
        let own = self.said.texts(self.place).unwrap_or_default();
        let around = Around {
            domain: self.domain,
            place: self.place,
            zone: registrable_name(self.domain),
            probe_label: PROBE_LABEL,
            subject: Subject::Record { kind: RecordKind::Dmarc, name: self.place.clone() },
        };
        let mut told = self.at_the_own_name(&around.subject, &own);
        let has_own_fault = !told.is_empty();
        match &self.discovery.policy {
            Applicable::Own(record) => told.extend(self.of_own(record, &own, &around, read)),
            Applicable::Inherited { domain, record, tag } => {
                told.extend(self.of_inherited(domain, record, *tag, &around, read));
                told.extend(around.wrong_place(read));
            }
            Applicable::Unusable { domain, error } => {
                let place = domain.prepend("_dmarc").unwrap_or_else(|_| domain.clone());
                let text = self.text_of(domain).unwrap_or_default();
                let start = told::about(Code::DmarcSyntax, &around.subject, &place);
                told.push(Told { finding: told::broken(start, &text, error.to_string()), read_at: vec![place] });
            }
            Applicable::None if !has_own_fault => match self.discovery.repeated_at.first() {
                Some(domain) => told.push(self.repeated(domain, &around.subject)),
                None => told.push(around.wrong_place(read).unwrap_or_else(|| Told {
                    finding: told::about(Code::DmarcAbsent, &around.subject, self.place),
                    read_at: vec![self.place.clone()],
                })),
            },
            Applicable::None | Applicable::Unanswered(_) => {}
        }
        if !own.iter().any(|text| is_dmarc(text) || is_near_miss(text)) {
            told.extend(around.wildcard(&own, read));
        }
        told.extend(self.unable_to_check(&around.subject));
        told.into_iter().map(|told| self.proven(told)).collect()
    }

    /// Tells what is wrong with the texts at the domain's own place: several records, or one that is meant and is none.
    fn at_the_own_name(&self, subject: &Subject, own: &[Vec<u8>]) -> Vec<Told> {
        if self.discovery.repeated_at.first() == Some(self.domain) {
            return vec![self.repeated(self.domain, subject)];
        }
        let near_miss = own.iter().find(|text| is_near_miss(text)).filter(|_| !own.iter().any(|text| is_dmarc(text)));
        let broken = near_miss.map(|text| {
            let start = told::about(Code::DmarcSyntax, subject, self.place);
            let finding = told::broken(start, text, "it does not start with v=DMARC1".to_owned());
            Told { finding, read_at: vec![self.place.clone()] }
        });
        broken.into_iter().collect()
    }

    /// Tells that a domain has several records, so that none counts.
    fn repeated(&self, domain: &Name, subject: &Subject) -> Told {
        let place = domain.prepend("_dmarc").unwrap_or_else(|_| domain.clone());
        let count = self.said.texts(&place).unwrap_or_default().iter().filter(|text| is_dmarc(text)).count();
        let start = told::about(Code::DmarcMultiple, subject, &place);
        Told { finding: told::repeated(start, count), read_at: vec![place] }
    }

    /// Tells what is worth knowing of the domain's own record.
    fn of_own(
        &self,
        record: &DmarcRecord,
        own: &[Vec<u8>],
        around: &Around<'_>,
        read: &mut around::Read<'_>,
    ) -> Vec<Told> {
        let subject = &around.subject;
        let text = own.iter().find(|text| is_dmarc(text)).map(Vec::as_slice).unwrap_or_default();
        let mut told: Vec<Told> = Vec::new();
        let flaw = told::flaw(told::about(Code::DmarcSyntax, subject, self.place), record, text);
        told.extend(flaw.map(|finding| Told { finding, read_at: vec![self.place.clone()] }));
        told.extend(told::old_tags(subject, self.place, record, text));
        told.extend(told::test_mode(subject, self.place, record, Scope::OwnName));
        told.extend(self.alignment().judge(subject, self.place, record, read));
        let alias = self.said.heard.get(self.place).and_then(Option::as_ref).and_then(|heard| heard.alias.clone());
        told.extend(alias.map(|target| told::alias(subject, self.place, target)));
        let organization = self.discovery.organizational_domain.as_ref();
        told.extend(
            organization.and_then(|domain| told::psl_disagrees(subject, self.place, self.domain, domain, "alignment")),
        );
        told.extend(around.wildcard(own, read));
        told.extend(around.unauthorised(record, organization, read));
        told
    }

    /// Tells what is worth knowing of a record above that applies.
    fn of_inherited(
        &self,
        from: &Name,
        record: &DmarcRecord,
        tag: PolicyTag,
        around: &Around<'_>,
        read: &mut around::Read<'_>,
    ) -> Vec<Told> {
        let subject = &around.subject;
        let place = from.prepend("_dmarc").unwrap_or_else(|_| from.clone());
        let scope = scope(tag != PolicyTag::Np);
        let mut told: Vec<Told> = Vec::new();
        if !self.is_open {
            let start = told::about(Code::DmarcInherited, subject, &place);
            let finding = told::inherited(start, from, record, scope, tag);
            told.push(Told { finding, read_at: vec![self.place.clone(), place.clone()] });
            told.extend(told::test_mode(subject, &place, record, scope));
        }
        told.extend(self.alignment().judge(subject, &place, record, read));
        let organization = self.discovery.organizational_domain.as_ref();
        told.extend(organization.and_then(|at| told::psl_disagrees(subject, &place, self.domain, at, "policy")));
        told
    }

    /// Puts together what is known of who signs and sends.
    fn alignment(&self) -> Alignment<'_> {
        let organization = self.discovery.organizational_domain.as_ref();
        Alignment { author: self.domain, legs: self.legs, organization, found: self.found }
    }

    /// Tells what could not be asked: an error where the policy hangs on it, else a notice.
    fn unable_to_check(&self, subject: &Subject) -> Option<Told> {
        let unanswered =
            tree_walk(self.domain).into_iter().find(|name| matches!(self.said.heard.get(name), Some(None)));
        let is_policy_unknown = self.is_open || matches!(self.discovery.policy, Applicable::Unanswered(_));
        let name = if self.is_open { Some(self.domain.clone()) } else { unanswered }?;
        let severity = if is_policy_unknown { Severity::Error } else { Severity::Notice };
        let finding = Finding::new(Code::UnableToCheck, subject.clone())
            .with_severity(severity)
            .with("name", Argument::Name(name.clone()));
        Some(Told { finding, read_at: vec![name] })
    }

    /// Adds the replies that a finding was read in.
    fn proven(&self, told: Told) -> Finding {
        let Told { finding, read_at } = told;
        let proofs = read_at.iter().filter_map(|name| self.said.proof.get(name));
        proofs.fold(finding, |finding, (question, seen)| finding.proven_by(question, [seen]))
    }
}

/// Returns the question for a name that is to be asked.
#[must_use]
pub fn question(name: &Name) -> Question {
    Question::new(name.clone(), RecordType::TXT)
}

#[cfg(test)]
mod tests;
