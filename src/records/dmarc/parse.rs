//! Reads a DMARC policy record: what is wrong in it is skipped and told (RFC 9989 §4.7, §4.8).

use super::{Alignment, DmarcRecord, FailureOption, MAX_PROBLEMS, OldTag, Policy, PublicSuffix, ReportUri};
use crate::records::excerpt;
use crate::records::tag_list::{self, Tag, TagError};

/// The tags of RFC 9989 §4.7.
const TAGS: [&str; 11] = ["v", "p", "sp", "np", "adkim", "aspf", "fo", "rua", "ruf", "t", "psd"];
/// The tags that RFC 9989 took away (appendix C).
const OLD_TAGS: [&str; 3] = ["pct", "rf", "ri"];

/// Why a text is no policy record, or one for which receivers leave DMARC off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text does not start with `v=DMARC1`, letters of the value in upper case.
    #[error("no DMARC record")]
    NotDmarc,
    /// A policy is wrong, and there is no address for reports that would save the record (RFC 9989 §4.10.1).
    #[error("bad policy and no report address: {0}")]
    BadPolicy(Problem),
}

/// What is wrong in a record that receivers use all the same. Columns are octets, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// What stands between two semicolons is no tag.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The value is none that the tag can have; the default holds.
    #[error("bad value `{value}` of `{tag}` at column {column}")]
    BadValue {
        /// The tag's name.
        tag: &'static str,
        /// The value as written.
        value: String,
        /// Where the value begins.
        column: usize,
    },
    /// The tag was there before; the first one holds.
    #[error("second tag `{tag}` at column {column}")]
    Repeated {
        /// The tag's name.
        tag: &'static str,
        /// Where the second one begins.
        column: usize,
    },
    /// An address for reports is no URI, or no mailbox; reports do not go there.
    #[error("bad address `{address}` in `{tag}` at column {column}")]
    BadAddress {
        /// The tag's name.
        tag: &'static str,
        /// The address as written.
        address: String,
        /// Where the address begins.
        column: usize,
    },
}

/// Tells whether a TXT record is a DMARC record: its first tag is `v=DMARC1`.
///
/// Source: RFC 9989 §4.7 and §4.8. The value's letters must be in upper case, and nothing may stand before the tag.
pub fn is_dmarc(text: &[u8]) -> bool {
    match tag_list::read(text).next() {
        Some(Ok(tag)) => tag.span.start == 0 && tag.name.eq_ignore_ascii_case("v") && tag.value == "DMARC1",
        _ => false,
    }
}

/// Reads a policy record, its strings joined.
///
/// Unknown tags are ignored, bad values fall back to their defaults and stand in `problems`. A bad `p`, `sp` or `np`
/// makes a record that asks nothing, provided that reports can be sent; names and words may be in either case.
/// **Errors**: [`ParseError::NotDmarc`], and [`ParseError::BadPolicy`] where no report can be sent either.
///
/// Source: RFC 9989 §4.7, §4.8, §4.10.1.
pub fn parse(input: &[u8]) -> Result<DmarcRecord, ParseError> {
    let (record, flaw) = read(input).ok_or(ParseError::NotDmarc)?;
    match flaw {
        None => Ok(record),
        Some(flaw) => Err(flaw),
    }
}

/// Reads a policy record, and says whether receivers leave DMARC off because of it; `None` where it is none.
pub(super) fn read(input: &[u8]) -> Option<(DmarcRecord, Option<ParseError>)> {
    if !is_dmarc(input) {
        return None;
    }
    let mut record = DmarcRecord::default();
    let mut seen = vec!["v"];
    let mut bad_policy = None;
    for tag in tag_list::read(input).skip(1) {
        let Err(problem) = tag.map_err(Problem::from).and_then(|tag| record.take(&tag, &mut seen)) else { continue };
        if bad_policy.is_none() && voids_policy(&problem) {
            bad_policy = Some(problem.clone());
        }
        record.tell(problem);
    }
    let flaw = bad_policy.and_then(|problem| {
        (record.policy, record.subdomain_policy, record.nonexistent_policy) = (Some(Policy::None), None, None);
        record.aggregate_reports.is_empty().then_some(ParseError::BadPolicy(problem))
    });
    Some((record, flaw))
}

/// Tells whether a problem is that of a policy.
fn voids_policy(problem: &Problem) -> bool {
    let tag = match problem {
        Problem::BadValue { tag, .. } => tag,
        Problem::Tag(TagError::BadOctet { name, .. }) => name.as_str(),
        _ => return false,
    };
    ["p", "sp", "np"].iter().any(|policy| tag.eq_ignore_ascii_case(policy))
}

