//! What stands at an expected DKIM record's own name.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::findings::catalogue::Code;
use crate::findings::dkim::chase::{Destination, follow};
use crate::findings::dkim::site::{Diagnosis, Site, records_in};
use crate::findings::dkim::target::{Target, read_target};
use crate::findings::dkim::text::{Text, read_text};
use crate::findings::finding::{Argument, RecordStatus};
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
    if let Some(Text::Target(_)) = &text_read {
        return OwnName::Fault(wrong_type_txt(site, &text, text_read));
    }
    if !addresses_in(&ipv4).is_empty() {
        return read_addresses(site, inquiry, ipv4);
    }
    if let Some(Text::Key) = &text_read {
        return OwnName::Fault(wrong_type_txt(site, &text, text_read));
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

/// Puts the finding of a TXT record in the CNAME's place together.
fn wrong_type_txt(site: &Site<'_>, sight: &Sight<'_>, read: Option<Text>) -> Diagnosis {
    let diagnosis = Diagnosis::new(site.finding(Code::WrongTypeTxt)).finding_there(sight);
    let diagnosis = diagnosis.with("holds", Argument::Text(read.as_ref().map_or("text", Text::as_str).to_owned()));
    match read {
        Some(Text::Target(target)) => diagnosis.with("seen", Argument::Name(target)),
        _ => diagnosis,
    }
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
    let is_of_proxy = |address| is_cloudflare_proxy(address, ranges);
    let is_proxied = site.is_at_cloudflare() && sights.iter().flat_map(addresses_in).all(is_of_proxy);
    OwnName::Fault(start(if is_proxied { Code::CfProxied } else { Code::WrongTypeAddress }, &sights))
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
