//! Servers and networks that lie, and what comes of it.
//!
//! `adversary/datagrams.rs` has servers on loopback that send what no scenario can: other ids, other ports, other
//! addresses, floods, octets that are no message, connections that drip. `adversary/schedules.rs` has a network that drops,
//! delays, duplicates, reorders and forges by a seed. What zones alone can do is in `fixtures/scenarios/hostile/`.
#![cfg(test)]

#[path = "adversary/datagrams.rs"]
mod datagrams;
#[path = "adversary/schedules.rs"]
mod schedules;
