//! What a TXT record in a DKIM CNAME's place holds.

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::expectation::{Expectation, Expected};
use crate::findings::dkim::site::records_in;
use crate::findings::inquiry::Sight;

/// What the text is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Text {
    /// The name of an expected target.
    Target(Name),
    /// A DKIM key, as it stands at the target.
    Key,
}

/// Reads the TXT records that were seen; a target says more than a key.
pub(super) fn read_text(sight: &Sight<'_>, expectation: &Expectation) -> Option<Text> {
    let records = sight.seen.iter().flat_map(|seen| records_in(seen));
    let texts: Vec<String> = records.filter_map(|record| text_of(record.rdata)).collect();
    meaning(&texts, expectation)
}

/// Joins the character-strings of a TXT record; octets that are no UTF-8 are replaced.
fn text_of(rdata: Rdata) -> Option<String> {
    match rdata {
        Rdata::Txt(strings) => Some(String::from_utf8_lossy(&strings.concat()).into_owned()),
        _ => None,
    }
}

/// Says what a set of texts is.
fn meaning(texts: &[String], expectation: &Expectation) -> Option<Text> {
    let target = texts.iter().find_map(|text| target_in(text, expectation)).map(Text::Target);
    target.or_else(|| texts.iter().any(|text| is_key(text)).then_some(Text::Key))
}

/// Finds an expected target in a text: quotes, white space, a final dot and words in front of it, such as
/// `CNAME`, are no part of it; nor does case count.
fn target_in(text: &str, expectation: &Expectation) -> Option<Name> {
    let word = text.trim_matches(is_decoration).rsplit(is_decoration).next()?;
    let name = Name::parse(word.trim_end_matches('.')).ok()?;
    let is_expected = |target: &&Name| **target == name;
    expectation
        .records
        .iter()
        .filter_map(|record| if let Expected::Cname(target) = &record.expected { Some(target) } else { None })
        .find(is_expected)
        .cloned()
}

/// Says whether a character stands around a name rather than in it.
fn is_decoration(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'' | '\u{201c}' | '\u{201d}' | ';' | ',' | '=' | ':')
}

/// Says whether a text starts as a DKIM key record does (RFC 6376 §3.6.1).
fn is_key(text: &str) -> bool {
    let packed: String = text.chars().filter(|each| !is_blank_or_quote(*each)).take(7).collect();
    let packed = packed.to_ascii_lowercase();
    packed.starts_with("v=dkim1") || packed.starts_with("p=") || packed.starts_with("k=rsa")
}

/// Says whether a character is white space or a quote.
fn is_blank_or_quote(character: char) -> bool {
    character.is_whitespace() || character == '"'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expectation::DEFAULT_DKIM_ZONE;
    use crate::findings::sample::name;

    #[test]
    fn a_text_is_read_whatever_stands_around_it() {
        let expectation = Expectation::new("example.com", &["t1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
        let target = |token: &str| Some(Text::Target(name(token).concat(&name(DEFAULT_DKIM_ZONE)).unwrap()));
        for (text, read) in [
            ("t1.dkim.amazonses.com", target("t1")),
            ("T2.dkim.AmazonSES.com.", target("t2")),
            ("\"t1.dkim.amazonses.com.\"", target("t1")),
            ("CNAME t1.dkim.amazonses.com", target("t1")),
            ("cname: t1.dkim.amazonses.com ; ", target("t1")),
            ("t1._domainkey.example.com. IN CNAME t1.dkim.amazonses.com.", target("t1")),
            ("  t3.dkim.amazonses.com\t", target("t3")),
            ("p=MIGfMA0", Some(Text::Key)),
            ("v=DKIM1; k=rsa; p=", Some(Text::Key)),
            ("t9.dkim.amazonses.com", None),
            ("v=spf1 -all", None),
            ("", None),
            ("p=MIG | t1.dkim.amazonses.com", target("t1")),
        ] {
            let strings = text.split(" | ").map(|text| Rdata::Txt(vec![text.as_bytes().into()]));
            let texts: Vec<String> = strings.filter_map(text_of).collect();
            assert_eq!(meaning(&texts, &expectation), read, "{text}");
        }
    }
}
