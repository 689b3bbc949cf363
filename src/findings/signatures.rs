//! Signatures that do not hold: found by verifying them, as a receiver of mail does that validates.
//!
//! The left wing asks for signatures and checks them; here it is told what does not hold at any server that answers. Where
//! one server gives what holds, validators ask that one in the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::dns::name::Name;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::dnssec::Bogus;
use crate::evidence::{Evidence, Proven};
use crate::expectation::Expectation;
use crate::findings::catalogue::{Code, Severity};
use crate::findings::finding::{Argument, Finding, Subject};

/// What is found by comparing keys and looking at times alone.
const KNOWN_BY_KEYS: &[Code] = &[Code::DnssecBogusNoDnskey, Code::DnssecExpiredSig];

/// What of a zone is not signed well, the widest first: what is said of the first explains the others.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Signed {
    /// Its keys, so that all of it is refused.
    Keys,
    /// What it says of the keys of a zone below, so that all of that is refused.
    Delegation,
    /// Records that are there.
    Records,
    /// That records are not there.
    Absence,
}

impl Signed {
    /// Returns the word that findings use.
    fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Delegation => "delegation",
            Self::Records => "records",
            Self::Absence => "absence",
        }
    }

    /// Says what a question is about.
    fn of(question: &Question, proven: &[Proven]) -> Self {
        let is_there =
            |proven: &Proven| matches!(proven.seen.response(), Some(Response::Answer(_) | Response::Alias(_)));
        match question.kind {
            RecordType::DNSKEY => Self::Keys,
            RecordType::DS => Self::Delegation,
            _ if proven.iter().any(is_there) => Self::Records,
            _ => Self::Absence,
        }
    }
}

/// One question whose answer is refused whoever is asked.
struct Refused<'e> {
    /// What of the zone it is about.
    signed: Signed,
    /// The question.
    question: &'e Question,
    /// What the servers said.
    proven: &'e [Proven],
    /// Why it is refused.
    cause: Bogus,
}

/// Finds what validating receivers refuse, at most one finding of each code a zone; `known` is what was found of the zones
/// by comparing keys, which says it all.
///
/// An error where a required record is refused that is there, a warning otherwise. Arguments: `names`, what is refused;
/// `signed`, what of the zone it is; `unknown_key` where signatures are by a key that the zone does not have; `iterations`.
pub(super) fn judge(expectation: &Expectation, evidence: &Evidence, known: &[Finding]) -> Vec<Finding> {
    let is_known = |zone: &Name| {
        known.iter().any(|finding| match &finding.subject {
            Subject::Zone(bogus) => KNOWN_BY_KEYS.contains(&finding.code) && zone.is_subdomain_of(bogus),
            _ => false,
        })
    };
    let mut refused: BTreeMap<(&Name, Code), Vec<Refused<'_>>> = BTreeMap::new();
    let mut costly: BTreeMap<&Name, Finding> = BTreeMap::new();
    for (question, proven) in evidence.proven() {
        let Some(zone) = proven.first().map(|proven| &proven.seen.zone).filter(|zone| !is_known(zone)) else {
            continue;
        };
        if let Some(cause) = cause_of(proven) {
            let row = Refused { signed: Signed::of(question, proven), question, proven, cause };
            refused.entry((zone, code_of(cause, question))).or_default().push(row);
        }
        if let Some(finding) = many_iterations(zone, question, proven) {
            costly.entry(zone).or_insert(finding);
        }
    }
    // A limit of ours that was met says nothing beside what is known.
    let is_explained = |zone: &Name, code: Code| {
        code == Code::DnssecTooMuchWork && refused.keys().any(|(of, other)| *of == zone && *other != code)
    };
    let told = refused.iter().filter(|((zone, code), _)| !is_explained(zone, *code));
    told.map(|((zone, code), rows)| refusal(expectation, zone, *code, rows)).chain(costly.into_values()).collect()
}

/// Returns why all servers that answer are refused; `None` where one is not. Where they differ, the first cause counts in
/// the order in which it is told.
fn cause_of(proven: &[Proven]) -> Option<Bogus> {
    let causes: Option<Vec<Bogus>> = proven.iter().map(|proven| proven.holds.err()).collect();
    causes?.into_iter().min()
}

/// Returns the code for a cause.
fn code_of(cause: Bogus, question: &Question) -> Code {
    match cause {
        Bogus::NoMatchingKey if question.kind == RecordType::DNSKEY => Code::DnssecBogusNoDnskey,
        Bogus::NoMatchingKey | Bogus::MissingSignature => Code::DnssecMissingSignature,
        Bogus::Expired => Code::DnssecExpiredSig,
        Bogus::NotYetValid => Code::DnssecNotYetValid,
        Bogus::BadSignature => Code::DnssecBadSignature,
        Bogus::MissingDenial => Code::DnssecMissingDenial,
        Bogus::TooMuchWork => Code::DnssecTooMuchWork,
    }
}

/// Puts the finding together for what one zone has of one code.
fn refusal(expectation: &Expectation, zone: &Name, code: Code, rows: &[Refused<'_>]) -> Finding {
    let is_needed = |row: &Refused<'_>| {
        let mut required = expectation.records.iter().filter(|record| record.is_required);
        match row.signed {
            Signed::Keys | Signed::Delegation => required.any(|record| record.name.is_subdomain_of(&row.question.name)),
            Signed::Records => required.any(|record| record.question() == *row.question),
            Signed::Absence => false,
        }
    };
    let severity = if rows.iter().any(is_needed) { code.severity() } else { code.severity().max(Severity::Warning) };
    let signed = rows.iter().map(|row| row.signed).min().unwrap_or(Signed::Records);
    let names: BTreeSet<Name> =
        rows.iter().filter(|row| row.signed == signed).map(|row| row.question.name.clone()).collect();
    let finding = Finding::new(code, Subject::Zone(zone.clone()))
        .with_severity(severity)
        .with("names", Argument::Names(names.into_iter().collect()))
        .with("signed", Argument::Text(signed.as_str().to_owned()));
    let has_unknown_key = rows.iter().any(|row| row.cause == Bogus::NoMatchingKey);
    let finding = if has_unknown_key && code == Code::DnssecMissingSignature {
        finding.with("unknown_key", Argument::Text("yes".to_owned()))
    } else {
        finding
    };
    rows.iter()
        .fold(finding, |finding, row| finding.proven_by(row.question, row.proven.iter().map(|proven| &proven.seen)))
}

/// Finds that hashes are repeated so often that resolvers take the zone for unsigned, or refuse it (RFC 9276 §3.2).
fn many_iterations(zone: &Name, question: &Question, proven: &[Proven]) -> Option<Finding> {
    let iterations = proven.iter().filter_map(|proven| proven.costly_iterations).max()?;
    let finding = Finding::new(Code::DnssecManyIterations, Subject::Zone(zone.clone()))
        .with("iterations", Argument::Number(u64::from(iterations)));
    Some(finding.proven_by(question, proven.iter().map(|proven| &proven.seen)))
}
