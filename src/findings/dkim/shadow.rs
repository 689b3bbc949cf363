//! Whether records that the world does not see stand at servers that somebody may have taken for the right ones.
//!
//! The *shadow probe*: the missing records are asked for at servers that the delegation does not name. An answer with
//! AA that is exactly what is expected proves that somebody edited the zone there; anything else proves nothing.

use std::collections::BTreeSet;

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::findings::catalogue::Code;
use crate::findings::dkim::site::{Diagnosis, Site};
use crate::findings::finding::Argument;
use crate::findings::inquiry::{Inquiry, Sight};
use crate::findings::status::is_expected_cname;
use crate::providers;

/// The most servers that one check asks beside those of the delegation.
const MAX_SHADOW_SERVERS: usize = 8;

/// Looks for the records that no entry of `hits` explains, where others than the world's servers may have them.
///
/// Asked are the servers that only the zone itself names, those that the caller says it was delegated to before, and those
/// of the provider that the caller tells; where none
/// of all `expected` records is to be found, also servers that are the same for all zones of a large provider. One
/// record is looked for first, the others only at servers that have it.
pub(super) fn look_at_shadows(
    missing: &[&Site<'_>],
    expected: usize,
    inquiry: &mut Inquiry<'_>,
    hits: &mut [Option<Diagnosis>],
) {
    let mut unexplained = missing.iter().zip(hits).filter(|(site, hit)| hit.is_none() && site.is_registered());
    let Some((first, first_hit)) = unexplained.next() else { return };
    let rest: Vec<_> = unexplained.collect();
    let servers = shadow_servers(first, rest.len() + 1 == expected, inquiry);
    if inquiry.is_wanting() {
        return;
    }
    let sights: Vec<Sight<'_>> = servers.iter().map(|server| look_right(first, server, inquiry)).collect();
    let holders: Vec<Name> = servers
        .into_iter()
        .zip(&sights)
        .filter(|(_, sight)| !sight.seen.is_empty())
        .map(|(server, _)| server)
        .collect();
    *first_hit = edited_elsewhere(first, &holders, &sights);
    for (site, hit) in rest {
        let sights: Vec<Sight<'_>> = holders.iter().map(|server| look_right(site, server, inquiry)).collect();
        *hit = edited_elsewhere(site, &holders, &sights);
    }
}

/// Returns the servers to ask, each once, the likeliest first.
fn shadow_servers(site: &Site<'_>, is_all_missing: bool, inquiry: &mut Inquiry<'_>) -> Vec<Name> {
    let Some(cut) = site.cut else { return Vec::new() };
    let at_apex = inquiry.look(&Question::new(cut.zone.clone(), RecordType::NS));
    let mut servers: Vec<Name> = at_apex.seen.iter().flat_map(|seen| servers_in(seen.response())).collect();
    servers.extend(site.expectation.previous_name_servers.iter().cloned());
    let named = site.expectation.dns_provider.as_deref().and_then(|id| providers::catalogue().get(id));
    servers.extend(named.into_iter().flat_map(|provider| provider.probe_servers.iter().cloned()));
    if is_all_missing {
        let own: Vec<Name> = cut.server_names().cloned().collect();
        servers.extend(providers::probe_servers(&own));
    }
    let delegated: BTreeSet<&Name> = cut.server_names().collect();
    let mut known = BTreeSet::new();
    servers.retain(|server| !delegated.contains(server) && known.insert(server.clone()));
    servers.truncate(MAX_SHADOW_SERVERS);
    servers
}

/// Returns the servers that an answer to an NS question names.
fn servers_in(response: Option<&Response>) -> Vec<Name> {
    let Some(Response::Answer(answer)) = response else { return Vec::new() };
    let servers = answer.rrset.data().iter().filter_map(|rdata| match rdata {
        Rdata::Ns(server) => Some(server.clone()),
        _ => None,
    });
    servers.collect()
}

/// Asks one server for a record; what is not exactly as expected is left out.
fn look_right<'e>(site: &Site<'_>, server: &Name, inquiry: &mut Inquiry<'e>) -> Sight<'e> {
    let sight = inquiry.look_beside(&site.record.question(), server);
    let right = sight.seen.iter().copied().filter(|seen| is_expected_cname(site.record, seen)).collect();
    Sight { seen: right, ..sight }
}

/// Puts the finding together; `None` where no server has the record.
fn edited_elsewhere(site: &Site<'_>, holders: &[Name], sights: &[Sight<'_>]) -> Option<Diagnosis> {
    if sights.iter().all(|sight| sight.seen.is_empty()) {
        return None;
    }
    let mut servers = holders.to_vec();
    servers.sort();
    let diagnosis = Diagnosis::new(site.finding(Code::WrongProviderEdited));
    let diagnosis = match providers::detect(&servers, None).provider() {
        Some(provider) => diagnosis.with("edited_provider", Argument::Text(provider.id.clone())),
        None => diagnosis,
    };
    Some(sights.iter().fold(diagnosis.with("edited_servers", Argument::Names(servers)), Diagnosis::finding_there))
}
