//! Where registrations happen, by the public suffix list that is compiled in.
//!
//! A hint only: it says how many questions to spend on a zone and which names people confuse.
//! No verdict rests on it; zone cuts are found by asking, and DMARC has its own tree walk.

use psl::Psl;

use crate::dns::name::Name;

/// What the wire form of a name has beside its labels and the dots between them.
const ROOT_AND_FIRST_LENGTH: usize = 2;

/// Returns the name that its owner holds below a public suffix, hosting suffixes such as `github.io.`
/// included; `None` for the root, a public suffix itself, and a name that is not made of plain characters.
#[must_use]
pub fn registrable_name(name: &Name) -> Option<Name> {
    let text = name.to_lowercase().to_text_without_dot();
    let domain = psl::domain(text.as_bytes())?;
    Name::parse(std::str::from_utf8(domain.as_bytes()).ok()?).ok()
}

/// Says whether `zone` is the root or belongs to a registry: its servers lead on to the zones that people registered.
///
/// Hosting suffixes do not count: their zones hold their customers' records themselves.
#[must_use]
pub fn is_registry(zone: &Name) -> bool {
    if zone.label_count() <= 1 {
        return true;
    }
    zone.labels_from_top().is_some_and(|labels| {
        let suffix = psl::List.find(labels);
        suffix.len + ROOT_AND_FIRST_LENGTH == zone.wire().len() && suffix.typ == Some(psl::Type::Icann)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn registrable_names() {
        for (owner, registrable) in [
            ("t1._domainkey.mail.example.com", Some("example.com")),
            ("mail.example.co.uk", Some("example.co.uk")),
            ("Example.COM", Some("example.com")),
            ("a.tenant.github.io", Some("tenant.github.io")),
            ("co.uk", None),
            ("com", None),
            (".", None),
        ] {
            assert_eq!(registrable_name(&name(owner)), registrable.map(name), "{owner}");
        }
    }

    #[test]
    fn registries_lead_on_and_hosters_do_not() {
        for (zone, is) in [
            (".", true),
            ("com", true),
            ("nosuchtld", true),
            ("co.uk", true),
            ("example.co.uk", false),
            ("github.io", false),
            ("example.com", false),
        ] {
            assert_eq!(is_registry(&name(zone)), is, "{zone}");
        }
    }
}
