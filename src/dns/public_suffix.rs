//! Where registrations happen, by the public suffix list that is compiled in.
//!
//! A hint only: it says how many questions to spend on a zone and which names people confuse.
//! No verdict rests on it; zone cuts are found by asking, and DMARC has its own tree walk.

use crate::dns::name::Name;

/// Returns the name that its owner registered below a public suffix (`example.co.uk.`); `None` for
/// the root, a public suffix itself, and a name that is not made of plain characters.
#[must_use]
pub fn registrable_name(name: &Name) -> Option<Name> {
    let text = name.to_lowercase().to_text_without_dot();
    let domain = psl::domain(text.as_bytes())?;
    Name::parse(std::str::from_utf8(domain.as_bytes()).ok()?).ok()
}

/// Says whether `name` is the root or a name below which anyone may register.
#[must_use]
pub fn is_public_suffix(name: &Name) -> bool {
    let text = name.to_lowercase().to_text_without_dot();
    name.is_root() || psl::suffix(text.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registrable_names() {
        for (name, registrable) in [
            ("t1._domainkey.mail.example.com", Some("example.com")),
            ("mail.example.co.uk", Some("example.co.uk")),
            ("Example.COM", Some("example.com")),
            ("co.uk", None),
            ("com", None),
            (".", None),
        ] {
            let expected = registrable.map(|text| Name::parse(text).unwrap());
            assert_eq!(registrable_name(&Name::parse(name).unwrap()), expected, "{name}");
        }
        assert!(is_public_suffix(&Name::parse("co.uk").unwrap()));
        assert!(is_public_suffix(&Name::root()));
        assert!(!is_public_suffix(&Name::parse("example.co.uk").unwrap()));
    }
}
