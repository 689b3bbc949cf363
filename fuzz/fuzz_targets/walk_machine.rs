//! Whatever servers say one after the other, a walk ends, asks nothing twice, and only goes down towards its name.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/sessions/walk.rs"]
mod walk;

fuzz_target!(|data: &[u8]| walk::run(data));