impl DmarcRecord {
    /// Takes one tag into the record, unless it is unknown.
    fn take(&mut self, tag: &Tag<'_>, seen: &mut Vec<&'static str>) -> Result<(), Problem> {
        let known = TAGS.iter().chain(&OLD_TAGS).find(|known| tag.name.eq_ignore_ascii_case(known));
        let Some(&name) = known else { return Ok(()) };
        let column = tag.span.start + 1;
        if seen.contains(&name) {
            return Err(Problem::Repeated { tag: name, column });
        }
        seen.push(name);
        match name {
            "p" => self.policy = Some(value(tag, name, policy)?),
            "sp" => self.subdomain_policy = Some(value(tag, name, policy)?),
            "np" => self.nonexistent_policy = Some(value(tag, name, policy)?),
            "adkim" => self.dkim_alignment = value(tag, name, alignment)?,
            "aspf" => self.spf_alignment = value(tag, name, alignment)?,
            "fo" => self.failure_options = value(tag, name, failure_options)?,
            "t" => self.is_testing = value(tag, name, yes_or_no)?,
            "psd" => self.public_suffix = value(tag, name, public_suffix)?,
            "rua" => self.aggregate_reports = self.addresses(tag, name),
            "ruf" => self.failure_reports = self.addresses(tag, name),
            _ => self.old_tags.push(OldTag { name, value: tag.value.to_owned(), column }),
        }
        Ok(())
    }

    /// Reads a list of addresses, and tells of those that are none.
    fn addresses(&mut self, tag: &Tag<'_>, name: &'static str) -> Vec<ReportUri> {
        let mut addresses = Vec::new();
        let mut next = tag.value_column;
        for part in tag.value.split(',') {
            let column = next + part.len() - part.trim_ascii_start().len();
            next += part.len() + 1;
            match ReportUri::read(part.trim_ascii()) {
                Some(address) => addresses.push(address),
                None => {
                    let address = excerpt(part.trim_ascii().as_bytes());
                    self.tell(Problem::BadAddress { tag: name, address, column });
                }
            }
        }
        addresses
    }

    /// Remembers a problem, unless there are enough.
    fn tell(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}

/// Reads a value with `read`, which is given it in lower case, as it mostly stands there.
fn value<T>(tag: &Tag<'_>, name: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<T, Problem> {
    let is_lower = !tag.value.bytes().any(|octet| octet.is_ascii_uppercase());
    let found = if is_lower { read(tag.value) } else { read(&tag.value.to_ascii_lowercase()) };
    found.ok_or_else(|| Problem::BadValue { tag: name, value: excerpt(tag.value.as_bytes()), column: tag.value_column })
}

/// Reads `dmarc-request`.
fn policy(text: &str) -> Option<Policy> {
    match text {
        "none" => Some(Policy::None),
        "quarantine" => Some(Policy::Quarantine),
        "reject" => Some(Policy::Reject),
        _ => None,
    }
}

/// Reads `dmarc-rors`.
fn alignment(text: &str) -> Option<Alignment> {
    match text {
        "r" => Some(Alignment::Relaxed),
        "s" => Some(Alignment::Strict),
        _ => None,
    }
}

/// Reads `dmarc-yorn`.
fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "y" => Some(true),
        "n" => Some(false),
        _ => None,
    }
}

/// Reads `dmarc-psd`.
fn public_suffix(text: &str) -> Option<PublicSuffix> {
    match text {
        "y" => Some(PublicSuffix::Yes),
        "n" => Some(PublicSuffix::No),
        "u" => Some(PublicSuffix::Unknown),
        _ => None,
    }
}

/// Reads `dmarc-fo`: each option once, and `0` not beside `1`.
fn failure_options(text: &str) -> Option<Vec<FailureOption>> {
    use FailureOption::{AllFail, AnyFails, Dkim, Spf};
    let mut options = Vec::new();
    for word in text.split(':') {
        let option = match word.trim_ascii() {
            "0" => AllFail,
            "1" => AnyFails,
            "d" => Dkim,
            "s" => Spf,
            _ => return None,
        };
        let clashes = |other: &FailureOption| {
            *other == option || matches!((*other, option), (AllFail, AnyFails) | (AnyFails, AllFail))
        };
        if options.iter().any(clashes) {
            return None;
        }
        options.push(option);
    }
    Some(options)
}
