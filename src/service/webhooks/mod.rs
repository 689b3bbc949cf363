//! Who is told of events: signed messages to the endpoints of a tenant, as Standard Webhooks 1.0 says.
//!
//! The messages lie in the store's outbox, written with the event itself; here they are signed ([`signature`]), carried
//! ([`courier`]) where they may be ([`target`]), and sent again when they were not taken ([`retry`], [`post`]). A message may come
//! more than once; its `webhook-id` is the same each time.

pub mod courier;
pub mod post;
pub mod retry;
pub mod signature;
pub mod target;
