//! Texts that are meant as an SPF record, and how they were kept from being the one that was meant.
//!
//! Pure rules over the text of one TXT record; whether it is the only one at its name is for others.

use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::evidence::Observation;
use crate::records::spf::{SpfRecord, is_spf, parse};
use crate::records::txt::join;

/// The most strings of a record that are looked at one by one; ours, above what 4096 octets of text need.
const MAX_STRINGS: usize = 17;
/// What people and panels put around a record and nobody wants to have there: blanks and quotation marks, those of
/// word processors too, and marks that cannot be seen (byte order mark, zero-width and no-break blanks).
const WRAPPINGS: &[&[u8]] = &[
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\"",
    b"'",
    b"`",
    b"\\",
    "\u{a0}".as_bytes(),
    "\u{200b}".as_bytes(),
    "\u{200c}".as_bytes(),
    "\u{200d}".as_bytes(),
    "\u{2018}".as_bytes(),
    "\u{2019}".as_bytes(),
    "\u{201c}".as_bytes(),
    "\u{201d}".as_bytes(),
    "\u{201e}".as_bytes(),
    "\u{ab}".as_bytes(),
    "\u{bb}".as_bytes(),
    "\u{feff}".as_bytes(),
];

/// Returns the SPF record that stands in a text behind blanks or quotation marks, so that it is none (RFC 7208 §4.5).
///
/// The text of the record, without what stands around it. `None` where the text is an SPF record, or has none in it.
pub(in crate::findings) fn unwrapped(text: &[u8]) -> Option<Vec<u8>> {
    let mut bare = text;
    while let Some(rest) = WRAPPINGS.iter().find_map(|wrapping| bare.strip_prefix(*wrapping)) {
        bare = rest;
    }
    if bare.len() == text.len() {
        return None;
    }
    while let Some(rest) = WRAPPINGS.iter().find_map(|wrapping| bare.strip_suffix(*wrapping)) {
        bare = rest;
    }
    is_spf(bare).then(|| without_inner_quotes(bare))
}

/// Takes out the quotation marks of a record that was pasted as a zone file has it, in several strings.
fn without_inner_quotes(text: &[u8]) -> Vec<u8> {
    let mut rest = text;
    let mut bare = Vec::with_capacity(text.len());
    while let Some((first, behind)) = rest.split_first() {
        let mark = rest.strip_prefix(b"\" \"").or_else(|| rest.strip_prefix(b"\"\""));
        if mark.is_none() {
            bare.push(*first);
        }
        rest = mark.unwrap_or(behind);
    }
    bare
}

/// Returns the SPF record that the strings of one TXT record make with a blank between them, where they were cut at a
/// blank that was lost: they are joined with nothing between (RFC 7208 §3.3).
///
/// Either at every cut without a blank, or at one of them. `None` where that makes no SPF record that can be read;
/// whether the record as it stands is worse is for the caller.
pub(super) fn respaced(strings: &[Box<[u8]>]) -> Option<SpfRecord> {
    let lacks_blank = |at: &usize| match (at.checked_sub(1).and_then(|before| strings.get(before)), strings.get(*at)) {
        (Some(left), Some(right)) => {
            left.last().is_some_and(|octet| *octet != b' ') && right.first().is_some_and(|octet| *octet != b' ')
        }
        _ => false,
    };
    if strings.len() > MAX_STRINGS {
        return None;
    }
    let cuts: Vec<usize> = (1..strings.len()).filter(lacks_blank).collect();
    let spaced_at = |meant: &[usize]| -> Option<SpfRecord> {
        let mut text = Vec::new();
        for (at, string) in strings.iter().enumerate() {
            if meant.contains(&at) {
                text.push(b' ');
            }
            text.extend_from_slice(string);
        }
        parse(&text).ok()
    };
    let alone = cuts.iter().filter(|_| cuts.len() > 1).find_map(|at| spaced_at(&[*at]));
    alone.or_else(|| if cuts.is_empty() { None } else { spaced_at(&cuts) })
}

