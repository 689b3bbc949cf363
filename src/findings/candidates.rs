//! The wrong names that people put a DKIM record at.
//!
//! Pure arithmetic on names: which names to look at when a record is not where it should be, and
//! what a record there says about how it was typed.

use crate::dns::name::{Name, NameError};
use crate::dns::public_suffix;
use crate::dns::rrset::Question;
use crate::expectation::{Expected, ExpectedRecord};
use crate::findings::catalogue::Code;

/// The most names that are looked at for all records of a domain.
pub const MAX_CANDIDATES: usize = 24;
/// The most names above the domain that are looked at; people leave out one label or two.
const MAX_NAMES_ABOVE: usize = 2;
/// The most zones whose panels may have appended their name.
const MAX_PANELS: usize = 2;
/// The label that all DKIM keys lie below (RFC 6376 §3.6.2.1).
const KEY_LABEL: &str = "_domainkey";
/// The same label as a panel leaves it that takes host names only (RFC 1123 §2.1).
const STRIPPED_LABEL: &str = "domainkey";
/// How people misspell it.
const MISSPELLED_LABELS: &[&str] = &["_domainkeys", "_domain_key", "_dkim"];
/// What people put between the token and the label in place of a dot.
const WRONG_LINKS: &[&str] = &["-", ""];

/// A name that the record may stand at by mistake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// What was done wrong if it stands there.
    pub code: Code,
    /// The question that shows it.
    pub question: Question,
    /// Which mistake it is: the same number for all records of a domain.
    pub place: usize,
    /// Whether many people make this mistake.
    pub is_likely: bool,
}

/// Returns the names to look at for one expected DKIM record of `domain`, the likeliest first.
///
/// `zones` are the zones between the root and the record, the deepest last. Without duplicates,
/// never the record's own name; names that are too long are left out. Empty where
/// the deepest zone lies above the name that was registered, and for a selector of several labels.
#[must_use]
pub fn candidates(domain: &Name, zones: &[Name], record: &ExpectedRecord) -> Vec<Candidate> {
    let Some(token) = selector_label(domain, record) else { return Vec::new() };
    let Some(registered) = public_suffix::registrable_name(domain) else { return Vec::new() };
    let Some(zone) = zones.last().filter(|zone| zone.is_subdomain_of(&registered)) else { return Vec::new() };
    let own = &record.name;
    let mut names: Vec<(Code, Result<Name, NameError>)> = Vec::new();

    // The panel of a zone appends the zone's name to a host that was typed in full.
    let panels = zones.iter().rev().filter(|panel| panel.is_subdomain_of(&registered)).take(MAX_PANELS);
    names.extend(panels.map(|panel| (Code::HostDoubled, own.concat(panel))));
    names.push((Code::HostDoubled, own.concat(&registered)));

    // The host was typed as if the domain were one that lies above it.
    let above = domain.ancestors().skip(1).take_while(|name| name.is_subdomain_of(&registered)).take(MAX_NAMES_ABOVE);
    names.extend(above.map(|parent| (Code::LabelMissing, below(token, Some(KEY_LABEL), &parent))));

    // The token alone was typed, with the subdomain or without it.
    names.push((Code::DomainkeyMissing, below(token, None, domain)));
    names.push((Code::DomainkeyMissing, below(token, None, zone)));

    // The panel takes letters, digits and hyphens only.
    names.push((Code::UnderscoreStripped, below(token, Some(STRIPPED_LABEL), domain)));
    names.push((Code::UnderscoreStripped, linked(token, "-", STRIPPED_LABEL, domain)));

    let likely = names.len();
    names.extend(rare_names(domain, zone, &registered, token));
    if let Expected::Cname(expected) = &record.expected {
        names.push((Code::FieldsSwapped, expected.concat(zone)));
    }

    let mut list: Vec<Candidate> = Vec::new();
    for (place, (code, name)) in names.into_iter().enumerate() {
        let Ok(name) = name else { continue };
        let question = Question::new(name, record.record_type);
        if question.name != *own && list.iter().all(|known| known.question != question) {
            list.push(Candidate { code, question, place, is_likely: place < likely });
        }
    }
    list
}

/// Returns the names that few people put a record at.
fn rare_names(domain: &Name, zone: &Name, registered: &Name, token: &[u8]) -> Vec<(Code, Result<Name, NameError>)> {
    let mut names = Vec::new();
    // The label of the subdomain was typed although the panel, or the form that the host came from, adds it.
    if let Some(label) = domain.first_label().filter(|_| domain != registered) {
        let repeated = domain.prepend(label).and_then(|name| below(token, Some(KEY_LABEL), &name));
        names.push((Code::LabelExtra, repeated));
    }
    let www = zone.prepend("www").and_then(|name| below(token, Some(KEY_LABEL), &name));
    names.push((Code::LabelExtra, www));

    let misspelled = MISSPELLED_LABELS.iter().map(|label| below(token, Some(label), domain));
    let wrongly_linked = WRONG_LINKS.iter().map(|link| linked(token, link, KEY_LABEL, domain));
    let exchanged = domain.prepend(token).and_then(|name| name.prepend(KEY_LABEL));
    let typos = misspelled.chain(wrongly_linked).chain(std::iter::once(exchanged));
    names.extend(typos.map(|name| (Code::UnderscoreTypo, name)));
    names
}

