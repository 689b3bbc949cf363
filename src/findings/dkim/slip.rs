//! What got into a CNAME's target when it was typed or pasted.
//!
//! Reads the octets of labels (RFC 2181 §11 lets them be anything); says nothing about where the target leads.

use crate::dns::name::Name;
use crate::findings::catalogue::Code;

/// How the labels of an internationalised name start in the DNS (RFC 5890 §2.3.2.1).
const A_LABEL_PREFIX: &[u8] = b"xn--";
/// Words of a record line or a form that get in front of a value.
const FORM_WORDS: &[&str] = &["cname", "txt", "mx", "in", "type", "value", "target", "host", "points", "to", "alias"];

/// What a target has in it that no host name has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Slip {
    /// Characters that cannot be seen or only look like the right ones; each as its code point, sorted.
    Invisible(Vec<String>),
    /// The parts of a URL.
    Url,
    /// Quotation marks or blanks.
    Quotes,
    /// A comma or semicolon.
    Comma,
    /// A word of the form, a type or a preference in front of the name.
    TypeWord,
}

impl Slip {
    /// Returns the code for it.
    pub(super) fn code(&self) -> Code {
        match self {
            Self::Invisible(_) => Code::ValueInvisible,
            Self::Url => Code::ValueUrl,
            Self::Quotes => Code::ValueQuoted,
            Self::Comma => Code::ValueComma,
            Self::TypeWord => Code::ValueTypeWord,
        }
    }
}

/// Finds what got into a target that should be one of `expected`; what cannot be seen is told first.
///
/// `None` for a target that has neither the token nor the zone of one of these in it: it is another name, however odd.
pub(super) fn slip_in(target: &Name, expected: &[&Name]) -> Option<Slip> {
    let text = text_of(target);
    let is_meant = |expected: &&Name| {
        expected.first_label().is_some_and(|token| text.contains(&*String::from_utf8_lossy(token).to_ascii_lowercase()))
            || expected.parent().is_some_and(|zone| text.contains(&text_of(&zone)))
    };
    if !expected.iter().any(is_meant) {
        return None;
    }
    let strange = code_points(&text);
    if !strange.is_empty() {
        return Some(Slip::Invisible(strange));
    }
    if expected.iter().any(|expected| is_look_alike(target, expected)) {
        return Some(Slip::Invisible(Vec::new()));
    }
    let words: Vec<&str> = text.split(|each: char| each.is_whitespace() || matches!(each, ':' | '=')).collect();
    let is_form_word = |word: &&str| {
        FORM_WORDS.contains(word) || (!word.is_empty() && word.bytes().all(|octet| octet.is_ascii_digit()))
    };
    if text.contains('/') || text.contains("http:") || text.contains("https:") {
        Some(Slip::Url)
    } else if text.contains(['"', '\'', '`']) {
        Some(Slip::Quotes)
    } else if words.len() > 1 && words.iter().rev().skip(1).any(is_form_word) {
        Some(Slip::TypeWord)
    } else if text.contains([',', ';']) {
        Some(Slip::Comma)
    } else {
        text.contains(char::is_whitespace).then_some(Slip::Quotes)
    }
}

/// Writes a name in lower case with nothing escaped.
fn text_of(name: &Name) -> String {
    let octets = name.labels().collect::<Vec<_>>().join(&b'.').to_ascii_lowercase();
    String::from_utf8_lossy(&octets).into_owned()
}

/// Returns the code points of characters that do not print as ASCII; sorted, each once.
fn code_points(text: &str) -> Vec<String> {
    let is_strange = |each: &char| !each.is_ascii() || (each.is_ascii_control() && !each.is_ascii_whitespace());
    let mut points: Vec<String> =
        text.chars().filter(is_strange).map(|each| format!("U+{:04X}", u32::from(each))).collect();
    points.sort();
    points.dedup();
    points
}

/// Says whether a target differs from the expected one only by labels that stand for letters which are not ASCII.
fn is_look_alike(target: &Name, expected: &Name) -> bool {
    let is_a_label =
        |label: &[u8]| label.get(..A_LABEL_PREFIX.len()).is_some_and(|head| head.eq_ignore_ascii_case(A_LABEL_PREFIX));
    target != expected
        && target.label_count() == expected.label_count()
        && target.labels().zip(expected.labels()).all(|(one, other)| one.eq_ignore_ascii_case(other) || is_a_label(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::sample::name;

    #[test]
    fn what_got_into_a_target_is_told_by_its_octets() {
        let expected = name("t1.dkim.amazonses.com");
        let invisible = |points: &[&str]| Some(Slip::Invisible(points.iter().map(ToString::to_string).collect()));
        for (target, slip) in [
            ("t1.dkim.amazonses.com", None),
            ("www.example.net", None),
            (r#"\"t1.dkim.amazonses.com\""#, Some(Slip::Quotes)),
            (r"\032t1.dkim.amazonses.com", Some(Slip::Quotes)),
            (r#"\"t1.dkim.amazonses.com\".example.com"#, Some(Slip::Quotes)),
            ("https://t1.dkim.amazonses.com/", Some(Slip::Url)),
            ("http:t1.dkim.amazonses.com", Some(Slip::Url)),
            ("t1.dkim.amazonses.com/", Some(Slip::Url)),
            (r"CNAME\032t1.dkim.amazonses.com", Some(Slip::TypeWord)),
            (r"10\032t1.dkim.amazonses.com", Some(Slip::TypeWord)),
            (r"t1._domainkey.mail\032IN\032CNAME\032t1.dkim.amazonses.com", Some(Slip::TypeWord)),
            ("value:t1.dkim.amazonses.com", Some(Slip::TypeWord)),
            ("t1.dkim.amazonses.com,", Some(Slip::Comma)),
            (r"t1.dkim.amazonses.com\;", Some(Slip::Comma)),
            ("t1.dkim.amazonses.com\u{200b}", invisible(&["U+200B"])),
            ("\u{201c}t1.dkim.amazonses.com\u{201d}", invisible(&["U+201C", "U+201D"])),
            ("t1.dkim.am\u{430}zonses.com", invisible(&["U+0430"])),
            ("t1.dkim.xn--mazonses-42g.com", invisible(&[])),
            ("xn--bcher-kva.example", None),
            ("https://www.example.net", None),
            (r"\007.example.net", None),
            ("t1.dkim.xn--mazonses-42g.net", None),
        ] {
            assert_eq!(slip_in(&name(target), &[&expected]), slip, "{target}");
        }
    }
}
