//! The addresses that DMARC reports go to (RFC 9989 §4.6, RFC 9990 §4).

use std::fmt;

use crate::dns::name::{Name, NameError};

/// An address for reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportUri {
    /// The URI as written, without a size limit.
    pub uri: String,
    /// The obsolete limit after an exclamation mark, `10m` for instance; receivers ignore it.
    pub size_limit: Option<String>,
}

impl ReportUri {
    /// Reads one address of a list; `None` where it is no URI, or a `mailto:` without a mailbox.
    ///
    /// Source: RFC 9989 §4.8, `dmarc-uri` and `obs-dmarc-report-size`; RFC 3986 §2 and §3.1.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (uri, size_limit) = match text.split_once('!') {
            Some((uri, limit)) => (uri, Some(limit)),
            None => (text, None),
        };
        let address = Self { uri: uri.to_owned(), size_limit: size_limit.map(str::to_owned) };
        let (scheme, rest) = uri.split_once(':')?;
        let is_right = is_scheme(scheme)
            && !rest.is_empty()
            && is_uri_text(rest)
            && size_limit.is_none_or(is_size_limit)
            && (!address.is_mail() || address.host().is_some());
        is_right.then_some(address)
    }

    /// Tells whether reports go there by mail.
    pub fn is_mail(&self) -> bool {
        self.uri.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
    }

    /// Returns the domain of the mailbox, or the host of any other URI that has one.
    pub fn host(&self) -> Option<Name> {
        let (_, rest) = self.uri.split_once(':')?;
        let host = if self.is_mail() {
            let (local, domain) = rest.split('?').next()?.rsplit_once('@')?;
            (!local.is_empty()).then_some(domain)?
        } else {
            let authority = rest.strip_prefix("//")?.split(['/', '?', '#']).next()?;
            let host = authority.rsplit('@').next()?;
            host.split(':').next()?
        };
        // A URI has no escapes of the kind that names have.
        Name::from_labels(host.strip_suffix('.').unwrap_or(host).split('.')).ok()
    }
}

/// Returns where `host` says that it takes reports about `domain` (RFC 9990 §4).
///
/// Needed only where the two have different organizational domains.
/// **Errors**: [`NameError::TooLong`].
pub fn authorisation_name(domain: &Name, host: &Name) -> Result<Name, NameError> {
    domain.concat(&host.prepend("_dmarc")?.prepend("_report")?)
}

/// Tells whether a text is `ALPHA *(ALPHA / DIGIT / "+" / "-" / ".")`.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|character: char| character.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
}

/// Tells whether a text holds only what a URI may hold, and whole percent escapes.
fn is_uri_text(text: &str) -> bool {
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        let is_right = match octet {
            b'%' => {
                [octets.next(), octets.next()].iter().all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
            }
            _ => octet.is_ascii_alphanumeric() || b"-._~:/?#[]@$&'()*+=".contains(&octet),
        };
        if !is_right {
            return false;
        }
    }
    true
}

/// Tells whether a text is `1*DIGIT [ "k" / "m" / "g" / "t" ]`.
fn is_size_limit(text: &str) -> bool {
    let digits = text.strip_suffix(['k', 'm', 'g', 't', 'K', 'M', 'G', 'T']).unwrap_or(text);
    !digits.is_empty() && digits.chars().all(|character| character.is_ascii_digit())
}

impl fmt::Display for ReportUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)?;
        self.size_limit.iter().try_for_each(|limit| write!(f, "!{limit}"))
    }
}
