//! Page tokens that say nothing to whoever holds them, and that nobody can make up.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::ApiError;
use super::token::digest;

/// The most identities on a page (`PageSize` of the service model).
pub(super) const MAX_PAGE_SIZE: u32 = 1000;
/// How many there are where the caller does not say; the model tells no number.
const DEFAULT_PAGE_SIZE: u32 = 100;

/// Reads how many identities a page may have.
pub(super) fn page_size(told: Option<u32>) -> Result<usize, ApiError> {
    let size = told.filter(|size| *size > 0).unwrap_or(DEFAULT_PAGE_SIZE);
    if size > MAX_PAGE_SIZE {
        return Err(ApiError::BadRequest(format!("PageSize {size} is more than {MAX_PAGE_SIZE}")));
    }
    Ok(usize::try_from(size).unwrap_or_default())
}

/// Makes the token of the page behind `last`.
pub(super) fn write(region: &str, last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{:016x} {last}", digest(&[region, last])))
}

/// Reads a token of this region: the name that the page comes behind.
pub(super) fn read(region: &str, token: &str) -> Result<String, ApiError> {
    let octets = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let text = String::from_utf8(octets).unwrap_or_default();
    match text.split_once(' ') {
        Some((sum, last)) if sum == format!("{:016x}", digest(&[region, last])) => Ok(last.to_owned()),
        _ => Err(ApiError::BadRequest("NextToken is none of ours".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_read_back_in_their_region_alone() {
        let token = write("eu-west-1", "mail.example.com");
        assert!(!token.contains("example"));
        assert_eq!(read("eu-west-1", &token), Ok("mail.example.com".to_owned()));
        for (region, token) in
            [("eu-west-2", token.as_str()), ("eu-west-1", ""), ("eu-west-1", "bWFpbA"), ("eu-west-1", "%")]
        {
            assert!(matches!(read(region, token), Err(ApiError::BadRequest(_))), "{token}");
        }
    }

    #[test]
    fn a_page_has_at_most_a_thousand() {
        assert_eq!(page_size(None), Ok(100));
        assert_eq!(page_size(Some(0)), Ok(100));
        assert_eq!(page_size(Some(1000)), Ok(1000));
        assert!(matches!(page_size(Some(1001)), Err(ApiError::BadRequest(_))));
    }
}
