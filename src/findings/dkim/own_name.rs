//! What stands at an expected DKIM record's own name.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::Observation;
use crate::findings::catalogue::{Code, Severity};
use crate::findings::dkim::chase::{Destination, follow};
use crate::findings::dkim::redirect::is_redirector;
use crate::findings::dkim::site::{Diagnosis, Site, records_in};
use crate::findings::dkim::slip::Slip;
use crate::findings::dkim::target::{Target, read_target};
use crate::findings::dkim::text::{Text, read_text};
use crate::findings::finding::{Argument, RecordStatus, data_of};
use crate::findings::inquiry::{Inquiry, Sight};
use crate::findings::status::cname_targets;
use crate::providers::is_cloudflare_proxy;

/// How a record's own name looks.
#[derive(Clone, Debug)]
pub(super) enum OwnName {
    /// There is nothing to explain: the record is right, cannot be checked, or the servers differ.
    Settled(RecordStatus),
    /// Something stands there that explains itself.
    Fault(Diagnosis),
    /// The record is not there, though a wildcard may answer in its place.
    Missing(Option<Diagnosis>),
}

/// Looks at what stands at the record's own name, and asks for more only where that is not clear.
pub(super) fn look_at_own_name(site: &Site<'_>, inquiry: &mut Inquiry<'_>) -> OwnName {
    match site.standing.status() {
        RecordStatus::Wrong => read_wrong_cname(site, inquiry),
        RecordStatus::Absent => read_nothing(site, inquiry),
        settled => OwnName::Settled(settled),
    }
}

/// Says why a CNAME that all servers agree on is not the expected one.
fn read_wrong_cname(site: &Site<'_>, inquiry: &mut Inquiry<'_>) -> OwnName {
    if let Some(dname) = site.standing.other.first().and_then(|seen| dname_of(seen)) {
        return OwnName::Fault(redirected(site, inquiry, dname));
    }
    let targets: Vec<&Name> = site.standing.other.first().map(|seen| cname_targets(seen)).unwrap_or_default();
    let target = match targets.as_slice() {
        [target] => *target,
        _ => {
            let targets = Argument::Names(targets.into_iter().cloned().collect());
            return OwnName::Fault(Diagnosis::new(site.finding(Code::MultipleCnames)).with("targets", targets));
        }
    };
    let probe = site.wildcard_probe(inquiry.evidence()).map(|name| Question::new(name, RecordType::CNAME));
    if let Some(sight) = probe.map(|probe| inquiry.look(&probe))
        && sight.cname_targets() == [target]
    {
        let finding = Diagnosis::new(site.finding(Code::WildcardSynth));
        return OwnName::Missing(Some(finding.with("seen", Argument::Name(target.clone())).proven_by(&sight)));
    }
    OwnName::Fault(explain_target(site, inquiry, target).with("seen", Argument::Name(target.clone())))
}

/// Returns the owner of the DNAME that a server made its CNAME from.
fn dname_of(seen: &Observation) -> Option<&Name> {
    match seen.response()? {
        Response::Answer(answer) => answer.dname.as_ref(),
        Response::Alias(alias) => alias.dname.as_ref(),
        _ => None,
    }
}

/// Says where a DNAME above the record leads (RFC 6672 §2.2); a warning where that is the target after all.
fn redirected(site: &Site<'_>, inquiry: &mut Inquiry<'_>, dname: &Name) -> Diagnosis {
    let targets = site.standing.other.first().map(|seen| cname_targets(seen)).unwrap_or_default();
    let [target] = targets.as_slice() else { return Diagnosis::new(site.finding(Code::DnameAbove)) };
    let chase = follow(inquiry, &site.record.name, target, site.target);
    let mut finding = match chase.end {
        Destination::Loop => site.finding(Code::CnameLoop),
        Destination::Expected => site.finding(Code::DnameAbove).with_severity(Severity::Warning),
        Destination::Elsewhere => site.finding(Code::DnameAbove),
    };
    finding = finding.with("targets", Argument::Names(names_between(&chase.names, site)));
    let diagnosis = chase.sights.iter().fold(Diagnosis::new(finding), Diagnosis::finding_there);
    diagnosis
        .with("dname", Argument::Name(dname.clone()))
        .with("seen", Argument::Name((*target).clone()))
        .with("chain", Argument::Text(chain_text(&chase.names)))
}

