//! What a fleet of domains needs over time: when to look again, what a look changes, and who is told.
//!
//! [`lifecycle`] and [`cadence`] are pure: how a domain moves between its states, and when it is due again.

pub mod cadence;
pub mod lifecycle;
pub mod webhooks;
