//! What should be there, for whom.
//!
//! [`Facts`] takes everything that a caller may tell, as text; [`Expectation`] is what follows from it.

mod error;
mod exchange;
mod facts;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::dns::name::Name;
use crate::dns::public_suffix;
use crate::dns::rrset::{Question, RecordType};
pub use error::ExpectationError;
pub use exchange::{Exchange, Exchanger};
pub use facts::Facts;

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
    /// One of the three CNAMEs of Easy DKIM, or the key of bring-your-own DKIM.
    Dkim,
    /// The SPF policy of the domain (RFC 7208).
    Spf,
    /// The DMARC policy of the domain (RFC 9989).
    Dmarc,
    /// The mail exchange of a domain whose mail Amazon SES takes in.
    Mx,
    /// The mail exchange of the custom MAIL FROM name, which takes bounces.
    MailFromMx,
    /// The SPF policy of the custom MAIL FROM name.
    MailFromSpf,
}

impl RecordKind {
    /// All kinds.
    pub const ALL: &[Self] = &[Self::Dkim, Self::Spf, Self::Dmarc, Self::Mx, Self::MailFromMx, Self::MailFromSpf];

    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dkim => "dkim",
            Self::Spf => "spf",
            Self::Dmarc => "dmarc",
            Self::Mx => "mx",
            Self::MailFromMx => "mail_from_mx",
            Self::MailFromSpf => "mail_from_spf",
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
    /// The DKIM key of bring-your-own DKIM: a TXT record with this public key in base64, or with any where none is told.
    DkimKey(Option<String>),
    /// An MX record for Amazon SES.
    Exchange(Exchange),
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

    /// Returns the token of a record of Easy DKIM: the leftmost label of its name.
    #[must_use]
    pub fn token(&self) -> Option<&[u8]> {
        if matches!(self.expected, Expected::Cname(_)) { self.name.first_label() } else { None }
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

/// What should be there for one sender domain, and what is known of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expectation {
    /// The sender domain.
    pub domain: Name,
    /// The name below which the DKIM targets lie.
    pub dkim_zone: Name,
    /// The expected records: DKIM in the order of the tokens, SPF, DMARC, then MX and those of the MAIL FROM name.
    pub records: Vec<ExpectedRecord>,
    /// How much is looked at.
    pub depth: Depth,
    /// The AWS region of the SES identity, where it is known; never inferred, since the DKIM zone of a replica is that of
    /// the region it was copied from.
    pub region: Option<String>,
    /// The custom MAIL FROM name, where there is one.
    pub mail_from: Option<Name>,
    /// Whether Amazon SES takes in the domain's mail.
    pub is_inbound: bool,
    /// The selector of bring-your-own DKIM, where the caller signs so; there are no tokens then.
    pub selector: Option<Name>,
    /// Tokens that an earlier identity of the domain had; none of them is one of today's.
    pub previous_tokens: Vec<String>,
    /// Name servers that the domain was delegated to before; in order, without duplicates.
    pub previous_name_servers: Vec<Name>,
    /// The id of the DNS provider that the caller believes in, as in `providers.toml`; not checked here.
    pub dns_provider: Option<String>,
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
        let mut expectation = Self::of_policies(domain, dkim_zone)?;
        let too_long = |source| ExpectationError::TooLong { text: domain.trim().to_owned(), source };
        let keys = expectation.domain.prepend("_domainkey").map_err(too_long)?;
        let mut records = Vec::with_capacity(DKIM_TOKENS + expectation.records.len());
        for token in read_tokens(tokens)? {
            records.push(ExpectedRecord {
                kind: RecordKind::Dkim,
                name: keys.prepend(&token).map_err(too_long)?,
                record_type: RecordType::CNAME,
                expected: Expected::Cname(expectation.dkim_zone.prepend(&token).map_err(too_long)?),
                is_required: true,
            });
        }
        records.append(&mut expectation.records);
        Ok(Self { records, ..expectation })
    }

