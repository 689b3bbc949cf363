//! The wrong names that people put a DKIM record at.
//!
//! Pure arithmetic on names: which names to look at when a record is not where it should be, and
//! what a record there says about how it was typed.

use crate::dns::name::{Name, NameError};
use crate::dns::public_suffix;
use crate::dns::rrset::{Question, RecordType};
use crate::expectation::{Expected, ExpectedRecord};
use crate::findings::catalogue::Code;

/// The most names that are looked at for one record: three records make 24 questions (faults.md §1b).
pub const MAX_CANDIDATES: usize = 8;
/// The most names above the domain that are looked at; people leave out one label or two.
const MAX_NAMES_ABOVE: usize = 2;
/// The label that all DKIM keys lie below (RFC 6376 §3.6.2.1).
const KEY_LABEL: &str = "_domainkey";
/// The same label as a panel leaves it that takes host names only (RFC 1123 §2.1).
const STRIPPED_LABEL: &str = "domainkey";

/// A name that the record may stand at by mistake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// What was done wrong if it stands there.
    pub code: Code,
    /// The question that shows it.
    pub question: Question,
    /// What the record there would point at.
    pub expected: Name,
}

/// Returns the names to look at for one expected DKIM record of `domain`, the likeliest first.
///
/// `zones` are the zones between the root and the record, the deepest last. Without duplicates,
/// never the record's own name, at most eight; names that are too long are left out. Empty where
/// the deepest zone lies above the name that was registered, and for other records than CNAMEs.
#[must_use]
pub fn candidates(domain: &Name, zones: &[Name], record: &ExpectedRecord) -> Vec<Candidate> {
    let (Expected::Cname(expected), Some(token)) = (&record.expected, record.token()) else { return Vec::new() };
    let Some(registered) = public_suffix::registrable_name(domain) else { return Vec::new() };
    let Some(zone) = zones.last().filter(|zone| zone.is_subdomain_of(&registered)) else { return Vec::new() };
    let own = &record.name;
    let mut names: Vec<(Code, Result<Name, NameError>)> = Vec::new();

    // The panel of a zone appends the zone's name to a host that was typed in full.
    let panels = zones.iter().rev().filter(|panel| panel.is_subdomain_of(&registered));
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
    let hyphened = [token, b"-", STRIPPED_LABEL.as_bytes()].concat();
    names.push((Code::UnderscoreStripped, domain.prepend(hyphened)));

    let mut list: Vec<Candidate> = Vec::new();
    for (code, name) in names.into_iter().filter_map(|(code, name)| Some((code, name.ok()?))) {
        let question = Question::new(name, RecordType::CNAME);
        let is_new = question.name != *own && list.iter().all(|known| known.question != question);
        if is_new && list.len() < MAX_CANDIDATES {
            list.push(Candidate { code, question, expected: expected.clone() });
        }
    }
    list
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
    fn a_registered_name_has_no_label_to_leave_out() {
        assert_eq!(
            listed("example.com", &[".", "com.", "example.com."]),
            [
                "host_doubled t1._domainkey.example.com.example.com. CNAME",
                "domainkey_missing t1.example.com. CNAME",
                "underscore_stripped t1.domainkey.example.com. CNAME",
                "underscore_stripped t1-domainkey.example.com. CNAME",
            ]
        );
    }

    #[test]
    fn nothing_is_looked_for_at_the_registry() {
        assert_eq!(listed("mail.example.com", &[".", "com."]), [""; 0]);
    }

    #[test]
    fn the_list_is_bounded_and_skips_names_that_are_too_long() {
        let zones: Vec<String> = (0..9).map(|cut| format!("{}example.com.", "z.".repeat(cut))).collect();
        let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
        assert_eq!(listed(&format!("{}example.com", "z.".repeat(9)), &zones).len(), MAX_CANDIDATES);
        let long = format!("{}.{}.{}.{}.example.com", "a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(40));
        let names = listed(&long, &[".", "com.", "example.com."]);
        assert!(names.iter().all(|each| !each.starts_with("host_doubled")), "{names:?}");
        assert_eq!(names.len(), 6);
    }

    #[test]
    fn the_probe_lies_beside_the_records() {
        let probe = wildcard_probe(&name("mail.example.com"), "abc").unwrap();
        assert_eq!(probe, name("abc._domainkey.mail.example.com"));
    }
}
