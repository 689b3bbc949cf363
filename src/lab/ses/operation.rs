//! The operations of the SES API that this endpoint has.

use serde::{Deserialize, Serialize};

/// An operation, by its name in the service model.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Operation {
    /// Makes an identity.
    CreateEmailIdentity,
    /// Tells everything of an identity.
    GetEmailIdentity,
    /// Lists identities, page by page.
    ListEmailIdentities,
    /// Removes an identity.
    DeleteEmailIdentity,
    /// Says where the keys of an identity come from.
    PutEmailIdentityDkimSigningAttributes,
    /// Says whether mail is signed.
    PutEmailIdentityDkimAttributes,
    /// Sets the custom MAIL FROM name.
    PutEmailIdentityMailFromAttributes,
    /// Sends a message.
    SendEmail,
    /// Tells how much was sent, delivered and complained about.
    BatchGetMetricData,
}

impl Operation {
    /// Returns the name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateEmailIdentity => "CreateEmailIdentity",
            Self::GetEmailIdentity => "GetEmailIdentity",
            Self::ListEmailIdentities => "ListEmailIdentities",
            Self::DeleteEmailIdentity => "DeleteEmailIdentity",
            Self::PutEmailIdentityDkimSigningAttributes => "PutEmailIdentityDkimSigningAttributes",
            Self::PutEmailIdentityDkimAttributes => "PutEmailIdentityDkimAttributes",
            Self::PutEmailIdentityMailFromAttributes => "PutEmailIdentityMailFromAttributes",
            Self::SendEmail => "SendEmail",
            Self::BatchGetMetricData => "BatchGetMetricData",
        }
    }

    /// Says whether it counts against the rate of the account, as all that manage identities do.
    pub(super) fn is_paced(self) -> bool {
        !matches!(self, Self::SendEmail | Self::BatchGetMetricData)
    }

    /// Says whether it may have something to be looked at that was not before.
    pub(super) fn asks_for_looks(self) -> bool {
        matches!(
            self,
            Self::CreateEmailIdentity
                | Self::PutEmailIdentityDkimSigningAttributes
                | Self::PutEmailIdentityMailFromAttributes
        )
    }
}
