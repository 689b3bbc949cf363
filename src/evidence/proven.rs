//! What was proven of what one server address said, when it was asked for signatures.

use crate::dnssec::{Bogus, Security};
use crate::evidence::Observation;

/// What a server said, and whether its signatures hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proven {
    /// What it said.
    pub seen: Observation,
    /// Whether that is signed by the zone's keys, needs no signature, or is refused by whoever checks signatures.
    pub holds: Result<Security, Bogus>,
    /// How often the hashes that deny a record are repeated, where that is so often that the zone counts as unsigned.
    pub costly_iterations: Option<u16>,
}
