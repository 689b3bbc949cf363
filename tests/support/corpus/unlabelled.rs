//! The codes of the catalogue that no domain of the corpus has as its label, each with the reason.

/// Code and reason.
pub(crate) const UNLABELLED: &[(&str, &str)] = &[
    (
        "ns_v6_only_broken",
        "the corpus is served over IPv4, since the loopback interface has one IPv6 address only; the scenarios hold it",
    ),
    ("dnssec_not_yet_valid", SIGNED),
    ("dnssec_bad_signature", SIGNED),
    ("dnssec_missing_signature", SIGNED),
    ("dnssec_missing_denial", SIGNED),
    ("dnssec_too_much_work", "a trap that no signer sets by accident; the scenarios hold it"),
    ("dnssec_many_iterations", SIGNED),
];

/// Why what only a signed zone can have is no label.
const SIGNED: &str =
    "the corpus has no zones that are signed whole; real_servers/signed.rs holds it against ones that are";
