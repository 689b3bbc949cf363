//! Signature Version 4, as far as an endpoint without secrets reads it: which region a call is for.
//!
//! The signature itself is not verified; a call that has none, or one for another service, is refused as Amazon does.

use super::error::ApiError;
use super::region::is_region;

/// The algorithm in front of the header.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The name that Amazon SES signs under.
const SERVICE: &str = "ses";
/// What ends a credential scope.
const TERMINATOR: &str = "aws4_request";

/// Reads the region out of the credential scope of an Authorization header.
pub(super) fn region(header: Option<&str>) -> Result<&str, ApiError> {
    let header = header.ok_or(ApiError::MissingAuthenticationToken)?;
    let parameters = header.strip_prefix(ALGORITHM).ok_or(ApiError::IncompleteSignature("the algorithm"))?;
    let find = |name: &'static str| {
        let mut parts = parameters.split(',').filter_map(|part| part.trim().split_once('='));
        let found = parts.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value);
        found.ok_or(ApiError::IncompleteSignature(name))
    };
    find("SignedHeaders")?;
    find("Signature")?;
    let scope: Vec<&str> = find("Credential")?.rsplitn(5, '/').collect();
    match scope.as_slice() {
        [TERMINATOR, SERVICE, region, date, key]
            if is_region(region)
                && date.len() == 8
                && date.bytes().all(|octet| octet.is_ascii_digit())
                && !key.is_empty() =>
        {
            Ok(region)
        }
        [TERMINATOR, service, ..] if *service != SERVICE => Err(ApiError::SignatureDoesNotMatch),
        _ => Err(ApiError::IncompleteSignature("Credential")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_that_of_the_scope() {
        let header = |credential: &str| {
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature=0123abcd")
        };
        for key in ["lab", "AKIA/WITH/SLASHES"] {
            let header = header(&format!("{key}/20261124/eu-south-1/ses/aws4_request"));
            assert_eq!(region(Some(&header)), Ok("eu-south-1"));
        }
        assert_eq!(region(None), Err(ApiError::MissingAuthenticationToken));
        let foreign = header("lab/20261124/eu-west-1/s3/aws4_request");
        assert_eq!(region(Some(&foreign)), Err(ApiError::SignatureDoesNotMatch));
        for credential in [
            "lab",
            "lab/20261124/eu-west-1/ses",
            "lab/2026/eu-west-1/ses/aws4_request",
            "lab/20261124/Europe/ses/aws4_request",
            "/20261124/eu-west-1/ses/aws4_request",
        ] {
            let header = header(credential);
            assert!(matches!(region(Some(&header)), Err(ApiError::IncompleteSignature(_))), "{credential}");
        }
        for header in [
            "Basic bGFiOmxhYg==",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=lab/20261124/eu-west-1/ses/aws4_request",
        ] {
            assert!(matches!(region(Some(header)), Err(ApiError::IncompleteSignature(_))), "{header}");
        }
    }
}
