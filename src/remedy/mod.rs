//! What to type where.
//!
//! Reads a [`Finding`](crate::findings::Finding), the expectation and the evidence; says in one sentence
//! what is wrong and then step by step what to change, in the words of the provider that really serves
//! the name. Asks nothing and decides nothing: whether something is wrong is settled in `findings`.

use serde::{Deserialize, Serialize};

/// What to do about a finding.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Remedy {
    /// The id of the DNS provider whose panel the words are for; null where it is not known, where there are
    /// several, and where the place is the registrar's.
    pub provider: Option<String>,
    /// The words for a person: what is wrong in one sentence, then what to do.
    pub text: String,
    /// The same as steps, in the order to take them; empty where nothing is to be typed.
    pub steps: Vec<Step>,
}

/// One change of a record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Step {
    /// What to do with the record.
    pub action: Action,
    /// What the panel's host field takes, relative to the zone that holds the record; of an NS record at the
    /// registrar the domain.
    pub host: String,
    /// The record type.
    #[serde(rename = "type")]
    pub record_type: String,
    /// What the panel's value field takes; left out where host and type say enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What to do with a record.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Take it away.
    Delete,
    /// Put it in.
    Add,
    /// Give it this value, or this setting of the panel's, in place of the one it has.
    Change,
    /// Leave it as it is, while others go.
    Keep,
}

impl Action {
    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Add => "add",
            Self::Change => "change",
            Self::Keep => "keep",
        }
    }
}