/// Returns the one label in front of `_domainkey` in the name of a DKIM record of `domain`.
fn selector_label<'r>(domain: &Name, record: &'r ExpectedRecord) -> Option<&'r [u8]> {
    let keys = domain.prepend(KEY_LABEL).ok()?;
    record.name.first_label().filter(|_| record.name.parent() == Some(keys))
}

/// Puts a token and a label for keys as one label in front of a name.
fn linked(token: &[u8], link: &str, label: &str, name: &Name) -> Result<Name, NameError> {
    name.prepend([token, link.as_bytes(), label.as_bytes()].concat())
}

/// Returns the name beside the DKIM records that nobody made: what it has, a wildcard gave it (RFC 4592 §2.2).
///
/// `None` where it would be too long.
#[must_use]
pub fn wildcard_probe(domain: &Name, probe_label: &str) -> Option<Name> {
    below(probe_label.as_bytes(), Some(KEY_LABEL), domain).ok()
}

/// Puts a token, and a label for keys behind it, in front of a name.
fn below(token: &[u8], label: Option<&str>, name: &Name) -> Result<Name, NameError> {
    match label {
        Some(label) => name.prepend(label)?.prepend(token),
        None => name.prepend(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expectation::{DEFAULT_DKIM_ZONE, Expectation};
    use crate::findings::sample::name;

    /// Returns the candidates of the first record of `domain`, as `code name`.
    fn listed(domain: &str, zones: &[&str]) -> Vec<String> {
        let expectation = Expectation::new(domain, &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
        let zones: Vec<Name> = zones.iter().map(|zone| name(zone)).collect();
        candidates(&expectation.domain, &zones, &expectation.records[0])
            .iter()
            .map(|each| format!("{} {}", each.code.as_str(), each.question))
            .collect()
    }

    #[test]
    fn a_subdomain_in_its_parents_zone() {
        assert_eq!(
            listed("mail.example.com", &[".", "com.", "example.com."]),
            [
                "host_doubled t1._domainkey.mail.example.com.example.com. CNAME",
                "label_missing t1._domainkey.example.com. CNAME",
                "domainkey_missing t1.mail.example.com. CNAME",
                "domainkey_missing t1.example.com. CNAME",
                "underscore_stripped t1.domainkey.mail.example.com. CNAME",
                "underscore_stripped t1-domainkey.mail.example.com. CNAME",
                "label_extra t1._domainkey.mail.mail.example.com. CNAME",
                "label_extra t1._domainkey.www.example.com. CNAME",
                "underscore_typo t1._domainkeys.mail.example.com. CNAME",
                "underscore_typo t1._domain_key.mail.example.com. CNAME",
                "underscore_typo t1._dkim.mail.example.com. CNAME",
                "underscore_typo t1-_domainkey.mail.example.com. CNAME",
                "underscore_typo t1_domainkey.mail.example.com. CNAME",
                "underscore_typo _domainkey.t1.mail.example.com. CNAME",
                "fields_swapped t1.dkim.amazonses.com.example.com. CNAME",
            ]
        );
    }

    #[test]
    fn a_subdomain_that_is_a_zone_of_its_own_may_have_its_record_in_either_panel() {
        assert_eq!(
            listed("mail.example.com", &[".", "com.", "example.com.", "mail.example.com."])[..3],
            [
                "host_doubled t1._domainkey.mail.example.com.mail.example.com. CNAME",
                "host_doubled t1._domainkey.mail.example.com.example.com. CNAME",
                "label_missing t1._domainkey.example.com. CNAME",
            ]
        );
    }

    #[test]
    fn a_registered_name_has_no_label_to_leave_out_or_to_repeat() {
        let names = listed("example.com", &[".", "com.", "example.com."]);
        assert_eq!(
            names[..5],
            [
                "host_doubled t1._domainkey.example.com.example.com. CNAME",
                "domainkey_missing t1.example.com. CNAME",
                "underscore_stripped t1.domainkey.example.com. CNAME",
                "underscore_stripped t1-domainkey.example.com. CNAME",
                "label_extra t1._domainkey.www.example.com. CNAME",
            ]
        );
        assert_eq!(names.iter().filter(|each| each.starts_with("label_")).count(), 1);
    }

    #[test]
    fn nothing_is_looked_for_at_the_registry() {
        assert_eq!(listed("mail.example.com", &[".", "com."]), [""; 0]);
    }

    #[test]
    fn the_list_is_bounded_and_skips_names_that_are_too_long() {
        let zones: Vec<String> = (0..9).map(|cut| format!("{}example.com.", "z.".repeat(cut))).collect();
        let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
        assert!(listed(&format!("{}example.com", "z.".repeat(9)), &zones).len() < MAX_CANDIDATES);
        let long = format!("{}.{}.{}.{}.example.com", "a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(40));
        let names = listed(&long, &[".", "com.", "example.com."]);
        assert!(names.iter().all(|each| !each.starts_with("host_doubled")), "{names:?}");
        assert!(names.len() >= 6, "{names:?}");
    }

    #[test]
    fn the_probe_lies_beside_the_records() {
        let probe = wildcard_probe(&name("mail.example.com"), "abc").unwrap();
        assert_eq!(probe, name("abc._domainkey.mail.example.com"));
    }
}
