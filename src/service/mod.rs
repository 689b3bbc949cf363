//! What a fleet of domains needs over time: when to look again, what a look changes, and who is told.
//!
//! ```text
//! store: claim -> check -> assess (lifecycle, cadence, operator: pure) -> store: record -> webhooks
//!                             ^
//! SES: feed -> sighting ------'
//! ```
//!
//! [`monitor`] is the loop; it decides nothing. What it remembers between two looks at a domain lies in the store.

pub mod assess;
pub mod cadence;
pub mod feed;
pub mod lifecycle;
pub mod metered;
pub mod monitor;
pub mod operator;
pub mod sighting;
pub mod webhooks;
