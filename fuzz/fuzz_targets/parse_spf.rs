//! Whatever the octets, the SPF parser returns; what it accepts, it prints so that it means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zoneproof::records::spf;

fuzz_target!(|data: &[u8]| {
    if let Ok(record) = spf::parse(data) {
        let printed = record.to_string();
        let again = spf::parse(printed.as_bytes()).expect(&printed);
        // Where a term stands is the source's, what it says is the record's.
        let kinds = |record: &spf::SpfRecord| record.terms().iter().map(|term| term.kind.clone()).collect::<Vec<_>>();
        assert_eq!(kinds(&again), kinds(&record), "{printed}");
    }
});
