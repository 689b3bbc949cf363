//! Where an SPF record that is missing from its own name was put instead: in a record of the type that nobody reads any
//! more, at a name with the domain twice, or at the domain above.
//!
//! Asks only where a record is missing, so that one that is there costs nothing.

use crate::dns::name::Name;
use crate::dns::public_suffix::registrable_name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Evidence, Observation};
use crate::expectation::{ExpectedRecord, RecordKind};
use crate::findings::catalogue::Code;
use crate::findings::inquiry::{Inquiry, Sight};
use crate::findings::status::standing;
use crate::records::spf::{is_spf, parse};
use crate::records::txt::join;

/// The most names above the domain that are looked at; people leave out one label or two.
const MAX_NAMES_ABOVE: usize = 2;

/// A record that stands where nobody looks for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Stray {
    /// What was done wrong.
    pub(super) code: Code,
    /// The question that shows it.
    pub(super) question: Question,
    /// Its text.
    pub(super) text: Vec<u8>,
}

/// Looks for the record where people put it by mistake; `None` where it is not there either, where nobody knows yet, and
/// where the name is an alias, at which nothing of its own can stand.
pub(super) fn look(record: &ExpectedRecord, include: &Name, inquiry: &mut Inquiry<'_>) -> Option<Stray> {
    let evidence = inquiry.evidence();
    let own = standing(evidence, &record.question(), |_| false);
    if own.other.iter().any(|seen| matches!(seen.response(), Some(Response::Alias(_)))) {
        return None;
    }
    // NXDOMAIN covers every type (RFC 2308 §2.1): no record of another type can stand there.
    let exists = own.other.iter().any(|seen| !matches!(seen.response(), Some(Response::NxDomain(_))));
    let obsolete = exists.then(|| inquiry.look(&Question::new(record.name.clone(), RecordType::SPF)));
    // All are looked up before one is chosen, so that they are asked in one round.
    let sights: Vec<(Code, Sight<'_>)> = places(record, evidence)
        .into_iter()
        .map(|(code, name)| (code, inquiry.look(&Question::new(name, RecordType::TXT))))
        .collect();
    if let Some(sight) = obsolete
        && let Some(text) = sight.seen.first().and_then(|seen| texts(seen).into_iter().find(|text| is_spf(text)))
    {
        return Some(Stray { code: Code::SpfType99, question: sight.question, text });
    }
    sights.into_iter().find_map(|(code, sight)| {
        let names_ses = |text: &Vec<u8>| parse(text).is_ok_and(|found| found.includes().any(|name| name == *include));
        let text = sight.seen.first().and_then(|seen| texts(seen).into_iter().find(names_ses))?;
        let is_real = is_apex(evidence, &sight.question.name) || !is_of_wildcard(&sight.question.name, &text, inquiry);
        is_real.then_some(Stray { code, question: sight.question, text })
    })
}

/// Returns the names that the record may stand at by mistake, the likeliest first, each once.
///
/// Above the MAIL FROM name lies the sender domain, which has a record of its own: that one is never a stray.
fn places(record: &ExpectedRecord, evidence: &Evidence) -> Vec<(Code, Name)> {
    let Some(registered) = registrable_name(&record.name) else { return Vec::new() };
    let zone = evidence.zone_of(&record.name).map(|cut| &cut.zone).filter(|zone| zone.is_subdomain_of(&registered));
    let Some(zone) = zone else { return Vec::new() };
    // The panel of a zone appends the zone's name to a host that was typed in full.
    let doubled = [zone, &registered].into_iter().filter_map(|panel| record.name.concat(panel).ok());
    let mut places: Vec<(Code, Name)> = doubled.map(|name| (Code::SpfHostDoubled, name)).collect();
    if record.kind == RecordKind::Spf {
        let above = record.name.ancestors().skip(1).take_while(|name| name.is_subdomain_of(&registered));
        places.extend(above.take(MAX_NAMES_ABOVE).map(|name| (Code::SpfLabelMissing, name)));
    }
    let mut seen: Vec<Name> = Vec::new();
    places.retain(|(_, name)| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    places
}

/// Says whether a name is that of a zone, where no wildcard makes records up (RFC 4592 §2.2.2).
fn is_apex(evidence: &Evidence, name: &Name) -> bool {
    evidence.zone_of(name).is_some_and(|cut| cut.zone == *name)
}

/// Says whether a wildcard gives the text to any name beside, or nobody knows.
fn is_of_wildcard(name: &Name, text: &[u8], inquiry: &mut Inquiry<'_>) -> bool {
    let probe_label = &inquiry.evidence().probe_label;
    let Some(sibling) = name.parent().and_then(|parent| parent.prepend(probe_label).ok()) else { return true };
    let sight = inquiry.look(&Question::new(sibling, RecordType::TXT));
    sight.seen.first().is_none_or(|seen| texts(seen).iter().any(|other| other == text))
}

/// Returns the texts of the records of type TXT or SPF in an answer, joined.
fn texts(seen: &Observation) -> Vec<Vec<u8>> {
    let Some(Response::Answer(answer)) = seen.response() else { return Vec::new() };
    answer.rrset.data().iter().filter_map(text_of).collect()
}

/// Returns the text of a record of type TXT or SPF, joined.
///
/// The data of type SPF has the form of TXT (RFC 4408 §3.1.1): strings, each behind its length.
pub(super) fn text_of(rdata: &Rdata) -> Option<Vec<u8>> {
    match rdata {
        Rdata::Txt(strings) => Some(join(strings)),
        Rdata::Other { kind: RecordType::SPF, octets } => joined_octets(octets),
        _ => None,
    }
}

/// Joins strings that stand one behind the other, each behind its length; `None` where one is cut short.
fn joined_octets(octets: &[u8]) -> Option<Vec<u8>> {
    let (mut rest, mut text) = (octets, Vec::new());
    while let Some((length, behind)) = rest.split_first() {
        let (string, behind) = behind.split_at_checked(usize::from(*length))?;
        text.extend_from_slice(string);
        rest = behind;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_of_the_obsolete_type_are_strings_behind_their_lengths() {
        assert_eq!(joined_octets(b"\x06v=spf1\x05 -all").as_deref(), Some(b"v=spf1 -all".as_slice()));
        assert_eq!(joined_octets(b"").as_deref(), Some(b"".as_slice()));
        assert_eq!(joined_octets(b"\x06v=spf"), None);
    }
}
