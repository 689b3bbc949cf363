//! What should be there, for whom.

use serde::Serialize;

use crate::dns::name::{Name, NameError};
use crate::dns::public_suffix;
use crate::dns::rrset::{Question, RecordType};

/// How many DKIM tokens Easy DKIM has.
pub const DKIM_TOKENS: usize = 3;
/// The name below which the tokens of most SES identities point, where SES tells no other one.
pub const DEFAULT_DKIM_ZONE: &str = "dkim.amazonses.com.";
/// The name that SES wants to find in an SPF record.
pub const SES_SPF_INCLUDE: &str = "amazonses.com";
/// Top-level names that are not delegated in the public DNS (RFC 6761, 6762, 7686, 9476, and the ICANN reservation of `internal`).
const SPECIAL_USE: &[&str] = &["alt", "arpa", "internal", "invalid", "local", "localhost", "onion", "test"];

/// What kind of record is expected.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// One of the three CNAMEs of Easy DKIM.
    Dkim,
    /// The SPF policy of the domain (RFC 7208).
    Spf,
    /// The DMARC policy of the domain (RFC 9989).
    Dmarc,
}

impl RecordKind {
    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dkim => "dkim",
            Self::Spf => "spf",
            Self::Dmarc => "dmarc",
        }
    }
}

/// What a record should hold.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Expected {
    /// A CNAME to exactly this name.
    Cname(Name),
    /// An SPF record that includes this domain.
    SpfInclude(Name),
    /// A DMARC policy, here or above.
    DmarcPolicy,
}

/// One record that should be there.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ExpectedRecord {
    /// What it is for.
    pub kind: RecordKind,
    /// The owner name.
    pub name: Name,
    /// The type.
    pub record_type: RecordType,
    /// What it should hold.
    pub expected: Expected,
    /// Whether the verdict depends on it.
    pub is_required: bool,
}

impl ExpectedRecord {
    /// Returns the question that asks for it.
    #[must_use]
    pub fn question(&self) -> Question {
        Question::new(self.name.clone(), self.record_type)
    }

    /// Returns the token of a DKIM record: the leftmost label of its name.
    #[must_use]
    pub fn token(&self) -> Option<&[u8]> {
        if self.kind == RecordKind::Dkim { self.name.first_label() } else { None }
    }
}

/// How much is looked at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Depth {
    /// The expected records with the fewest questions; diagnosis only where something is not right.
    #[default]
    Quick,
    /// Zone health too, where the records are right.
    Full,
}

/// Why no expectation can be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpectationError {
    /// The domain is no name.
    #[error("domain {text:?}: {source}")]
    Domain {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// The domain is no name that a tenant can own.
    #[error("domain {0:?} is a public suffix or a special-use name; expected a domain that somebody registered")]
    NotRegistrable(String),
    /// There are not three tokens.
    #[error("{0} DKIM tokens; expected {DKIM_TOKENS}")]
    TokenCount(usize),
    /// A token is given twice.
    #[error("DKIM token {0:?} is given twice")]
    TokenTwice(String),
    /// A token is not one of SES's.
    #[error("DKIM token {0:?}: expected letters and digits only, at most 63")]
    Token(String),
    /// The hosted zone of the tokens is no name.
    #[error("DKIM zone {text:?}: {source}")]
    DkimZone {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// A name that the domain needs is too long.
    #[error("domain {text:?}: {source} with a token and _domainkey in front")]
    TooLong {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: NameError,
    },
}

/// What should be there for one sender domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expectation {
    /// The sender domain.
    pub domain: Name,
    /// The name below which the DKIM targets lie.
    pub dkim_zone: Name,
    /// The expected records: DKIM in the order of the tokens, then SPF, then DMARC.
    pub records: Vec<ExpectedRecord>,
    /// How much is looked at.
    pub depth: Depth,
}

impl Expectation {
    /// Says what Amazon SES and its receivers want of `domain`: three DKIM CNAMEs, SPF and DMARC.
    ///
    /// `domain` is read as people type it; each token `t` becomes `t._domainkey.domain` with the
    /// target `t.dkim_zone`. Only the DKIM records are required for the verdict.
    ///
    /// # Errors
    /// Any [`ExpectationError`].
    pub fn new<T: AsRef<str>>(domain: &str, tokens: &[T], dkim_zone: &str) -> Result<Self, ExpectationError> {
        let text = domain.trim().to_owned();
        let domain =
            Name::from_user_input(domain).map_err(|source| ExpectationError::Domain { text: text.clone(), source })?;
        let special = domain.last_labels(1).to_text_without_dot();
        if SPECIAL_USE.contains(&special.as_str()) || public_suffix::registrable_name(&domain).is_none() {
            return Err(ExpectationError::NotRegistrable(text));
        }
        let dkim_zone = Name::from_user_input(dkim_zone)
            .map_err(|source| ExpectationError::DkimZone { text: dkim_zone.to_owned(), source })?;
        let too_long = |source| ExpectationError::TooLong { text: text.clone(), source };
        let keys = domain.prepend("_domainkey").map_err(too_long)?;
        let mut records = Vec::with_capacity(DKIM_TOKENS + 2);
        for token in read_tokens(tokens)? {
            records.push(ExpectedRecord {
                kind: RecordKind::Dkim,
                name: keys.prepend(&token).map_err(too_long)?,
                record_type: RecordType::CNAME,
                expected: Expected::Cname(dkim_zone.prepend(&token).map_err(too_long)?),
                is_required: true,
            });
        }
        let include = Name::parse(SES_SPF_INCLUDE).map_err(too_long)?;
        records.push(ExpectedRecord {
            kind: RecordKind::Spf,
            name: domain.clone(),
            record_type: RecordType::TXT,
            expected: Expected::SpfInclude(include),
            is_required: false,
        });
        records.push(ExpectedRecord {
            kind: RecordKind::Dmarc,
            name: domain.prepend("_dmarc").map_err(too_long)?,
            record_type: RecordType::TXT,
            expected: Expected::DmarcPolicy,
            is_required: false,
        });
        Ok(Self { domain, dkim_zone, records, depth: Depth::default() })
    }

