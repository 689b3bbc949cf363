//! Where a DKIM record that is missing from its own name was put instead.

use crate::dns::name::Name;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::Evidence;
use crate::findings::candidates::{Candidate, candidates};
use crate::findings::catalogue::Code;
use crate::findings::dkim::site::{Diagnosis, Site};
use crate::findings::dkim::target::read_target;
use crate::findings::finding::Argument;
use crate::findings::inquiry::{Inquiry, Sight};
use crate::findings::status::{cname_targets, is_expected_cname};

/// Looks for the missing records of one domain; the result has one entry for each of `missing`, in order.
///
/// People make the same mistake with all three records. So one of them is looked for everywhere,
/// the others first at the likeliest name only, and further where something of the domain was found.
pub(super) fn search(missing: &[&Site<'_>], inquiry: &mut Inquiry<'_>) -> Vec<Option<Diagnosis>> {
    let mut hits: Vec<Option<Diagnosis>> = vec![None; missing.len()];
    look_above(missing, inquiry, &mut hits);
    if inquiry.is_wanting() {
        return hits;
    }
    let lists: Vec<Vec<Candidate>> =
        missing.iter().map(|site| candidates(&site.expectation.domain, site.zones, site.record)).collect();
    let mut searches: Vec<Search<'_, '_>> = missing
        .iter()
        .zip(&lists)
        .zip(&mut hits)
        .filter(|(_, hit)| hit.is_none())
        .map(|((site, list), hit)| Search { site, list, hit })
        .collect();
    for (index, search) in searches.iter_mut().enumerate() {
        search.look(inquiry, |place, _| index == 0 || place == 0);
    }
    let codes: Vec<Code> = searches.iter().filter_map(Search::code).collect();
    if codes.is_empty() || inquiry.is_wanting() {
        return hits;
    }
    searches.iter_mut().for_each(|search| search.look(inquiry, |_, code| codes.contains(&code)));
    if !inquiry.is_wanting() {
        searches.iter_mut().for_each(|search| search.look(inquiry, |_, _| true));
    }
    hits
}

/// The search for one record.
struct Search<'a, 'e> {
    /// The record.
    site: &'a Site<'e>,
    /// Where it may be.
    list: &'a [Candidate],
    /// What was found.
    hit: &'a mut Option<Diagnosis>,
}

impl Search<'_, '_> {
    /// Looks at the candidates that `is_meant` picks by place and code, unless the record was found.
    fn look(&mut self, inquiry: &mut Inquiry<'_>, is_meant: impl Fn(usize, Code) -> bool) {
        if self.hit.is_some() {
            return;
        }
        let meant = self.list.iter().enumerate().filter(|(place, candidate)| is_meant(*place, candidate.code));
        // All are looked up before one is chosen, so that they are asked in one round.
        let sights: Vec<(&Candidate, Sight<'_>)> =
            meant.map(|(_, candidate)| (candidate, inquiry.look(&candidate.question))).collect();
        let by_wildcard = targets_of_wildcard(self.site, inquiry.evidence());
        let hits = sights.iter().filter(|(_, sight)| by_wildcard.is_empty() || sight.cname_targets() != by_wildcard);
        *self.hit = hits.filter_map(|(candidate, sight)| explain_hit(self.site, candidate, sight)).next();
    }

    /// Returns what was done wrong, where that is known.
    fn code(&self) -> Option<Code> {
        let hit = self.hit.as_ref()?;
        let found = hit.found.first().map(|record| &record.owner);
        self.list.iter().find(|candidate| Some(&candidate.question.name) == found).map(|candidate| candidate.code)
    }
}

/// Returns the targets that a wildcard is known to give to any name beside the record.
fn targets_of_wildcard<'e>(site: &Site<'_>, evidence: &'e Evidence) -> Vec<&'e Name> {
    let Some(probe) = site.wildcard_probe(evidence) else { return Vec::new() };
    let seen = evidence.observations(&Question::new(probe, RecordType::CNAME));
    seen.first().map(|seen| cname_targets(seen)).unwrap_or_default()
}

/// Says what a record at a candidate name means; `None` where none stands there, or one that is not the expected.
fn explain_hit(site: &Site<'_>, candidate: &Candidate, sight: &Sight<'_>) -> Option<Diagnosis> {
    let targets = sight.cname_targets();
    let [target] = targets.as_slice() else { return None };
    let zone = site.cut.map(|cut| &cut.zone)?;
    if !read_target(target, site.record, site.expectation, Some(zone)).is_meant() {
        return None;
    }
    // A record outside the deepest zone is of no use there, however it is spelled.
    let is_in_zone = candidate.question.name.is_subdomain_of(zone);
    let code = if is_in_zone { candidate.code } else { Code::SubzoneShadow };
    let typed = &candidate.question.name;
    let diagnosis = Diagnosis::new(site.finding(code))
        .with("typed", Argument::Name(typed.clone()))
        .with("seen", Argument::Name((*target).clone()))
        .finding_there(sight);
    let holder = site.zones.iter().rev().find(|holder| typed.is_subdomain_of(holder));
    Some(match holder {
        Some(holder) if !is_in_zone => diagnosis.with("parent_zone", Argument::Name(holder.clone())),
        _ => diagnosis,
    })
}

/// Looks whether the servers of the zone above still give the records that a delegation has cut off.
fn look_above(missing: &[&Site<'_>], inquiry: &mut Inquiry<'_>, hits: &mut [Option<Diagnosis>]) {
    for (site, hit) in missing.iter().zip(hits) {
        let Some(above) = site.zone_above() else { return };
        let sight = inquiry.look_at(&site.record.question(), above);
        let right = sight.seen.iter().copied().filter(|seen| is_expected_cname(site.record, seen)).collect();
        let sight = Sight { seen: right, ..sight };
        if sight.seen.is_empty() {
            // What the first record does not show, the others do not either.
            return;
        }
        *hit = Some(shadowed(site, above, &sight));
    }
}

/// Puts the finding of a record that the zone above holds together.
fn shadowed(site: &Site<'_>, above: &Name, sight: &Sight<'_>) -> Diagnosis {
    Diagnosis::new(site.finding(Code::SubzoneShadow))
        .with("typed", Argument::Name(site.record.name.clone()))
        .with("parent_zone", Argument::Name(above.clone()))
        .finding_there(sight)
}
