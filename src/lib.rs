//! zoneproof.

pub mod dns;
pub mod remedy;