/// Says what is wrong with the target of a CNAME.
fn explain_target(site: &Site<'_>, inquiry: &mut Inquiry<'_>, target: &Name) -> Diagnosis {
    let start = |code| Diagnosis::new(site.finding(code));
    let zone = site.cut.map(|cut| &cut.zone);
    match read_target(target, site.record, site.expectation, zone) {
        Target::OfToken(_) => start(Code::TokenSwapped),
        Target::WithZone(appended) => start(Code::TargetZoneAppended).with("appended", Argument::Name(appended)),
        Target::WithDot => start(Code::TargetDotEscaped),
        Target::OfRegion(region) => {
            let expected_zone = Argument::Name(site.expectation.dkim_zone.clone());
            let diagnosis = start(Code::WrongRegion).with("dkim_zone", expected_zone);
            match region {
                Some(region) => diagnosis.with("region", Argument::Text(region)),
                None => diagnosis,
            }
        }
        Target::WithSlip(slip) => {
            let diagnosis = start(slip.code());
            match slip {
                Slip::Invisible(points) if !points.is_empty() => {
                    diagnosis.with("characters", Argument::Text(points.join(", ")))
                }
                _ => diagnosis,
            }
        }
        Target::Garbled => start(Code::TokenTruncated),
        Target::OfOlderToken => start(Code::TokenStale),
        Target::OfService(service) => {
            start(Code::WrongProviderTarget).with("service", Argument::Text(service.to_owned()))
        }
        // A chain is followed only once it is known that no wildcard made it.
        Target::Expected | Target::Unrelated if inquiry.is_wanting() => start(Code::WrongTarget),
        Target::Expected | Target::Unrelated => {
            let chase = follow(inquiry, &site.record.name, target, site.target);
            let code = match chase.end {
                Destination::Expected => Code::Indirect,
                Destination::Loop => Code::CnameLoop,
                Destination::Elsewhere => return start(Code::WrongTarget),
            };
            let diagnosis = chase.sights.iter().fold(start(code), Diagnosis::finding_there);
            diagnosis
                .with("targets", Argument::Names(names_between(&chase.names, site)))
                .with("chain", Argument::Text(chain_text(&chase.names)))
        }
    }
}

