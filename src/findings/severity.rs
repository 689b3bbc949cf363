//! How bad a finding is.

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Stops signing, verification or mail.
    Error,
    /// Works today, will hurt.
    Warning,
    /// Worth knowing.
    Notice,
    /// Said for completeness.
    Info,
}

impl Severity {
    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
        }
    }
}
