//! What a message says: names, records, messages, and the meaning of a reply.
//!
//! Everything here is pure. This is the one door to `hickory-proto`: the rest of the crate sees
//! [`Name`](name::Name), [`RRset`](rrset::RRset), [`Message`](message::Message) and
//! [`Response`](response::Response).

pub mod bailiwick;
pub mod crypto;
pub mod dnssec;
pub mod message;
pub mod name;
pub mod network;
pub mod public_suffix;
pub mod rdata;
pub mod response;
pub mod rrset;
pub mod zone_text;
