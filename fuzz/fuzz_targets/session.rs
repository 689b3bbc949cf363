//! Whatever servers say one after the other, a check and lookups keep their limits and harm no other zone.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/sessions/session.rs"]
mod session;

fuzz_target!(|data: &[u8]| session::run(data));