/// Says whether a text is an SPF record or has one in it.
pub(in crate::findings) fn is_meant(text: &[u8]) -> bool {
    is_spf(text) || unwrapped(text).is_some()
}

/// One TXT record, joined, and the strings that it was cut into.
pub(super) type CutRecord = (Vec<u8>, Vec<Box<[u8]>>);

/// Returns the strings of the TXT records that one reply holds, each record apart, by the joined text; sorted.
///
/// Those at the end of an alias where the same server gives them too.
pub(super) fn cut_records(seen: &Observation) -> Vec<CutRecord> {
    let rrset = match seen.response() {
        Some(Response::Answer(answer)) => Some(&answer.rrset),
        Some(Response::Alias(alias)) => alias.rrset.as_ref(),
        _ => None,
    };
    let data = rrset.into_iter().flat_map(|rrset| rrset.data());
    let mut records: Vec<CutRecord> = data
        .filter_map(|rdata| match rdata {
            Rdata::Txt(strings) => Some((join(strings), strings.clone())),
            _ => None,
        })
        .collect();
    records.sort();
    records
}

/// Finds the first record whose strings make an SPF record that `is_meant` with the blanks that they lost; returns the
/// text as it stands, and the record.
pub(super) fn split_wrong(
    records: &[CutRecord],
    is_meant: impl Fn(&SpfRecord) -> bool,
) -> Option<(Vec<u8>, SpfRecord)> {
    records.iter().find_map(|(text, strings)| {
        let record = respaced(strings).filter(&is_meant)?;
        Some((text.clone(), record))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts a text at every `|`.
    fn cut(text: &str) -> Vec<Box<[u8]>> {
        text.split('|').map(|string| string.as_bytes().into()).collect()
    }

    #[test]
    fn what_stands_around_a_record_is_taken_off() {
        for (text, bare) in [
            (" v=spf1 -all", Some("v=spf1 -all")),
            ("\"v=spf1 include:amazonses.com ~all\"", Some("v=spf1 include:amazonses.com ~all")),
            ("\u{201c}v=spf1 -all\u{201d}", Some("v=spf1 -all")),
            ("\u{feff}V=SPF1", Some("V=SPF1")),
            ("\\\"v=spf1 -all\\\"", Some("v=spf1 -all")),
            ("\"v=spf1 include:amazon\" \"ses.com ~all\"", Some("v=spf1 include:amazonses.com ~all")),
            ("v=spf1 -all", None),
            ("v=spf1 -all ", None),
            (" v=spf10 -all", None),
            (" spf1 -all", None),
            ("\"", None),
            ("", None),
        ] {
            assert_eq!(unwrapped(text.as_bytes()).as_deref(), bare.map(str::as_bytes), "{text:?}");
        }
    }

    #[test]
    fn a_blank_is_put_back_where_that_makes_a_record() {
        for (strings, record) in [
            ("v=spf1|include:amazonses.com ~all", Some("v=spf1 include:amazonses.com ~all")),
            ("v=spf1 a|mx -all", Some("v=spf1 a mx -all")),
            ("v=spf1 include:amazonses.com|~all", Some("v=spf1 include:amazonses.com ~all")),
            // One cut in the middle of a word, and one at a blank that was lost.
            ("v=spf1 include:amazon|ses.com|~all", Some("v=spf1 include:amazonses.com ~all")),
            ("v=spf1 |include:amazonses.com ~all", None),
            ("v=spf1 include:amazon|ses.com ~all", None),
            ("v=spf1 a:b.example ~all", None),
            ("v=spf1||-all", None),
        ] {
            assert_eq!(respaced(&cut(strings)).map(|record| record.to_string()).as_deref(), record, "{strings}");
        }
    }

    #[test]
    fn a_record_in_very_many_strings_is_left_alone() {
        assert_eq!(respaced(&cut(&format!("v=spf1{}", "|a".repeat(MAX_STRINGS)))), None);
        assert!(respaced(&cut(&format!("v=spf1{}", "|a".repeat(MAX_STRINGS - 1)))).is_some());
    }
}
