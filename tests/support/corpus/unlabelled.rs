//! The codes of the catalogue that no domain of the corpus has as its label, each with the reason.

/// Code and reason.
pub(crate) const UNLABELLED: &[(&str, &str)] = &[(
    "ns_v6_only_broken",
    "the corpus is served over IPv4, since the loopback interface has one IPv6 address only; the scenarios hold it",
)];
