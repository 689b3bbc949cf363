//! The errors of Amazon SES: their names, their HTTP statuses and what they say.

/// Why a call was not done.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum ApiError {
    /// The resource is not there.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The resource is there already.
    #[error("{0} already exists")]
    AlreadyExists(String),
    /// There are too many resources.
    #[error("the account has {0} identities in this region, which is its limit")]
    LimitExceeded(usize),
    /// The call came too soon after another one.
    #[error("too many requests; slow down")]
    TooManyRequests,
    /// The input is not right.
    #[error("{0}")]
    BadRequest(String),
    /// The input cannot be read at all.
    #[error("the body cannot be read: {0}")]
    Serialization(String),
    /// Somebody else changes the resource.
    #[error("the resource is being changed by another request")]
    ConcurrentModification,
    /// The MAIL FROM name of the sender has no MX record.
    #[error("the MAIL FROM domain {0} is not verified")]
    MailFromDomainNotVerified(String),
    /// The message may not be sent.
    #[error("{0}")]
    MessageRejected(String),
    /// The account may not send.
    #[error("sending is paused for this account")]
    SendingPaused,
    /// Something went wrong inside.
    #[error("an internal error came up")]
    InternalServiceError,
    /// The service is not there.
    #[error("the service is not available")]
    ServiceUnavailable,
    /// The caller may not do this.
    #[error("the caller is not authorized to perform ses:{0}")]
    AccessDenied(&'static str),
    /// The call is not signed.
    #[error("the request has no authentication token")]
    MissingAuthenticationToken,
    /// The signature cannot be read.
    #[error("the Authorization header is not of Signature Version 4: {0}")]
    IncompleteSignature(&'static str),
    /// The signature is for another service.
    #[error("the credential should be scoped to the service ses")]
    SignatureDoesNotMatch,
    /// There is no such operation.
    #[error("there is no such operation")]
    UnknownOperation,
}

impl ApiError {
    /// Returns the name, as `x-amzn-errortype` carries it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "NotFoundException",
            Self::AlreadyExists(_) => "AlreadyExistsException",
            Self::LimitExceeded(_) => "LimitExceededException",
            Self::TooManyRequests => "TooManyRequestsException",
            Self::BadRequest(_) => "BadRequestException",
            Self::Serialization(_) => "SerializationException",
            Self::ConcurrentModification => "ConcurrentModificationException",
            Self::MailFromDomainNotVerified(_) => "MailFromDomainNotVerifiedException",
            Self::MessageRejected(_) => "MessageRejected",
            Self::SendingPaused => "SendingPausedException",
            Self::InternalServiceError => "InternalServiceErrorException",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::AccessDenied(_) => "AccessDeniedException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature(_) => "IncompleteSignature",
            Self::SignatureDoesNotMatch => "SignatureDoesNotMatch",
            Self::UnknownOperation => "UnknownOperationException",
        }
    }

    /// Returns the HTTP status, as the service model has it.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::NotFound(_) | Self::UnknownOperation => 404,
            Self::TooManyRequests => 429,
            Self::ConcurrentModification | Self::InternalServiceError => 500,
            Self::ServiceUnavailable => 503,
            Self::AccessDenied(_) | Self::MissingAuthenticationToken | Self::SignatureDoesNotMatch => 403,
            Self::AlreadyExists(_)
            | Self::LimitExceeded(_)
            | Self::BadRequest(_)
            | Self::Serialization(_)
            | Self::MailFromDomainNotVerified(_)
            | Self::MessageRejected(_)
            | Self::SendingPaused
            | Self::IncompleteSignature(_) => 400,
        }
    }
}
