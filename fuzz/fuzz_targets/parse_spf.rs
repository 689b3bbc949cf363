//! Whatever the octets, the SPF parser returns; what it accepts, it prints so that it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zoneproof::records::spf;

fuzz_target!(|data: &[u8]| {
    if let Ok(record) = spf::parse(data) {
        let printed = record.to_string();
        assert_eq!(spf::parse(printed.as_bytes()).as_ref(), Ok(&record), "{printed}");
    }
});
