//! Where messages may be sent: an `https` URL whose host is not an address of ours. Pure.

use std::net::IpAddr;

use hyper::Uri;

use crate::transport::guard::AddressPolicy;

/// The longest URL that is taken, in octets.
const MAX_OCTETS: usize = 2048;

/// A URL that messages may be sent to. The addresses of a host name are judged when it is connected to, not here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target(Uri);

/// Why a URL is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It is none.
    #[error("not a URL; expected one such as https://hooks.example.com/zoneproof")]
    NotAUrl,
    /// It is too long.
    #[error("the URL is longer than {MAX_OCTETS} octets")]
    TooLong,
    /// It is not encrypted.
    #[error("the URL is not https; http is taken only with --allow-special-addresses")]
    NotHttps,
    /// It holds a user name.
    #[error("the URL holds a user name or password; messages are told by their signature")]
    UserInfo,
    /// Its host is an address that is never asked.
    #[error("{0} is not an address of the Internet; such are taken only with --allow-special-addresses, if at all")]
    Forbidden(IpAddr),
}

impl Target {
    /// Reads a URL. `https` is required, unless the policy lets through the addresses of labs.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn parse(text: &str, policy: AddressPolicy) -> Result<Self, TargetError> {
        let text = text.trim();
        if text.len() > MAX_OCTETS {
            return Err(TargetError::TooLong);
        }
        let uri: Uri = text.parse().map_err(|_| TargetError::NotAUrl)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(TargetError::NotAUrl)?;
        let is_lab = policy == AddressPolicy::allowing_special();
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_lab => {}
            Some("http") => return Err(TargetError::NotHttps),
            _ => return Err(TargetError::NotAUrl),
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(TargetError::UserInfo);
        }
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match literal.parse::<IpAddr>() {
            Ok(address) if !policy.allows(address) => Err(TargetError::Forbidden(address)),
            _ => Ok(Self(uri)),
        }
    }

    /// Returns the URL.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_to_the_internet_is_taken_and_the_lab_where_it_is_let_in() {
        let forbidden = |address: &str| Some(TargetError::Forbidden(address.parse().unwrap()));
        for (url, public, lab) in [
            ("https://hooks.example.com/a?b=c", None, None),
            ("https://hooks.example.com:8443/", None, None),
            ("https://8.8.8.8/", None, None),
            ("https://[2600::1]/", None, None),
            ("http://hooks.example.com/", Some(TargetError::NotHttps), None),
            ("https://127.0.0.1/", forbidden("127.0.0.1"), None),
            ("https://10.0.0.1:443/", forbidden("10.0.0.1"), None),
            ("https://[::1]/", forbidden("::1"), None),
            ("https://[::ffff:127.0.0.1]/", forbidden("::ffff:127.0.0.1"), None),
            ("https://169.254.169.254/latest", forbidden("169.254.169.254"), forbidden("169.254.169.254")),
            ("https://[fe80::1]/", forbidden("fe80::1"), forbidden("fe80::1")),
            ("https://user:word@hooks.example.com/", Some(TargetError::UserInfo), Some(TargetError::UserInfo)),
            ("ftp://hooks.example.com/", Some(TargetError::NotAUrl), Some(TargetError::NotAUrl)),
            ("file:///etc/passwd", Some(TargetError::NotAUrl), Some(TargetError::NotAUrl)),
            ("hooks.example.com", Some(TargetError::NotAUrl), Some(TargetError::NotAUrl)),
            ("/path", Some(TargetError::NotAUrl), Some(TargetError::NotAUrl)),
            ("", Some(TargetError::NotAUrl), Some(TargetError::NotAUrl)),
        ] {
            assert_eq!(Target::parse(url, AddressPolicy::public()).err(), public, "{url}");
            assert_eq!(Target::parse(url, AddressPolicy::allowing_special()).err(), lab, "{url}");
        }
        let long = format!("https://hooks.example.com/{}", "a".repeat(MAX_OCTETS));
        assert_eq!(Target::parse(&long, AddressPolicy::public()), Err(TargetError::TooLong));
    }
}
