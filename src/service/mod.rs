//! What a fleet of domains needs over time: when to look again, what a look changes, and who is told.
//!
//! ```text
//! store: claim -> check -> assess (lifecycle, cadence, operator: pure) -> store: record -> webhooks
//!                             ^
//! SES: listing -> sighting ---'
//! ```
//!
//! What is remembered between two looks at a domain lies in the store.

pub mod assess;
pub mod cadence;
pub mod lifecycle;
pub mod operator;
pub mod sighting;
pub mod webhooks;
