//! What cannot be expected, each in one line.

use super::DKIM_TOKENS;
use crate::dns::name::NameError;

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
    #[error(
        "domain {text:?}: {source} with the names of its records in front (host_too_long); only a shorter domain can have them"
    )]
    TooLong {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// The AWS region has not the form of one.
    #[error("region {0:?}: expected an AWS region such as us-east-1")]
    Region(String),
    /// The MAIL FROM name is no name.
    #[error("MAIL FROM {text:?}: {source}")]
    MailFrom {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// The MAIL FROM name lies elsewhere.
    #[error(
        "MAIL FROM {text:?} does not lie below {domain} (mailfrom_not_subdomain); Amazon SES takes no other, such as bounce.{domain}"
    )]
    MailFromNotSubdomain {
        /// What was given.
        text: String,
        /// The sender domain.
        domain: String,
    },
    /// The MAIL FROM name is the sender domain.
    #[error(
        "MAIL FROM is the sender domain {domain} itself (mailfrom_equals_from); Amazon SES takes a name below it, such as bounce.{domain}"
    )]
    MailFromEqualsFrom {
        /// The sender domain.
        domain: String,
    },
    /// A name server of before is no name.
    #[error("previous name server {text:?}: {source}")]
    NameServer {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// Whether Amazon SES takes in the mail is neither yes nor no.
    #[error("inbound {0:?}: expected yes or no")]
    Inbound(String),
    /// The selector is no name.
    #[error("DKIM selector {text:?}: {source}")]
    Selector {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// The public key is not in base64.
    #[error("the public key is not in base64; expected what stands behind p= in the DKIM record")]
    PublicKey,
    /// A public key without a selector says nothing.
    #[error("a public key without a selector; bring-your-own DKIM has both")]
    KeyWithoutSelector,
    /// There are tokens and a selector.
    #[error("DKIM tokens and a selector; Amazon SES has either three tokens or a selector of your own")]
    TokensAndSelector,
}
