//! zoneproof.
