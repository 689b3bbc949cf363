//! What a fleet of domains needs over time: when to look again, what a look changes, and who is told.

pub mod webhooks;
