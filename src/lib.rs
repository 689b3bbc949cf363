//! zoneproof.

pub mod budget;
pub mod dns;
pub mod evidence;
pub mod expectation;
pub mod findings;
pub mod observe;
pub mod providers;
pub mod records;
pub mod remedy;
pub mod report;
pub mod scenario;
pub mod transport;
pub mod walk;
