//! Where an expected DKIM record lives, and how a finding about it starts.

use crate::dns::name::Name;
use crate::dns::public_suffix;
use crate::dns::response::Response;
use crate::dns::rrset::Record;
use crate::evidence::{Evidence, Observation, ZoneCut};
use crate::expectation::{Expectation, Expected, ExpectedRecord};
use crate::findings::candidates::wildcard_probe;
use crate::findings::catalogue::Code;
use crate::findings::finding::{Argument, Finding};
use crate::findings::inquiry::Sight;
use crate::findings::status::Standing;
use crate::findings::txt::answers_found;
use crate::providers::{self, Provider};

/// What the table of providers calls Cloudflare.
const CLOUDFLARE: &str = "cloudflare";

/// One expected record, its zone and what was said to its question.
#[derive(Clone, Debug)]
pub(super) struct Site<'e> {
    /// All that is expected.
    pub(super) expectation: &'e Expectation,
    /// The record.
    pub(super) record: &'e ExpectedRecord,
    /// The name that the record should point at.
    pub(super) target: &'e Name,
    /// The zones from the root to the record, the deepest last.
    pub(super) zones: &'e [Name],
    /// The deepest zone.
    pub(super) cut: Option<&'e ZoneCut>,
    /// What its servers said to the record's question.
    pub(super) standing: Standing<'e>,
}

impl<'e> Site<'e> {
    /// Looks one record up; `None` where it is no CNAME.
    pub(super) fn new(
        expectation: &'e Expectation,
        record: &'e ExpectedRecord,
        evidence: &'e Evidence,
        standing: impl FnOnce() -> Standing<'e>,
    ) -> Option<Self> {
        let Expected::Cname(target) = &record.expected else { return None };
        let zones = evidence.chain(&record.name).map(|chain| chain.zones.as_slice()).unwrap_or_default();
        let cut = zones.last().and_then(|zone| evidence.cut(zone));
        Some(Self { expectation, record, target, zones, cut, standing: standing() })
    }

    /// Says whether the zone is the tenant's own, not the one of the registry above it.
    pub(super) fn is_registered(&self) -> bool {
        let registered = public_suffix::registrable_name(&self.expectation.domain);
        self.cut.zip(registered).is_some_and(|(cut, registered)| cut.zone.is_subdomain_of(&registered))
    }

    /// Returns the zone above, where that is the tenant's own too.
    pub(super) fn zone_above(&self) -> Option<&'e Name> {
        let registered = public_suffix::registrable_name(&self.expectation.domain)?;
        self.zones.iter().rev().nth(1).filter(|zone| zone.is_subdomain_of(&registered))
    }

    /// Says whether the zone is served by Cloudflare alone.
    pub(super) fn is_at_cloudflare(&self) -> bool {
        self.provider().is_some_and(|provider| provider.id == CLOUDFLARE)
    }

    /// Tells who serves the zone, from its servers and from the SOA that came with negative answers;
    /// `None` where there is not just one provider.
    pub(super) fn provider(&self) -> Option<&'static Provider> {
        let cut = self.cut?;
        let servers: Vec<Name> = cut.server_names().cloned().collect();
        let soa = self.standing.other.iter().find_map(|seen| match seen.response() {
            Some(Response::NoData(negative) | Response::NxDomain(negative)) => negative.soa.as_ref(),
            _ => None,
        });
        let soa = soa.filter(|(zone, ..)| *zone == cut.zone).map(|(_, soa, _)| (&soa.mname, &soa.rname));
        providers::detect(&servers, soa).provider()
    }

    /// Returns the name beside the record that nobody made.
    pub(super) fn wildcard_probe(&self, evidence: &Evidence) -> Option<Name> {
        wildcard_probe(&self.expectation.domain, &evidence.probe_label)
    }

    /// Starts a finding about the record: what is expected, where, at whose; proven by all who answer.
    pub(super) fn finding(&self, code: Code) -> Finding {
        let mut finding = Finding::new(code, self.record).with("expected", Argument::Name(self.target.clone()));
        if let Some(cut) = self.cut.filter(|_| self.is_registered()) {
            finding = finding.with("zone", Argument::Name(cut.zone.clone()));
        }
        if let Some(provider) = self.provider() {
            finding = finding.with("provider", Argument::Text(provider.id.clone()));
        }
        finding.proven_by(&self.record.question(), self.standing.answering())
    }
}

/// What is wrong with one record, and what was found that belongs to it beside its own CNAME.
#[derive(Clone, Debug)]
pub(super) struct Diagnosis {
    /// What is wrong.
    pub(super) finding: Finding,
    /// What was found, in any order.
    pub(super) found: Vec<Record>,
}

impl Diagnosis {
    /// Starts with a finding and nothing found.
    pub(super) fn new(finding: Finding) -> Self {
        Self { finding, found: Vec::new() }
    }

    /// Adds an argument.
    pub(super) fn with(mut self, key: &'static str, value: Argument) -> Self {
        self.finding = self.finding.with(key, value);
        self
    }

    /// Adds what proves it and is no part of what was found.
    pub(super) fn proven_by(mut self, sight: &Sight<'_>) -> Self {
        self.finding = self.finding.proven_by(&sight.question, sight.seen.iter().copied());
        self
    }

    /// Adds what was found, which proves it too.
    pub(super) fn finding_there(mut self, sight: &Sight<'_>) -> Self {
        self.found.extend(sight.seen.iter().flat_map(|seen| records_in(seen)));
        self.proven_by(sight)
    }
}

/// Returns all that was found of a record, at its own name and elsewhere; sorted, without duplicates.
pub(super) fn all_found(standing: &Standing<'_>, diagnosis: Option<&Diagnosis>) -> Vec<Record> {
    let answers = standing.answering().filter(|seen| matches!(seen.response(), Some(Response::Answer(_))));
    let mut found = answers_found(answers, |_| true);
    if let Some(elsewhere) = diagnosis.map(|each| &each.found).filter(|elsewhere| !elsewhere.is_empty()) {
        found.extend(elsewhere.iter().cloned());
        found.sort_by(|a, b| (&a.owner, &a.rdata, a.ttl).cmp(&(&b.owner, &b.rdata, b.ttl)));
        found.dedup_by(|later, kept| later.owner == kept.owner && later.rdata == kept.rdata);
    }
    found
}

/// Returns the records of the type asked for that an observation gives for the name asked.
pub(super) fn records_in(seen: &Observation) -> Vec<Record> {
    match seen.response() {
        Some(Response::Answer(answer)) => answer
            .rrset
            .data()
            .iter()
            .map(|rdata| Record { owner: answer.rrset.owner.clone(), ttl: answer.rrset.ttl, rdata: rdata.clone() })
            .collect(),
        _ => Vec::new(),
    }
}
