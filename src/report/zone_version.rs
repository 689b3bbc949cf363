//! Which version of a zone its servers have.
//!
//! Nothing is asked for it: it is read from the start of authority where that was asked, and from negative answers.

use crate::dns::name::Name;
use crate::dns::rdata::{Rdata, Soa, is_older_serial};
use crate::dns::response::Response;
use crate::dns::rrset::Ttl;
use crate::evidence::{Evidence, Observation};
use crate::report::ReportedSoa;

/// The longest that a negative answer is kept (RFC 2308 §5: one to three hours work well).
const MAX_NEGATIVE_SECONDS: u32 = 3 * 60 * 60;

/// Returns the newest start of authority that a server of the zone gave; `None` where none did.
pub(super) fn newest(zone: &Name, evidence: &Evidence) -> Option<ReportedSoa> {
    let seen = evidence.all_observations().filter(|(_, seen)| seen.zone == *zone);
    let given = seen.filter_map(|(_, seen)| start_of(seen, zone));
    let newest = given.reduce(|best, next| if is_older_serial(best.0.serial, next.0.serial) { next } else { best });
    newest.map(|(soa, ttl)| ReportedSoa {
        primary: soa.mname.to_string(),
        serial: soa.serial,
        negative_seconds: ttl.min(soa.minimum).seconds().min(MAX_NEGATIVE_SECONDS),
    })
}

/// Reads the start of authority of a zone out of what one of its servers said.
fn start_of<'a>(seen: &'a Observation, zone: &Name) -> Option<(&'a Soa, Ttl)> {
    match seen.response()? {
        Response::Answer(answer) if answer.rrset.owner == *zone => match answer.rrset.data() {
            [Rdata::Soa(soa)] => Some((soa, answer.rrset.ttl)),
            _ => None,
        },
        Response::NoData(negative) | Response::NxDomain(negative) => match &negative.soa {
            Some((owner, soa, ttl)) if owner == zone => Some((soa, *ttl)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dns::response::Negative;
    use crate::dns::rrset::{Rcode, RecordType};
    use crate::evidence::{Outcome, Reply};
    use crate::findings::sample::{evidence, name, question};

    /// What three servers say to three questions, the SOA records of their negative answers with these serials.
    fn versions(serials: [u32; 3], owner: &str) -> Evidence {
        let mut said = evidence(
            "zone example.com. ns1.example.=192.0.2.1
             a.example.com. TXT: nodata",
        );
        let asked = question("a.example.com. TXT");
        let seen = said.observations(&asked)[0].clone();
        let Some(Response::NoData(Negative { soa: Some((_, soa, ttl)) })) = seen.response().cloned() else { panic!() };
        for (kind, serial) in [RecordType::MX, RecordType::A, RecordType::AAAA].into_iter().zip(serials) {
            let soa = Some((name(owner), Soa { serial, ..soa.clone() }, ttl));
            let outcome = Outcome::Replied(Arc::new(Reply {
                response: Response::NxDomain(Negative { soa }),
                rcode: Rcode::NXDOMAIN,
                is_authoritative: true,
                dropped: Vec::new(),
                signatures: Vec::new(),
            }));
            let asked = crate::dns::rrset::Question::new(asked.name.clone(), kind);
            said.add_observation(asked, Observation { outcome, ..seen.clone() });
        }
        said
    }

    #[test]
    fn the_newest_of_what_the_servers_have_is_told() {
        let zone = name("example.com.");
        for (serials, expected) in [([7, 9, 8], 9), ([9, 7, 8], 9), ([u32::MAX, 3, u32::MAX - 1], 3)] {
            assert_eq!(newest(&zone, &versions(serials, "example.com.")).unwrap().serial, expected, "{serials:?}");
        }
    }

    #[test]
    fn another_zone_says_nothing_of_this_one() {
        let said = versions([7, 9, 8], "other.example.");
        // The first answer has the zone's own, with the serial of the sample.
        let own = newest(&name("example.com."), &said).unwrap();
        assert_eq!((own.serial, own.primary.as_str(), own.negative_seconds), (1, "ns.example.", 300));
        assert_eq!(newest(&name("com."), &said), None);
    }
}