/// Returns the names that a chain runs over between the record and its target; sorted, without duplicates.
fn names_between(names: &[Name], site: &Site<'_>) -> Vec<Name> {
    let is_between = |name: &&Name| **name != site.record.name && *name != site.target;
    names.iter().filter(is_between).cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Writes the names of a chain in its order.
fn chain_text(names: &[Name]) -> String {
    names.iter().map(Name::to_string).collect::<Vec<_>>().join(" > ")
}

/// Says whether something of another type stands where all servers say that there is no CNAME.
fn read_nothing(site: &Site<'_>, inquiry: &mut Inquiry<'_>) -> OwnName {
    // NXDOMAIN covers every type (RFC 2308 §2.1): nothing can stand there, not even by a wildcard.
    let is_nowhere = site.standing.other.iter().all(|seen| matches!(seen.response(), Some(Response::NxDomain(_))));
    if is_nowhere || !site.is_registered() {
        return OwnName::Missing(None);
    }
    let at_name = |kind| Question::new(site.record.name.clone(), kind);
    let text = inquiry.look(&at_name(RecordType::TXT));
    let ipv4 = inquiry.look(&at_name(RecordType::A));
    if inquiry.is_wanting() {
        return OwnName::Missing(None);
    }
    let text_read = read_text(&text, site.expectation);
    if let Some(Text::Target(target)) = text_read {
        let diagnosis = Diagnosis::new(site.finding(Code::WrongTypeTxt)).finding_there(&text);
        return OwnName::Fault(diagnosis.with("seen", Argument::Name(target)));
    }
    if !addresses_in(&ipv4).is_empty() {
        return read_addresses(site, inquiry, ipv4);
    }
    if text_read == Some(Text::Key) {
        return read_key(site, inquiry, &text);
    }
    let ipv6 = inquiry.look(&at_name(RecordType::AAAA));
    if !addresses_in(&ipv6).is_empty() {
        return read_addresses(site, inquiry, ipv6);
    }
    let sights = [text, ipv4, ipv6];
    if site.is_at_cloudflare() && sights.iter().all(Sight::is_nodata) {
        return read_flattened(site, inquiry, &sights);
    }
    OwnName::Missing(None)
}

/// Says whether a key in the CNAME's place is a record or comes from a wildcard, such as the empty key of a domain that
/// says to send no mail.
fn read_key(site: &Site<'_>, inquiry: &mut Inquiry<'_>, sight: &Sight<'_>) -> OwnName {
    let probe = site.wildcard_probe(inquiry.evidence()).map(|name| Question::new(name, RecordType::TXT));
    if let Some(probe) = probe.map(|probe| inquiry.look(&probe))
        && let (Some(one), Some(other)) = (sight.seen.first(), probe.seen.first())
        && data_of(one) == data_of(other)
        && !data_of(one).is_empty()
    {
        let diagnosis = Diagnosis::new(site.finding(Code::WildcardSynth)).finding_there(sight);
        let seen = Argument::Text(data_of(one).join(" "));
        return OwnName::Missing(Some(diagnosis.with("seen", seen).proven_by(&probe)));
    }
    OwnName::Fault(Diagnosis::new(site.finding(Code::TxtKeyInline)).finding_there(sight))
}

/// Says where addresses in the CNAME's place come from: a wildcard, Cloudflare's proxy, or a record.
fn read_addresses(site: &Site<'_>, inquiry: &mut Inquiry<'_>, first: Sight<'_>) -> OwnName {
    let start = |code, sights: &[Sight<'_>]| {
        let mut addresses: Vec<IpAddr> = sights.iter().flat_map(addresses_in).collect();
        addresses.sort();
        addresses.dedup();
        let diagnosis = Diagnosis::new(site.finding(code)).with("addresses", Argument::Addresses(addresses));
        sights.iter().filter(|sight| !addresses_in(sight).is_empty()).fold(diagnosis, Diagnosis::finding_there)
    };
    let mut sights = vec![first];
    let mut addresses: Vec<IpAddr> = sights.iter().flat_map(addresses_in).collect();
    addresses.sort();
    let kind = sights.first().map_or(RecordType::A, |sight| sight.question.kind);
    let probe = site.wildcard_probe(inquiry.evidence()).map(|name| inquiry.look(&Question::new(name, kind)));
    if let Some(probe) = probe
        && addresses_in(&probe).iter().any(|address| addresses.contains(address))
    {
        let seen = addresses.first().map(ToString::to_string).unwrap_or_default();
        let diagnosis = start(Code::WildcardSynth, &sights).with("seen", Argument::Text(seen));
        return OwnName::Missing(Some(diagnosis.proven_by(&probe)));
    }
    if kind == RecordType::A && !inquiry.is_wanting() {
        // Whoever deletes the record has to delete the other family's too.
        sights.push(inquiry.look(&Question::new(site.record.name.clone(), RecordType::AAAA)));
    }
    let ranges = inquiry.evidence().cloudflare_ranges.as_deref();
    let all = || sights.iter().flat_map(addresses_in);
    let code = if site.is_at_cloudflare() && all().all(|address| is_cloudflare_proxy(address, ranges)) {
        Code::CfProxied
    } else if site.provider().is_some_and(|provider| all().all(|address| is_redirector(&provider.id, address))) {
        Code::WrongTypeUrlRedirect
    } else {
        Code::WrongTypeAddress
    };
    OwnName::Fault(start(code, &sights))
}

/// Says whether a name at Cloudflare that exists and holds nothing is a flattened CNAME.
///
/// The targets of SES have no addresses, so nothing is left of them when they are flattened. A name
/// that nobody made must be NXDOMAIN there, or else NODATA would say nothing.
fn read_flattened(site: &Site<'_>, inquiry: &mut Inquiry<'_>, sights: &[Sight<'_>]) -> OwnName {
    let probe = site.wildcard_probe(inquiry.evidence()).map(|name| Question::new(name, RecordType::CNAME));
    let Some(sight) = probe.map(|probe| inquiry.look(&probe)) else { return OwnName::Missing(None) };
    if !sight.is_nxdomain() {
        return OwnName::Missing(None);
    }
    let diagnosis = Diagnosis::new(site.finding(Code::CfFlattened)).proven_by(&sight);
    OwnName::Fault(sights.iter().fold(diagnosis, Diagnosis::proven_by))
}

/// Returns the addresses that answers give; sorted by server, not by address.
fn addresses_in(sight: &Sight<'_>) -> Vec<IpAddr> {
    let records = sight.seen.iter().flat_map(|seen| records_in(seen));
    records
        .filter_map(|record| match record.rdata {
            Rdata::A(address) => Some(IpAddr::V4(address)),
            Rdata::Aaaa(address) => Some(IpAddr::V6(address)),
            _ => None,
        })
        .collect()
}
