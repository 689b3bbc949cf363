//! How SES is asked: the trait, and what it answers besides identities.
//!
//! [`Identities`] is one account in one region: a domain may have an identity in each, and they have nothing to do with
//! each other but where one is the replica of another. The rest of the crate sees this trait alone.

#[cfg(feature = "ses")]
mod aws;
#[cfg(feature = "ses")]
mod gate;

use std::fmt;

use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::dns::name::Name;
use crate::ses::identity::{KeyLength, ListedIdentity, OnMxFailure, SesIdentity, SesStatus};

#[cfg(feature = "ses")]
pub use aws::{AwsIdentities, AwsSettings, DEFAULT_ATTEMPT_TIMEOUT, DEFAULT_OPERATION_TIMEOUT, DEFAULT_PER_SECOND};

/// The most identities on one page of a listing (SES: `PageSize`).
pub const PAGE_SIZE: u16 = 1_000;
/// The most queries in one call for metrics (`BatchGetMetricDataQueries` of Amazon's service model).
pub const MAX_METRIC_QUERIES: usize = 10;

/// Why SES did not do what it was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SesError {
    /// There is no such identity in this region.
    #[error("SES has no identity {0} in this region")]
    NotFound(String),
    /// There is such an identity already.
    #[error("SES has an identity {0} in this region already")]
    AlreadyExists(String),
    /// The account has as many identities as it may have; asking again does not help.
    #[error("the account has reached a limit of SES: {0}")]
    QuotaReached(String),
    /// The account asks too often.
    #[error("SES is asked too often")]
    Throttled,
    /// The credentials are missing, expired, wrong, or do not allow it.
    #[error("SES denies access: {0}")]
    Denied(String),
    /// SES refuses the request as it is; asking again does not help.
    #[error("SES refuses the request ({code}): {message}")]
    Refused {
        /// SES's name of the error, such as `BadRequestException` or `MessageRejected`.
        code: String,
        /// SES's words.
        message: String,
    },
    /// SES does not answer, or not in time, or with a fault of its own; or it failed so often that it is left alone for
    /// a while.
    #[error("SES cannot be asked: {0}")]
    Unavailable(String),
    /// SES's answer makes no sense.
    #[error("the answer of SES cannot be read: {0}")]
    Malformed(String),
}

impl SesError {
    /// Says whether the same request may well succeed later. Such an error says nothing about an identity.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable(_) | Self::Malformed(_))
    }
}

/// Where a listing goes on; only SES knows what is in it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PageToken(pub String);

/// One page of a listing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// The domains on it, in SES's order; identities of other kinds are left out.
    pub identities: Vec<ListedIdentity>,
    /// Where the listing goes on; `None` on the last page.
    pub next: Option<PageToken>,
}

/// A private key; it is never shown.
#[derive(Clone, Eq, PartialEq)]
pub struct PrivateKey(pub String);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(not shown)")
    }
}

/// How an identity is to be signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DkimSigning {
    /// With keys of SES.
    EasyDkim {
        /// How long the next key is; `None` leaves it as it is. SES lets it change once in 24 hours.
        next_key_length: Option<KeyLength>,
    },
    /// With a key of one's own.
    Own {
        /// The selector, one label or more.
        selector: Name,
        /// The private key in base64, PKCS #1 or #8 without its armour.
        private_key: PrivateKey,
    },
    /// With the keys of the identity in another region.
    Replica {
        /// That region.
        parent_region: String,
    },
}

impl Default for DkimSigning {
    fn default() -> Self {
        Self::EasyDkim { next_key_length: None }
    }
}

/// An identity that is to be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewIdentity {
    /// The sender domain.
    pub name: Name,
    /// How it is to be signed.
    pub signing: DkimSigning,
    /// The configuration set that its mail uses unless told otherwise.
    pub configuration_set: Option<String>,
    /// Tags: keys and values.
    pub tags: Vec<(String, String)>,
}

impl NewIdentity {
    /// Asks for an identity of Easy DKIM without anything else.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self { name, signing: DkimSigning::default(), configuration_set: None, tags: Vec::new() }
    }
}

/// What SES answers when it is told how to sign.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DkimAnswer {
    /// How DKIM stands now.
    pub status: SesStatus,
    /// The tokens, or the selector.
    pub tokens: Vec<String>,
    /// The name below which the targets lie; `None` where SES does not tell it.
    pub signing_hosted_zone: Option<Name>,
}

/// A custom MAIL FROM name that is to be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewMailFrom {
    /// The name, strictly below the sender domain.
    pub domain: Name,
    /// What happens while its MX record is not right.
    pub on_mx_failure: OnMxFailure,
}

/// What a mail says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MailContent {
    /// A subject and a body; SES writes the message.
    Simple {
        /// The subject.
        subject: String,
        /// The body as plain text.
        text: Option<String>,
        /// The body as HTML.
        html: Option<String>,
    },
    /// A whole message (RFC 5322).
    Raw(Vec<u8>),
}

