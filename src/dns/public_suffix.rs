//! Where registrations happen, by the public suffix list that is compiled in.
//!
//! A hint only: it says how many questions to spend on a zone and which names people confuse.
//! No verdict rests on it; zone cuts are found by asking, and DMARC has its own tree walk.

use psl::Psl;

use crate::dns::name::Name;

/// What the wire form of a name has beside its labels and the dots between them.
const ROOT_AND_FIRST_LENGTH: usize = 2;

/// Returns the name that its owner holds below a public suffix, hosting suffixes such as `github.io.`
/// included, in lower case; `None` for the root, a public suffix itself, and a name with an octet of 0 or 1 in it.
#[must_use]
pub fn registrable_name(name: &Name) -> Option<Name> {
    // As text the suffix is as long as its labels and the dots between them.
    let mut left = psl::List.find(name.labels_from_top()?).len.checked_add(1)?;
    let in_suffix = name.labels_from_top()?.take_while(|label| {
        left = left.saturating_sub(label.len() + 1);
        left > 0
    });
    let labels = in_suffix.count() + 2;
    if name.label_count() < labels {
        return None;
    }
    let registrable = name.last_labels(labels);
    let is_lower = !registrable.wire().iter().any(u8::is_ascii_uppercase);
    Some(if is_lower { registrable } else { registrable.to_lowercase() })
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
    use proptest::prelude::*;

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

    /// Reads the registrable name from the text of a name, as the list's own crate does.
    fn by_text(name: &Name) -> Option<Name> {
        let text = name.to_lowercase().to_text_without_dot();
        Name::parse(str::from_utf8(psl::domain(text.as_bytes())?.as_bytes()).ok()?).ok()
    }

    proptest! {
        #[test]
        fn labels_tell_what_text_tells(
            front in prop::collection::vec("[a-zA-Z0-9_-]{1,5}", 0..4),
            end in prop::sample::select(vec![
                "", "com", "co.uk", "github.io", "ck", "www.ck", "kawasaki.jp", "city.kawasaki.jp", "nosuchtld",
                "s3.amazonaws.com", "Example.COM", "compute.amazonaws.com", "xn--p1ai",
            ]),
        ) {
            let labels = front.iter().map(String::as_str).chain(end.split('.').filter(|label| !label.is_empty()));
            let name = Name::from_labels(labels).unwrap();
            let (is, wanted) = (registrable_name(&name), by_text(&name));
            prop_assert_eq!(is.map(|name| name.to_string()), wanted.map(|name| name.to_string()), "{}", name);
        }
    }
}
