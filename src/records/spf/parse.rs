//! Reads an SPF record by the grammar of RFC 7208 §12, and says where it breaks.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::str::FromStr;

use super::macro_string::{DomainSpec, Letters, MacroString};
use super::term::{DualCidr, IPV4_BITS, IPV6_BITS, Mechanism, Qualifier, Term, TermKind};
use super::{SpfRecord, VERSION, is_spf};
use crate::records::excerpt;

/// Why a text is no SPF record, or one that receivers answer with permerror (RFC 7208 §4.6).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at column {column}, in `{term}`")]
#[non_exhaustive]
pub struct ParseError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The octet where it goes wrong, counted from 1.
    pub column: usize,
    /// The term it goes wrong in: escaped, and cut short where very long.
    pub term: String,
}

/// What is wrong with a term.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text does not start with `v=spf1` and a blank or the end.
    #[error("no SPF record")]
    NotSpf,
    /// A term holds something other than visible ASCII: a tab, a smart quote, an umlaut.
    #[error("octet {0:#04x} is not visible ASCII")]
    BadOctet(u8),
    /// Neither a mechanism of RFC 7208 nor a modifier.
    #[error("unknown mechanism")]
    UnknownMechanism,
    /// The mechanism takes no argument, or none of this kind.
    #[error("argument out of place")]
    UnexpectedArgument,
    /// The domain is missing where there must be one.
    #[error("missing domain")]
    MissingDomain,
    /// The domain does not end in a dot and a label that is not all digits, nor in a macro.
    #[error("bad top label")]
    BadTopLabel,
    /// A percent sign starts no macro, or the macro is wrong.
    #[error("bad macro")]
    BadMacro,
    /// One of the macros that only explanations may use (RFC 7208 §7.2).
    #[error("macro letter `{0}` outside of an explanation")]
    MacroOnlyInExplanation(char),
    /// What follows `ip4:` or `ip6:` is no such address.
    #[error("bad address")]
    BadAddress,
    /// A prefix is no number, has leading zeros, or is longer than the address.
    #[error("bad prefix length")]
    BadPrefix,
    /// A second `redirect` or `exp` (RFC 7208 §6).
    #[error("modifier given twice")]
    RepeatedModifier,
}

/// An error at an octet of the text that was being read.
#[derive(Debug)]
pub(super) struct Fault {
    /// What is wrong.
    pub(super) kind: ErrorKind,
    /// The octet where it goes wrong, counted from 0.
    pub(super) at: usize,
}

impl Fault {
    /// Counts from `octets` further left.
    fn after(self, octets: usize) -> Self {
        Self { at: self.at + octets, ..self }
    }
}

/// Reads one SPF record, its strings joined.
///
/// The whole record must be right: terms after `all` too, as receivers demand (RFC 7208 §4.6).
/// **Errors**: the first thing wrong, from left to right.
///
/// Source: RFC 7208 §4.6.1 and §12.
pub fn parse(input: &[u8]) -> Result<SpfRecord, ParseError> {
    if !is_spf(input) {
        let word = input.split(|&octet| octet == b' ').next().unwrap_or_default();
        return Err(ParseError { kind: ErrorKind::NotSpf, column: 1, term: excerpt(word) });
    }
    let mut terms: Vec<Term> = Vec::new();
    let mut next = VERSION.len();
    let (mut has_redirect, mut has_explanation) = (false, false);
    for word in input.get(next..).unwrap_or_default().split(|&octet| octet == b' ') {
        let span = next..next + word.len();
        next = span.end + 1;
        if word.is_empty() {
            continue;
        }
        let term = read_term(word, span)?;
        let is_repeated = match term.kind {
            TermKind::Redirect(_) => std::mem::replace(&mut has_redirect, true),
            TermKind::Explanation(_) => std::mem::replace(&mut has_explanation, true),
            _ => false,
        };
        if is_repeated {
            return Err(locate(Fault { kind: ErrorKind::RepeatedModifier, at: 0 }, word, term.span.start));
        }
        terms.push(term);
    }
    Ok(SpfRecord { terms })
}

