//! Where a DKIM record that is missing from its own name was put instead.

use std::collections::BTreeSet;

use crate::dns::name::Name;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::Evidence;
use crate::expectation::{DKIM_TOKENS, RecordKind};
use crate::findings::candidates::{Candidate, MAX_CANDIDATES, candidates, wildcard_probe};
use crate::findings::catalogue::Code;
use crate::findings::dkim::site::{Diagnosis, Site};
use crate::findings::dkim::target::{is_of_previous_token, read_target};
use crate::findings::finding::Argument;
use crate::findings::inquiry::{Inquiry, Sight};
use crate::findings::status::{cname_targets, is_expected_cname};

/// Looks for the missing records of one domain; the result has one entry for each of `missing`, in order.
///
/// Where a record stands nowhere and one of an earlier identity does, that says what happened.
pub(super) fn search(missing: &[&Site<'_>], is_explained: bool, inquiry: &mut Inquiry<'_>) -> Vec<Option<Diagnosis>> {
    let mut hits: Vec<Option<Diagnosis>> = vec![None; missing.len()];
    look_above(missing, inquiry, &mut hits);
    if inquiry.is_wanting() {
        return hits;
    }
    let mut looked = BTreeSet::new();
    let older = older_records(missing, inquiry, &mut looked);
    look_elsewhere(missing, is_explained || !older.is_empty(), inquiry, (&mut hits, &mut looked));
    for (site, hit) in missing.iter().zip(&mut hits).filter(|(_, hit)| hit.is_none() && !older.is_empty()) {
        let mut names: Vec<Name> = older.iter().map(|sight| sight.question.name.clone()).collect();
        names.sort();
        let stale = Diagnosis::new(site.finding(Code::TokenStale)).with("previous", Argument::Names(names));
        *hit = Some(older.iter().fold(stale, Diagnosis::finding_there));
    }
    hits
}

/// Looks whether the records of an earlier identity are there; each name counts as one that was looked at.
fn older_records<'e>(
    missing: &[&Site<'_>],
    inquiry: &mut Inquiry<'e>,
    looked: &mut BTreeSet<Question>,
) -> Vec<Sight<'e>> {
    let Some(site) = missing.first().filter(|site| site.is_registered()) else { return Vec::new() };
    let tokens = site.expectation.previous_tokens.iter().take(DKIM_TOKENS);
    let names = tokens.filter_map(|token| wildcard_probe(&site.expectation.domain, token));
    let questions = names.map(|name| Question::new(name, RecordType::CNAME));
    let sights: Vec<Sight<'_>> = questions
        .map(|question| {
            looked.insert(question.clone());
            inquiry.look(&question)
        })
        .collect();
    let is_older = |sight: &Sight<'_>| match sight.cname_targets().as_slice() {
        [target] => is_of_previous_token(target, site.expectation),
        _ => false,
    };
    sights.into_iter().filter(is_older).collect()
}

/// Looks for the missing records at the names that people put them at.
///
/// People make the same mistake with all three records. So where all are missing, one of them is looked for where many
/// people put it, the others first at the likeliest name only; where one is not, they are not alike, and each is looked
/// for. Where nothing was found, the one is looked for where few people put it,
/// unless nobody answered there; where something was, the others at the same place and then wherever it is likely.
/// Never at more than [`MAX_CANDIDATES`] names, and only where many people put it if `is_explained` without that.
fn look_elsewhere(
    missing: &[&Site<'_>],
    is_explained: bool,
    inquiry: &mut Inquiry<'_>,
    (hits, looked): (&mut [Option<Diagnosis>], &mut BTreeSet<Question>),
) {
    let lists: Vec<Vec<Candidate>> =
        missing.iter().map(|site| candidates(&site.expectation.domain, site.zones, site.record)).collect();
    let mut searches: Vec<Search<'_, '_>> = missing
        .iter()
        .zip(&lists)
        .zip(hits.iter_mut())
        .filter(|(_, hit)| hit.is_none())
        .map(|((site, list), hit)| Search { site, list, hit, place: None, is_answered: false })
        .collect();
    let all = missing.first().map_or(0, |site| site.expectation.of_kind(RecordKind::Dkim).count());
    let are_alike = missing.len() == all;
    for (index, search) in searches.iter_mut().enumerate() {
        let first = search.list.first().map(|candidate| candidate.place);
        search.look(
            inquiry,
            looked,
            |each| {
                if index == 0 || !are_alike { each.is_likely } else { Some(each.place) == first }
            },
        );
    }
    let places = |searches: &[Search<'_, '_>]| searches.iter().filter_map(|search| search.place).collect::<Vec<_>>();
    if places(&searches).is_empty() && !is_explained && !inquiry.is_wanting() {
        searches
            .iter_mut()
            .take(1)
            .filter(|search| search.is_answered)
            .for_each(|search| search.look(inquiry, looked, |_| true));
    }
    let found = places(&searches);
    if found.is_empty() || inquiry.is_wanting() {
        return;
    }
    searches.iter_mut().for_each(|search| search.look(inquiry, looked, |each| found.contains(&each.place)));
    if !inquiry.is_wanting() {
        searches.iter_mut().for_each(|search| search.look(inquiry, looked, |each| each.is_likely));
    }
}

/// The search for one record.
struct Search<'a, 'e> {
    /// The record.
    site: &'a Site<'e>,
    /// Where it may be.
    list: &'a [Candidate],
    /// What was found.
    hit: &'a mut Option<Diagnosis>,
    /// The mistake that was found.
    place: Option<usize>,
    /// Whether somebody answered.
    is_answered: bool,
}

impl Search<'_, '_> {
    /// Looks at the candidates that `is_meant` picks, unless the record was found; `looked` are the names that were
    /// looked at for all records.
    fn look(
        &mut self,
        inquiry: &mut Inquiry<'_>,
        looked: &mut BTreeSet<Question>,
        is_meant: impl Fn(&Candidate) -> bool,
    ) {
        if self.hit.is_some() {
            return;
        }
        let mut is_affordable = |candidate: &&Candidate| {
            let is_known = looked.contains(&candidate.question);
            is_known || (looked.len() < MAX_CANDIDATES && looked.insert(candidate.question.clone()))
        };
        let meant = self.list.iter().filter(|candidate| is_meant(candidate)).filter(|each| is_affordable(each));
        // All are looked up before one is chosen, so that they are asked in one round.
        let sights: Vec<(&Candidate, Sight<'_>)> =
            meant.map(|candidate| (candidate, inquiry.look(&candidate.question))).collect();
        self.is_answered |= sights.iter().any(|(_, sight)| !sight.seen.is_empty());
        let by_wildcard = targets_of_wildcard(self.site, inquiry.evidence());
        let real = sights.iter().filter(|(_, sight)| by_wildcard.is_empty() || sight.cname_targets() != by_wildcard);
        let found = real
            .filter_map(|(candidate, sight)| Some((candidate.place, explain_hit(self.site, candidate, sight)?)))
            .next();
        if let Some((place, diagnosis)) = found {
            self.place = Some(place);
            *self.hit = Some(diagnosis);
        }
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
    let is_meant = if candidate.code == Code::FieldsSwapped {
        **target == site.record.name || site.record.name.concat(zone).as_ref() == Ok(*target)
    } else {
        read_target(target, site.record, site.expectation, Some(zone)).is_meant()
    };
    if !is_meant {
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
