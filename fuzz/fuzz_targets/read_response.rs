//! Whatever the octets, reading ends; what was read whole prints and reads back; and a reply never says more than
//! the zone asked may state.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zoneproof::dns::message::{Edns, Message, encode_message};
use zoneproof::dns::response::{Response, read_response};
use zoneproof::dns::rrset::Question;

fuzz_target!(|data: &[u8]| {
    let Ok(message) = Message::decode(data) else { return };
    if message.is_whole()
        && let Ok(octets) = encode_message(&message)
    {
        // Extended errors are read and never written.
        let edns = message.edns.clone().map(|edns| Edns { extended_errors: Vec::new(), ..edns });
        let again = Message::decode(&octets).expect("what was written can be read");
        assert_eq!(again, Message { edns, ..message.clone() });
    }
    let Some(Question { name, kind }) = message.question.clone() else { return };
    for zone in name.ancestors() {
        let question = Question::new(name.clone(), kind);
        let response = read_response(&message, &question, &zone).response;
        match &response {
            Response::Answer(answer) => {
                assert!(message.flags.authoritative && answer.rrset.owner == name && answer.rrset.kind == kind);
            }
            Response::Alias(alias) => {
                assert!(message.flags.authoritative && alias.links[0].owner == name && alias.links.len() <= 8);
            }
            Response::Referral(referral) => {
                assert!(referral.zone.is_strictly_below(&zone) && name.is_subdomain_of(&referral.zone));
                assert!(!referral.servers.is_empty());
                assert!(referral.glue.iter().all(|(host, _)| host.is_subdomain_of(&zone)));
            }
            Response::NoData(_) | Response::NxDomain(_) => assert!(message.flags.authoritative),
            Response::Lame(_) | Response::Failed(_) => {}
        }
    }
});
