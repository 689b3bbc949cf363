//! zoneproof.

pub mod budget;
pub mod dns;
pub mod evidence;
pub mod expectation;
pub mod remedy;
pub mod transport;