/// Turns a fault in `word` into an error in the record.
fn locate(fault: Fault, word: &[u8], start: usize) -> ParseError {
    ParseError { kind: fault.kind, column: start + fault.at + 1, term: excerpt(word) }
}

/// Reads the term that stands at `span`.
fn read_term(word: &[u8], span: Range<usize>) -> Result<Term, ParseError> {
    let start = span.start;
    visible_ascii(word)
        .and_then(|text| match read_modifier(text) {
            Some(kind) => kind,
            None => read_directive(text),
        })
        .map(|kind| Term { span, kind })
        .map_err(|fault| locate(fault, word, start))
}

/// Refuses all but visible ASCII.
fn visible_ascii(word: &[u8]) -> Result<&str, Fault> {
    for (at, octet) in word.iter().enumerate() {
        if !octet.is_ascii_graphic() {
            return Err(Fault { kind: ErrorKind::BadOctet(*octet), at });
        }
    }
    str::from_utf8(word).map_err(|error| Fault { kind: ErrorKind::UnknownMechanism, at: error.valid_up_to() })
}

/// Reads `name=value`; `None` where the text is no modifier.
fn read_modifier(text: &str) -> Option<Result<TermKind, Fault>> {
    let (name, value) = text.split_once('=')?;
    let is_name = name.starts_with(|character: char| character.is_ascii_alphabetic())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character));
    if !is_name {
        return None;
    }
    let kind = match lower_case(name).as_ref() {
        "redirect" => DomainSpec::read(value).map(TermKind::Redirect),
        "exp" => DomainSpec::read(value).map(TermKind::Explanation),
        _ => MacroString::read(value, Letters::Any)
            .map(|value| TermKind::UnknownModifier { name: name.to_owned(), value }),
    };
    Some(kind.map_err(|fault| fault.after(name.len() + 1)))
}

/// Returns a word in lower case, as it mostly stands there.
fn lower_case(word: &str) -> Cow<'_, str> {
    let is_lower = !word.bytes().any(|octet| octet.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(word) } else { Cow::Owned(word.to_ascii_lowercase()) }
}

/// Reads a mechanism and its qualifier.
fn read_directive(text: &str) -> Result<TermKind, Fault> {
    let (qualifier, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (Qualifier::Pass, rest),
        Some(("?", rest)) => (Qualifier::Neutral, rest),
        Some(("~", rest)) => (Qualifier::SoftFail, rest),
        Some(("-", rest)) => (Qualifier::Fail, rest),
        _ => (Qualifier::Pass, text),
    };
    read_mechanism(rest)
        .map(|mechanism| TermKind::Directive(qualifier, mechanism))
        .map_err(|fault| fault.after(text.len() - rest.len()))
}

/// Reads a mechanism without its qualifier.
fn read_mechanism(text: &str) -> Result<Mechanism, Fault> {
    let end = text.find([':', '/']).unwrap_or(text.len());
    let (name, argument) = text.split_at(end);
    let mechanism = match lower_case(name).as_ref() {
        "all" if argument.is_empty() => Ok(Mechanism::All),
        "all" => Err(Fault { kind: ErrorKind::UnexpectedArgument, at: 0 }),
        "include" => required_domain(argument).map(Mechanism::Include),
        "exists" => required_domain(argument).map(Mechanism::Exists),
        "ptr" => optional_domain(argument).map(Mechanism::Ptr),
        "a" => domain_and_prefixes(argument).map(|(domain, cidr)| Mechanism::A(domain, cidr)),
        "mx" => domain_and_prefixes(argument).map(|(domain, cidr)| Mechanism::Mx(domain, cidr)),
        "ip4" => network::<Ipv4Addr>(argument, IPV4_BITS).map(|(address, prefix)| Mechanism::Ip4(address, prefix)),
        "ip6" => network::<Ipv6Addr>(argument, IPV6_BITS).map(|(address, prefix)| Mechanism::Ip6(address, prefix)),
        _ => return Err(Fault { kind: ErrorKind::UnknownMechanism, at: 0 }),
    };
    mechanism.map_err(|fault| fault.after(end))
}

