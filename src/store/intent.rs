//! What is about to be created at SES: written down before the call, so that a create is not sent twice.
//!
//! A process that dies between the call and its answer leaves an intent without an end. Whoever comes next sees
//! it, looks whether the identity is there, and only then intends again, under the next attempt.

use jiff::Timestamp;

/// What is known of the creation of a domain's identity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IdentityIntent {
    /// How often a creation was intended, from 1.
    pub attempt: u32,
    /// When the last one was.
    pub intended_at: Timestamp,
    /// What came of it.
    pub end: IntentEnd,
}

/// What came of an intent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IntentEnd {
    /// Not known: the call may be under way, or whoever made it has died.
    Open,
    /// The call is over, and its answer does not say whether the identity is there.
    Unclear,
    /// The identity is there.
    Created,
    /// SES said no; nothing was created.
    Refused,
}

impl IntentEnd {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Open, Self::Unclear, Self::Created, Self::Refused];

    /// Returns its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unclear => "unclear",
            Self::Created => "created",
            Self::Refused => "refused",
        }
    }
}
