//! What went wrong with a call, in our words.

use std::error::Error;

use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};

use crate::ses::client::SesError;

/// The longest text of SES that is repeated, in characters.
const MAX_MESSAGE_CHARACTERS: usize = 300;
/// SES's names for credentials that it does not accept.
const DENIALS: [&str; 12] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];
/// SES's names for being asked too often.
const THROTTLES: [&str; 4] = ["TooManyRequestsException", "Throttling", "ThrottlingException", "RequestLimitExceeded"];
/// SES's names for what may pass by itself.
const PASSING: [&str; 5] = [
    "ConcurrentModificationException",
    "InternalFailure",
    "InternalServiceErrorException",
    "RequestTimeout",
    "ServiceUnavailable",
];

/// Says in our words what went wrong with a call about `subject`.
pub(super) fn read<E>(subject: &str, error: &SdkError<E>) -> SesError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(failed) => {
            let told = failed.err();
            let status = failed.raw().status().as_u16();
            of_service(subject, told.code(), told.message().unwrap_or_default(), status)
        }
        SdkError::TimeoutError(_) => SesError::Unavailable("no answer in time".to_owned()),
        SdkError::ResponseError(_) => SesError::Malformed(bounded(&chain(error))),
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
            let text = chain(error);
            // The type of this failure is not public; its words are stable.
            let is_denied = text.to_ascii_lowercase().contains("credential");
            if is_denied { SesError::Denied(bounded(&text)) } else { SesError::Unavailable(bounded(&text)) }
        }
        _ => SesError::Unavailable(bounded(&chain(error))),
    }
}

/// Tells the errors of SES apart, by their name and else by the status.
fn of_service(subject: &str, code: Option<&str>, message: &str, status: u16) -> SesError {
    let name = code.unwrap_or_default();
    let said = || if message.is_empty() { format!("{name} (HTTP {status})") } else { bounded(message) };
    match name {
        "NotFoundException" => SesError::NotFound(subject.to_owned()),
        "AlreadyExistsException" => SesError::AlreadyExists(subject.to_owned()),
        "LimitExceededException" => SesError::QuotaReached(said()),
        _ if THROTTLES.contains(&name) => SesError::Throttled,
        _ if DENIALS.contains(&name) => SesError::Denied(said()),
        _ if PASSING.contains(&name) => SesError::Unavailable(said()),
        _ => match status {
            401 | 403 => SesError::Denied(said()),
            429 => SesError::Throttled,
            500.. => SesError::Unavailable(said()),
            // An error without a name comes from something else than SES, such as a proxy.
            _ if name.is_empty() => SesError::Malformed(format!("an error without a name (HTTP {status})")),
            _ => SesError::Refused { code: bounded(name), message: bounded(message) },
        },
    }
}

/// Puts an error and its causes into one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = inner.source();
    }
    text
}

/// Cuts a text of others, and leaves out what does not print.
fn bounded(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_MESSAGE_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart_by_name_then_by_status() {
        let refused = |code: &str| SesError::Refused { code: code.to_owned(), message: "no".to_owned() };
        for (code, status, expected) in [
            (Some("NotFoundException"), 404, SesError::NotFound("example.com".to_owned())),
            (Some("AlreadyExistsException"), 400, SesError::AlreadyExists("example.com".to_owned())),
            (Some("LimitExceededException"), 400, SesError::QuotaReached("no".to_owned())),
            (Some("TooManyRequestsException"), 429, SesError::Throttled),
            (Some("ThrottlingException"), 400, SesError::Throttled),
            (None, 429, SesError::Throttled),
            (Some("UnrecognizedClientException"), 403, SesError::Denied("no".to_owned())),
            (Some("SomethingNewException"), 403, SesError::Denied("no".to_owned())),
            (Some("InternalServiceErrorException"), 500, SesError::Unavailable("no".to_owned())),
            (Some("ConcurrentModificationException"), 409, SesError::Unavailable("no".to_owned())),
            (None, 503, SesError::Unavailable("no".to_owned())),
            (Some("BadRequestException"), 400, refused("BadRequestException")),
            (Some("MessageRejected"), 400, refused("MessageRejected")),
            (None, 404, SesError::Malformed("an error without a name (HTTP 404)".to_owned())),
        ] {
            assert_eq!(of_service("example.com", code, "no", status), expected, "{code:?} {status}");
        }
        let silent = of_service("example.com", Some("LimitExceededException"), "", 400);
        assert_eq!(silent, SesError::QuotaReached("LimitExceededException (HTTP 400)".to_owned()));
    }

    #[test]
    fn the_words_of_others_are_cut_and_made_printable() {
        assert_eq!(bounded("a\u{1b}[2Jb\n"), "a[2Jb");
        assert_eq!(bounded(&"x".repeat(1000)).len(), MAX_MESSAGE_CHARACTERS);
    }
}