    /// Does what [`Expectation::new`] does for bring-your-own DKIM: instead of three CNAMEs one TXT record at
    /// `selector._domainkey.domain`, with `public_key` in base64 where it is told.
    ///
    /// # Errors
    /// Any [`ExpectationError`] but those about tokens.
    pub fn with_own_key(domain: &str, selector: &str, public_key: Option<&str>) -> Result<Self, ExpectationError> {
        let mut expectation = Self::of_policies(domain, DEFAULT_DKIM_ZONE)?;
        let too_long = |source| ExpectationError::TooLong { text: domain.trim().to_owned(), source };
        let selector = Name::from_user_input(selector)
            .map_err(|source| ExpectationError::Selector { text: selector.trim().to_owned(), source })?;
        let keys = expectation.domain.prepend("_domainkey").map_err(too_long)?;
        let record = ExpectedRecord {
            kind: RecordKind::Dkim,
            name: selector.concat(&keys).map_err(too_long)?,
            record_type: RecordType::TXT,
            expected: Expected::DkimKey(public_key.map(read_public_key).transpose()?),
            is_required: true,
        };
        expectation.records.insert(0, record);
        Ok(Self { selector: Some(selector), ..expectation })
    }

    /// Expects SPF and DMARC alone.
    fn of_policies(domain: &str, dkim_zone: &str) -> Result<Self, ExpectationError> {
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
        let records = vec![
            optional(RecordKind::Spf, domain.clone(), RecordType::TXT, ses_include()),
            optional(
                RecordKind::Dmarc,
                domain.prepend("_dmarc").map_err(too_long)?,
                RecordType::TXT,
                Expected::DmarcPolicy,
            ),
        ];
        Ok(Self {
            domain,
            dkim_zone,
            records,
            depth: Depth::default(),
            region: None,
            mail_from: None,
            is_inbound: false,
            selector: None,
            previous_tokens: Vec::new(),
            previous_name_servers: Vec::new(),
            dns_provider: None,
        })
    }

    /// Sets the AWS region of the SES identity; without one, any region's hosts are right.
    ///
    /// # Errors
    /// [`ExpectationError::Region`].
    pub fn with_region(mut self, region: &str) -> Result<Self, ExpectationError> {
        let region = region.trim().to_ascii_lowercase();
        if !exchange::is_region(&region) {
            return Err(ExpectationError::Region(region));
        }
        for record in &mut self.records {
            if let Expected::Exchange(exchange) = &mut record.expected {
                exchange.region = Some(region.clone());
            }
        }
        self.region = Some(region);
        Ok(self)
    }

    /// Expects that Amazon SES takes in the domain's mail: an MX record of the domain.
    #[must_use]
    pub fn with_inbound(mut self) -> Self {
        let exchange = Exchange { exchanger: Exchanger::Inbound, region: self.region.clone() };
        let record = optional(RecordKind::Mx, self.domain.clone(), RecordType::MX, Expected::Exchange(exchange));
        self.records.retain(|known| known.kind != RecordKind::Mx);
        self.records.push(record);
        self.records.sort_by_key(|record| record.kind);
        self.is_inbound = true;
        self
    }

    /// Expects a custom MAIL FROM name: one MX record for bounces, and SPF.
    ///
    /// The name is read as people type it. One that does not lie below the domain is no fault of the DNS: Amazon SES does
    /// not take it, so that there is no such set-up to be checked.
    ///
    /// # Errors
    /// [`ExpectationError::MailFrom`], [`ExpectationError::MailFromNotSubdomain`] or [`ExpectationError::MailFromEqualsFrom`].
    pub fn with_mail_from(mut self, mail_from: &str) -> Result<Self, ExpectationError> {
        let text = mail_from.trim().to_owned();
        let name = Name::from_user_input(mail_from)
            .map_err(|source| ExpectationError::MailFrom { text: text.clone(), source })?;
        let domain = self.domain.to_text_without_dot();
        if name == self.domain {
            return Err(ExpectationError::MailFromEqualsFrom { domain });
        }
        if !name.is_strictly_below(&self.domain) {
            return Err(ExpectationError::MailFromNotSubdomain { text, domain });
        }
        let exchange = Exchange { exchanger: Exchanger::Feedback, region: self.region.clone() };
        self.records.retain(|known| !matches!(known.kind, RecordKind::MailFromMx | RecordKind::MailFromSpf));
        self.records.extend([
            optional(RecordKind::MailFromMx, name.clone(), RecordType::MX, Expected::Exchange(exchange)),
            optional(RecordKind::MailFromSpf, name.clone(), RecordType::TXT, ses_include()),
        ]);
        self.mail_from = Some(name);
        Ok(self)
    }

