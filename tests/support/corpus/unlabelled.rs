//! The codes of the catalogue that no domain of the corpus has as its label, each with the reason.

/// Code and reason.
pub(crate) const UNLABELLED: &[(&str, &str)] = &[];