    /// Makes the verdict depend on the records of `kinds` too.
    #[must_use]
    pub fn require(mut self, kinds: &[RecordKind]) -> Self {
        for record in &mut self.records {
            record.is_required |= kinds.contains(&record.kind);
        }
        self
    }

    /// Sets how much is looked at.
    #[must_use]
    pub fn with_depth(mut self, depth: Depth) -> Self {
        self.depth = depth;
        self
    }

    /// Iterates over the expected records of one kind.
    pub fn of_kind(&self, kind: RecordKind) -> impl Iterator<Item = &ExpectedRecord> {
        self.records.iter().filter(move |record| record.kind == kind)
    }
}

/// Checks the tokens and folds their case.
fn read_tokens<T: AsRef<str>>(tokens: &[T]) -> Result<Vec<String>, ExpectationError> {
    let mut read: Vec<String> = Vec::with_capacity(DKIM_TOKENS);
    for token in tokens {
        let token = token.as_ref().trim().to_ascii_lowercase();
        let is_plain = token.bytes().all(|octet| octet.is_ascii_alphanumeric());
        if token.is_empty() || token.len() > 63 || !is_plain {
            return Err(ExpectationError::Token(token));
        }
        if read.contains(&token) {
            return Err(ExpectationError::TokenTwice(token));
        }
        read.push(token);
    }
    if read.len() == DKIM_TOKENS { Ok(read) } else { Err(ExpectationError::TokenCount(read.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_cnames_spf_and_dmarc_are_expected() {
        let expectation = Expectation::new(" Mail.Example.com.", &["T1", "t2", "t3"], DEFAULT_DKIM_ZONE).unwrap();
        let records: Vec<String> = expectation
            .records
            .iter()
            .map(|record| format!("{} {}", record.kind.as_str(), record.question()))
            .collect();
        assert_eq!(
            records,
            [
                "dkim t1._domainkey.mail.example.com. CNAME",
                "dkim t2._domainkey.mail.example.com. CNAME",
                "dkim t3._domainkey.mail.example.com. CNAME",
                "spf mail.example.com. TXT",
                "dmarc _dmarc.mail.example.com. TXT",
            ]
        );
        let required = |expectation: &Expectation| expectation.records.iter().filter(|r| r.is_required).count();
        assert_eq!(required(&expectation), 3);
        assert_eq!(required(&expectation.require(&[RecordKind::Dmarc])), 4);
    }

    #[test]
    fn what_cannot_be_expected_is_refused_in_one_line() {
        for (domain, tokens, zone, error) in [
            ("", "a b c", DEFAULT_DKIM_ZONE, "domain \"\": the name is empty"),
            (
                "192.0.2.1",
                "a b c",
                DEFAULT_DKIM_ZONE,
                "domain \"192.0.2.1\": 192.0.2.1 is an address, not a domain name",
            ),
            (
                "co.uk",
                "a b c",
                DEFAULT_DKIM_ZONE,
                "domain \"co.uk\" is a public suffix or a special-use name; expected a domain that somebody registered",
            ),
            (
                "printer.local",
                "a b c",
                DEFAULT_DKIM_ZONE,
                "domain \"printer.local\" is a public suffix or a special-use name; expected a domain that somebody registered",
            ),
            ("example.com", "a b", DEFAULT_DKIM_ZONE, "2 DKIM tokens; expected 3"),
            ("example.com", "a b c d", DEFAULT_DKIM_ZONE, "4 DKIM tokens; expected 3"),
            ("example.com", "a b A", DEFAULT_DKIM_ZONE, "DKIM token \"a\" is given twice"),
            (
                "example.com",
                "a b c.d",
                DEFAULT_DKIM_ZONE,
                "DKIM token \"c.d\": expected letters and digits only, at most 63",
            ),
            ("example.com", "a b c", "dkim..com", "DKIM zone \"dkim..com\": the name has an empty label"),
        ] {
            let tokens: Vec<&str> = tokens.split(' ').collect();
            assert_eq!(Expectation::new(domain, &tokens, zone).unwrap_err().to_string(), error);
        }
    }
}
