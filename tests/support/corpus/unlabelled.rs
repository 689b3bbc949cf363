//! The codes of the catalogue that no domain of the corpus has as its label, each with the reason.

/// Code and reason.
pub(crate) const UNLABELLED: &[(&str, &str)] =
    &[("dmarc_strict_misalign", "it takes a custom MAIL FROM name, and no domain of the corpus has one")];
