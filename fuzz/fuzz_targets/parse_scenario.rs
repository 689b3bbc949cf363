//! Whatever the text, the parser of scenarios returns; what it takes prints and parses back to itself, and its servers
//! answer anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zoneproof::evidence::Protocol;
use zoneproof::scenario::Scenario;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(scenario) = text.parse::<Scenario>() else { return };
    let printed = scenario.to_string();
    assert_eq!(printed.parse::<Scenario>().as_ref(), Ok(&scenario), "{printed}");
    for address in scenario.addresses().into_iter().take(4) {
        let _ = scenario.respond(address, Protocol::Udp, data, 1);
    }
});