/// Reads `:domain-spec`.
fn required_domain(argument: &str) -> Result<DomainSpec, Fault> {
    optional_domain(argument)?.ok_or(Fault { kind: ErrorKind::MissingDomain, at: 0 })
}

/// Reads `:domain-spec` or nothing.
fn optional_domain(argument: &str) -> Result<Option<DomainSpec>, Fault> {
    match argument.strip_prefix(':') {
        Some(domain) => DomainSpec::read(domain).map(Some).map_err(|fault| fault.after(1)),
        None if argument.is_empty() => Ok(None),
        None => Err(Fault { kind: ErrorKind::UnexpectedArgument, at: 0 }),
    }
}

/// Reads `[":" domain-spec] [dual-cidr-length]`.
///
/// A domain-spec may hold slashes but ends in neither slash nor bare digits after one, so that what the prefixes
/// take is the longest end of slashes and digits, from its first slash on.
fn domain_and_prefixes(argument: &str) -> Result<(Option<DomainSpec>, DualCidr), Fault> {
    let domain_end = match argument.strip_prefix(':') {
        None => 0,
        Some(_) => {
            let tail =
                argument.trim_end_matches(|character: char| character.is_ascii_digit() || character == '/').len();
            argument.get(tail..).and_then(|end| end.find('/')).map_or(argument.len(), |slash| tail + slash)
        }
    };
    let (domain, prefixes) = argument.split_at(domain_end);
    let domain = optional_domain(domain)?;
    let cidr = read_prefixes(prefixes).ok_or(Fault { kind: ErrorKind::BadPrefix, at: domain_end })?;
    Ok((domain, cidr))
}

/// Reads `["/" ip4-cidr] ["//" ip6-cidr]`.
fn read_prefixes(text: &str) -> Option<DualCidr> {
    let (ipv4, ipv6) = match text.split_once("//") {
        Some((ipv4, ipv6)) => (ipv4, read_prefix(ipv6, IPV6_BITS)?),
        None => (text, IPV6_BITS),
    };
    let ipv4 = if ipv4.is_empty() { IPV4_BITS } else { read_prefix(ipv4.strip_prefix('/')?, IPV4_BITS)? };
    Some(DualCidr { ipv4, ipv6 })
}

/// Reads a prefix of at most `bits`: digits only, without leading zeros.
fn read_prefix(text: &str, bits: u8) -> Option<u8> {
    let has_leading_zero = text.len() > 1 && text.starts_with('0');
    let is_number = !has_leading_zero && text.chars().all(|character| character.is_ascii_digit());
    text.parse().ok().filter(|prefix| is_number && *prefix <= bits)
}

/// Reads `:address` and perhaps `/prefix`.
fn network<A: FromStr>(argument: &str, bits: u8) -> Result<(A, u8), Fault> {
    let text = argument.strip_prefix(':').ok_or(Fault { kind: ErrorKind::BadAddress, at: 0 })?;
    let end = text.find('/').unwrap_or(text.len());
    let (address, prefix) = text.split_at(end);
    let address = address.parse().map_err(|_| Fault { kind: ErrorKind::BadAddress, at: 1 })?;
    match prefix.strip_prefix('/') {
        None => Ok((address, bits)),
        Some(prefix) => match read_prefix(prefix, bits) {
            Some(prefix) => Ok((address, prefix)),
            None => Err(Fault { kind: ErrorKind::BadPrefix, at: end + 1 }),
        },
    }
}