    /// Tells the tokens of earlier identities of the domain; today's among them are left out.
    ///
    /// # Errors
    /// [`ExpectationError::Token`].
    pub fn with_previous_tokens<T: AsRef<str>>(mut self, tokens: &[T]) -> Result<Self, ExpectationError> {
        for token in tokens {
            let token = read_token(token.as_ref())?;
            let is_current = self.records.iter().any(|record| record.token() == Some(token.as_bytes()));
            if !is_current && !self.previous_tokens.contains(&token) {
                self.previous_tokens.push(token);
            }
        }
        Ok(self)
    }

    /// Tells the name servers that the domain was delegated to before, where records may have been added by mistake.
    ///
    /// # Errors
    /// [`ExpectationError::NameServer`].
    pub fn with_previous_name_servers<T: AsRef<str>>(mut self, servers: &[T]) -> Result<Self, ExpectationError> {
        for server in servers.iter().map(AsRef::as_ref) {
            let name = Name::from_user_input(server)
                .map_err(|source| ExpectationError::NameServer { text: server.trim().to_owned(), source })?;
            if !self.previous_name_servers.contains(&name) {
                self.previous_name_servers.push(name);
            }
        }
        Ok(self)
    }

    /// Tells who the caller believes to be the domain's DNS provider, by its id.
    #[must_use]
    pub fn with_dns_provider(mut self, id: &str) -> Self {
        self.dns_provider = Some(id.trim().to_ascii_lowercase());
        self
    }

    /// Expects nothing of a domain, for what is told of it whatever is there.
    #[must_use]
    pub fn of_nothing(domain: Name) -> Self {
        Self {
            domain,
            dkim_zone: Name::root(),
            records: Vec::new(),
            depth: Depth::Full,
            region: None,
            mail_from: None,
            is_inbound: false,
            selector: None,
            previous_tokens: Vec::new(),
            previous_name_servers: Vec::new(),
            dns_provider: None,
        }
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

/// Expects a record that the verdict does not depend on.
fn optional(kind: RecordKind, name: Name, record_type: RecordType, expected: Expected) -> ExpectedRecord {
    ExpectedRecord { kind, name, record_type, expected, is_required: false }
}

/// Expects the include that Amazon SES needs.
fn ses_include() -> Expected {
    Expected::SpfInclude(Name::parse(SES_SPF_INCLUDE).unwrap_or_else(|_| Name::root()))
}

/// Checks the tokens and folds their case.
fn read_tokens<T: AsRef<str>>(tokens: &[T]) -> Result<Vec<String>, ExpectationError> {
    let mut read: Vec<String> = Vec::with_capacity(DKIM_TOKENS);
    for token in tokens {
        let token = read_token(token.as_ref())?;
        if read.contains(&token) {
            return Err(ExpectationError::TokenTwice(token));
        }
        read.push(token);
    }
    if read.len() == DKIM_TOKENS { Ok(read) } else { Err(ExpectationError::TokenCount(read.len())) }
}

/// Checks one token and folds its case.
fn read_token(token: &str) -> Result<String, ExpectationError> {
    let token = token.trim().to_ascii_lowercase();
    let is_plain = token.bytes().all(|octet| octet.is_ascii_alphanumeric());
    if token.is_empty() || token.len() > 63 || !is_plain { Err(ExpectationError::Token(token)) } else { Ok(token) }
}

/// Checks a public key in base64; white space in it does not count.
fn read_public_key(key: &str) -> Result<String, ExpectationError> {
    let key: String = key.chars().filter(|character| !character.is_whitespace()).collect();
    match STANDARD.decode(&key) {
        Ok(octets) if !octets.is_empty() => Ok(key),
        _ => Err(ExpectationError::PublicKey),
    }
}

#[cfg(test)]
mod tests;
