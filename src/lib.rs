//! zoneproof.

pub mod dns;
