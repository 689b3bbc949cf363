//! The one TXT record of bring-your-own DKIM.
//!
//! One diagnosis serves the plan and the judgement, as for the CNAMEs of Easy DKIM: what stands at the record's own name,
//! then a record at a wrong name, then a wildcard, then nothing. Says nothing where servers differ or do not answer.

use crate::dns::name::Name;
use crate::dns::public_suffix;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Evidence, Observation};
use crate::expectation::{Expectation, Expected, ExpectedRecord, RecordKind};
use crate::findings::candidates::{Candidate, MAX_CANDIDATES, candidates, wildcard_probe};
use crate::findings::catalogue::{Code, Severity};
use crate::findings::dkim::key_text::{KeyFault, fault_of};
use crate::findings::dkim::site::{Diagnosis, all_found};
use crate::findings::finding::{Argument, Finding, JudgedRecord, RecordStatus, data_of};
use crate::findings::inquiry::{Inquiry, Sight};
use crate::findings::status::{Standing, standing};
use crate::records::txt;

/// Where the record lives, and what was said to its question.
struct OwnKey<'e> {
    /// All that is expected.
    expectation: &'e Expectation,
    /// The record.
    record: &'e ExpectedRecord,
    /// The key in base64, where it is known.
    key: Option<&'e str>,
    /// The zones from the root to the record, the deepest last.
    zones: &'e [Name],
    /// What was said.
    standing: Standing<'e>,
}

/// Sorts what was said to the question of an expected key.
pub(super) fn key_standing<'e>(evidence: &'e Evidence, record: &ExpectedRecord) -> Standing<'e> {
    standing(evidence, &record.question(), |seen| match &record.expected {
        Expected::DkimKey(key) => is_right(seen, key.as_deref()),
        _ => false,
    })
}

/// Judges the records of bring-your-own DKIM; in the expectation's order.
pub(super) fn judge(expectation: &Expectation, inquiry: &mut Inquiry<'_>) -> (Vec<JudgedRecord>, Vec<Finding>) {
    let (mut records, mut findings) = (Vec::new(), Vec::new());
    for own in own_keys(expectation, inquiry.evidence()) {
        let (status, diagnosis) = own.examine(inquiry);
        let code = match status {
            RecordStatus::Ok => None,
            RecordStatus::UnableToCheck => Some(Code::UnableToCheck),
            RecordStatus::Inconsistent => Some(Code::InconsistentServers),
            RecordStatus::Absent | RecordStatus::Wrong => diagnosis.as_ref().map(|each| each.finding.code),
        };
        let found = all_found(&own.standing, diagnosis.as_ref());
        let is_right_somewhere = !own.standing.right.is_empty();
        records.push(JudgedRecord { record: own.record.clone(), status, code, is_right_somewhere, found });
        findings.extend(diagnosis.map(|each| each.finding));
    }
    (records, findings)
}

/// Looks every expected key up.
fn own_keys<'e>(expectation: &'e Expectation, evidence: &'e Evidence) -> Vec<OwnKey<'e>> {
    let own_key = |record: &'e ExpectedRecord| {
        let Expected::DkimKey(key) = &record.expected else { return None };
        let zones = evidence.chain(&record.name).map(|chain| chain.zones.as_slice()).unwrap_or_default();
        let standing = key_standing(evidence, record);
        Some(OwnKey { expectation, record, key: key.as_deref(), zones, standing })
    };
    expectation.of_kind(RecordKind::Dkim).filter_map(own_key).collect()
}

