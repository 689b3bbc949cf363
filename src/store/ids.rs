//! Names of rows: a prefix that says of what, and a ULID, so that they sort by when they were made.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Defines one kind of name.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// What every such name begins with.
            pub const PREFIX: &str = $prefix;

            /// Makes a new name; no other process makes the same one.
            #[must_use]
            pub fn random() -> Self {
                Self(format!("{}{}", $prefix, ulid::Ulid::new()))
            }

            /// Takes a name as it is written; whether there is such a row, only the store knows.
            #[must_use]
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Returns the name as it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// Names a domain of a tenant.
    DomainId,
    "dom_"
);
id!(
    /// Names one check of a domain. Whoever records a check makes its name, so that recording it again is seen.
    CheckId,
    "chk_"
);
id!(
    /// Names an event.
    EventId,
    "evt_"
);
id!(
    /// Names a run over many domains.
    RunId,
    "run_"
);
id!(
    /// Names a webhook endpoint.
    EndpointId,
    "whk_"
);
id!(
    /// Names the delivery of one event to one endpoint.
    DeliveryId,
    "dlv_"
);