/// A mail that is to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OutgoingMail {
    /// The address in From.
    pub from: String,
    /// The addresses in To.
    pub to: Vec<String>,
    /// The addresses in Cc.
    pub cc: Vec<String>,
    /// The addresses that get it without being named.
    pub bcc: Vec<String>,
    /// The addresses in Reply-To.
    pub reply_to: Vec<String>,
    /// What it says.
    pub content: MailContent,
    /// The configuration set; `None` takes the identity's.
    pub configuration_set: Option<String>,
    /// Tags for its events: names and values.
    pub tags: Vec<(String, String)>,
}

/// What SES counts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Metric {
    /// Mails that were handed in.
    Send,
    /// Mails that receivers took.
    Delivery,
    /// Mails that receivers refused for good.
    PermanentBounce,
    /// Mails that receivers refused for the time being.
    TransientBounce,
    /// Mails that readers complained of.
    Complaint,
    /// Mails that were opened.
    Open,
    /// Links that were followed.
    Click,
}

impl Metric {
    /// Returns SES's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "SEND",
            Self::Delivery => "DELIVERY",
            Self::PermanentBounce => "PERMANENT_BOUNCE",
            Self::TransientBounce => "TRANSIENT_BOUNCE",
            Self::Complaint => "COMPLAINT",
            Self::Open => "OPEN",
            Self::Click => "CLICK",
        }
    }
}

/// A question for numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MetricQuery {
    /// The caller's name for it; the answer has the same.
    pub id: String,
    /// What is counted.
    pub metric: Metric,
    /// The identity whose mail is counted; `None` counts the account's.
    pub identity: Option<Name>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// The numbers for one question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MetricAnswer {
    /// The caller's name for the question.
    pub id: String,
    /// The numbers by time, in SES's order; or SES's word for why there are none.
    pub outcome: Result<Vec<(Timestamp, i64)>, String>,
}

/// The identities of one account in one region.
///
/// Every call may wait for its turn under the region's limit. Every future may be dropped; what was asked may have been
/// done all the same. Every call may fail with any [`SesError`]; only what is particular is told here.
pub trait Identities: Send + Sync {
    /// Returns the region, such as `eu-west-1`.
    fn region(&self) -> &str;

    /// Makes an identity and returns it with its tokens.
    ///
    /// [`SesError::AlreadyExists`] where there is one: then [`Identities::get`] tells its tokens.
    fn create<'a>(&'a self, new: &'a NewIdentity) -> BoxFuture<'a, Result<SesIdentity, SesError>>;

    /// Reads one identity; [`SesError::NotFound`] where there is none in this region.
    fn get<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<SesIdentity, SesError>>;

    /// Reads one page of the listing, of [`PAGE_SIZE`] at most; the first one without a token.
    ///
    /// A caller that goes on must stop at a token that it has had before; nothing here remembers tokens.
    fn list<'a>(&'a self, page: Option<&'a PageToken>) -> BoxFuture<'a, Result<Page, SesError>>;

    /// Deletes an identity, and its tokens with it; [`SesError::NotFound`] where there is none.
    fn delete<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<(), SesError>>;

    /// Says how an identity is to be signed; starts the 72 hours anew in which SES looks for the records.
    fn put_dkim_signing<'a>(
        &'a self,
        name: &'a Name,
        signing: &'a DkimSigning,
    ) -> BoxFuture<'a, Result<DkimAnswer, SesError>>;

    /// Switches signing on or off.
    fn put_dkim_enabled<'a>(&'a self, name: &'a Name, enabled: bool) -> BoxFuture<'a, Result<(), SesError>>;

    /// Sets the custom MAIL FROM name; `None` takes it away.
    fn put_mail_from<'a>(
        &'a self,
        name: &'a Name,
        mail_from: Option<&'a NewMailFrom>,
    ) -> BoxFuture<'a, Result<(), SesError>>;

    /// Sends a mail and returns SES's id for it. Never tried twice here: a mail may have left although the answer was lost.
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<String, SesError>>;

    /// Reads numbers, of [`MAX_METRIC_QUERIES`] questions at most.
    fn metrics<'a>(&'a self, queries: &'a [MetricQuery]) -> BoxFuture<'a, Result<Vec<MetricAnswer>, SesError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_never_shown() {
        let signing =
            DkimSigning::Own { selector: Name::parse("s1").unwrap(), private_key: PrivateKey("MIIsecret".to_owned()) };
        assert!(!format!("{signing:?}").contains("secret"));
    }

    #[test]
    fn only_what_may_pass_is_transient() {
        let refused = SesError::Refused { code: "BadRequestException".to_owned(), message: String::new() };
        for (error, is_transient) in [
            (SesError::Throttled, true),
            (SesError::Unavailable("timeout".to_owned()), true),
            (SesError::Malformed("cut".to_owned()), true),
            (SesError::NotFound("example.com".to_owned()), false),
            (SesError::AlreadyExists("example.com".to_owned()), false),
            (SesError::QuotaReached(String::new()), false),
            (SesError::Denied(String::new()), false),
            (refused, false),
        ] {
            assert_eq!(error.is_transient(), is_transient, "{error}");
        }
    }
}
