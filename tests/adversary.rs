//! Servers and networks that lie, and what comes of it.
//!
//! `adversary/server.rs` is a server on loopback that sends what no scenario can: other ids, other ports, other addresses,
//! floods, octets that are no message, connections that drip; `datagrams.rs` and `connections.rs` are what it sends.
//! `adversary/schedules.rs` has a network that drops, delays, duplicates, reorders and forges by a seed. What zones
//! alone can do is in `fixtures/scenarios/hostile/`.
#![cfg(test)]

#[path = "adversary/connections.rs"]
mod connections;
#[path = "adversary/costs.rs"]
mod costs;
#[path = "adversary/counters.rs"]
mod counters;
#[path = "adversary/datagrams.rs"]
mod datagrams;
#[path = "adversary/memory.rs"]
mod memory;
#[path = "adversary/pulses.rs"]
mod pulses;
#[path = "adversary/schedules.rs"]
mod schedules;
#[path = "adversary/server.rs"]
mod server;
#[path = "adversary/signatures.rs"]
mod signatures;
#[cfg(feature = "dnssec")]
#[path = "support/signer.rs"]
#[expect(dead_code, reason = "no zone is delegated from another")]
mod signer;
#[path = "adversary/table.rs"]
mod table;
#[path = "adversary/unpredictability.rs"]
mod unpredictability;
#[path = "adversary/zones.rs"]
mod zones;