impl OwnKey<'_> {
    /// Says how the record stands and, where it is absent or wrong, why.
    fn examine(&self, inquiry: &mut Inquiry<'_>) -> (RecordStatus, Option<Diagnosis>) {
        let status = self.standing.status();
        let by_wildcard = match status {
            RecordStatus::Wrong => {
                let wildcard = self.by_wildcard(inquiry);
                if wildcard.is_none() {
                    return (RecordStatus::Wrong, Some(self.explain()));
                }
                wildcard
            }
            RecordStatus::Absent => None,
            settled => return (settled, None),
        };
        if inquiry.is_wanting() {
            return (status, Some(Diagnosis::new(self.finding(Code::Absent))));
        }
        match self.elsewhere(inquiry).or(by_wildcard) {
            Some(diagnosis) => (RecordStatus::Wrong, Some(diagnosis)),
            None => (RecordStatus::Absent, Some(Diagnosis::new(self.finding(Code::Absent)))),
        }
    }

    /// Says what is wrong with what stands at the record's own name.
    fn explain(&self) -> Diagnosis {
        let first = self.standing.other.first().copied();
        match first.and_then(Observation::response) {
            Some(Response::Alias(alias)) => {
                let code = if alias.dname.is_some() { Code::DnameAbove } else { Code::ByoCnameInstead };
                // Verifiers follow an alias to the right key; whether Amazon SES does is not told.
                let leads_there = alias.rrset.as_ref().is_some_and(|rrset| {
                    texts_of(rrset.data()).as_slice().iter().all(|text| fault_of(text, self.key).is_none())
                });
                let severity = if leads_there { Severity::Warning } else { code.severity() };
                let mut diagnosis = Diagnosis::new(self.finding(code).with_severity(severity));
                if let Some(dname) = &alias.dname {
                    diagnosis = diagnosis.with("dname", Argument::Name(dname.clone()));
                }
                match alias.links.first() {
                    Some(link) => diagnosis.with("seen", Argument::Name(link.target.clone())),
                    None => diagnosis,
                }
            }
            _ => self.explain_texts(&first.map(texts_in).unwrap_or_default()),
        }
    }

    /// Says what is wrong with the texts at the record's own name.
    fn explain_texts(&self, texts: &[Vec<u8>]) -> Diagnosis {
        if texts.len() > 1 {
            let count = Argument::Number(u64::try_from(texts.len()).unwrap_or(u64::MAX));
            return Diagnosis::new(self.finding(Code::ByoMultipleTxt)).with("records", count);
        }
        let fault = texts.first().and_then(|text| fault_of(text, self.key));
        let fault = fault.unwrap_or(KeyFault::Other("no text".to_owned()));
        let finding = self.finding(fault.code());
        Diagnosis::new(match fault {
            // White space in a key is no part of it (RFC 6376 §3.6.1); whether Amazon SES takes it is not told.
            KeyFault::SplitByBlanks => finding.with_severity(Severity::Warning),
            KeyFault::Weak(bits) => finding.with("bits", Argument::Number(u64::try_from(bits).unwrap_or(u64::MAX))),
            KeyFault::Other(problem) => finding.with("problem", Argument::Text(problem)),
            _ => finding,
        })
    }

    /// Says whether a wildcard answers in the record's place.
    fn by_wildcard(&self, inquiry: &mut Inquiry<'_>) -> Option<Diagnosis> {
        let probe = wildcard_probe(&self.expectation.domain, &inquiry.evidence().probe_label)?;
        let sight = inquiry.look(&Question::new(probe, RecordType::TXT));
        let (one, other) = (self.standing.other.first()?, sight.seen.first()?);
        let is_same = match (one.response(), other.response()) {
            (Some(Response::Answer(one)), Some(Response::Answer(other))) => one.rrset.data() == other.rrset.data(),
            (Some(Response::Alias(one)), Some(Response::Alias(other))) => {
                one.dname.is_none()
                    && one.links.first().map(|link| &link.target) == other.links.first().map(|link| &link.target)
            }
            _ => false,
        };
        let seen = data_of(one).join(" ");
        let diagnosis = Diagnosis::new(self.finding(Code::WildcardSynth)).with("seen", Argument::Text(seen));
        is_same.then(|| diagnosis.proven_by(&sight))
    }

    /// Looks for the key in the zone above and where people put it: first where many do, then where few do.
    fn elsewhere(&self, inquiry: &mut Inquiry<'_>) -> Option<Diagnosis> {
        let registered = public_suffix::registrable_name(&self.expectation.domain)?;
        if let Some(above) = self.zones.iter().rev().nth(1).filter(|zone| zone.is_subdomain_of(&registered)) {
            let sight = inquiry.look_at(&self.record.question(), above);
            let seen = sight.seen.iter().copied().filter(|seen| is_right(seen, self.key)).collect();
            let sight = Sight { seen, ..sight };
            if !sight.seen.is_empty() {
                let diagnosis = Diagnosis::new(self.finding(Code::SubzoneShadow))
                    .with("typed", Argument::Name(self.record.name.clone()))
                    .with("parent_zone", Argument::Name(above.clone()));
                return Some(diagnosis.finding_there(&sight));
            }
            if inquiry.is_wanting() {
                return None;
            }
        }
        let list = candidates(&self.expectation.domain, self.zones, self.record);
        for is_likely in [true, false] {
            let meant: Vec<&Candidate> =
                list.iter().take(MAX_CANDIDATES).filter(|each| each.is_likely == is_likely).collect();
            let sights: Vec<(&Candidate, Sight<'_>)> =
                meant.into_iter().map(|each| (each, inquiry.look(&each.question))).collect();
            let hit = sights.iter().find(|(_, sight)| sight.seen.first().is_some_and(|seen| is_right(seen, self.key)));
            if let Some((candidate, sight)) = hit {
                return Some(self.at_wrong_name(candidate, sight));
            }
            if inquiry.is_wanting() || sights.iter().all(|(_, sight)| sight.seen.is_empty()) {
                return None;
            }
        }
        None
    }

    /// Puts the finding of a key at a wrong name together.
    fn at_wrong_name(&self, candidate: &Candidate, sight: &Sight<'_>) -> Diagnosis {
        let typed = &candidate.question.name;
        let is_in_zone = self.zones.last().is_some_and(|zone| typed.is_subdomain_of(zone));
        let code = if is_in_zone { candidate.code } else { Code::SubzoneShadow };
        let diagnosis = Diagnosis::new(self.finding(code)).with("typed", Argument::Name(typed.clone()));
        let holder = self.zones.iter().rev().find(|holder| !is_in_zone && typed.is_subdomain_of(holder));
        let diagnosis = match holder {
            Some(holder) => diagnosis.with("parent_zone", Argument::Name(holder.clone())),
            None => diagnosis,
        };
        diagnosis.finding_there(sight)
    }

    /// Starts a finding about the record, proven by all who answer.
    fn finding(&self, code: Code) -> Finding {
        let mut finding = Finding::new(code, self.record);
        if let Some(key) = self.key {
            finding = finding.with("expected", Argument::Text(format!("p={key}")));
        }
        let registered = public_suffix::registrable_name(&self.expectation.domain);
        let is_own = |zone: &&Name| registered.as_ref().is_some_and(|registered| zone.is_subdomain_of(registered));
        if let Some(zone) = self.zones.last().filter(is_own) {
            finding = finding.with("zone", Argument::Name(zone.clone()));
        }
        finding.proven_by(&self.record.question(), self.standing.answering())
    }
}

/// Says whether a server gives one TXT record with the key, or with any key that verifiers take where none is expected.
fn is_right(seen: &Observation, key: Option<&str>) -> bool {
    matches!(seen.response(), Some(Response::Answer(_)))
        && matches!(texts_in(seen).as_slice(), [text] if fault_of(text, key).is_none())
}

/// Returns the texts that a server gives for the name asked, each record's strings joined.
fn texts_in(seen: &Observation) -> Vec<Vec<u8>> {
    match seen.response() {
        Some(Response::Answer(answer)) => texts_of(answer.rrset.data()),
        _ => Vec::new(),
    }
}

/// Returns the texts of TXT records.
fn texts_of(data: &[Rdata]) -> Vec<Vec<u8>> {
    let text = |rdata: &Rdata| if let Rdata::Txt(strings) = rdata { Some(txt::join(strings)) } else { None };
    data.iter().filter_map(text).collect()
}
