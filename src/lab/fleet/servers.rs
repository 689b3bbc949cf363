//! What is wrong with name servers and delegations: one function a fault, on a tenant whose records are right.

use crate::lab::dice::Dice;
use crate::lab::fleet::operators::operator;
use crate::lab::fleet::policies::quoted;
use crate::lab::fleet::tenant::{Line, RuleText, Tenant, ZoneText, absolute};

/// Takes the tenant's zone off its servers.
fn serve_nowhere(tenant: &mut Tenant) {
    tenant.addresses.clear();
}

/// The registration ran out.
pub(super) fn not_registered(tenant: &mut Tenant, _: &mut Dice) {
    serve_nowhere(tenant);
    tenant.delegation.clear();
}

/// The zone's server lives in a partner's zone and the partner's in the tenant's, each without an address at the registry.
pub(super) fn delegation_loop(tenant: &mut Tenant, _: &mut Dice) {
    let Some(registry) = super::operators::REGISTRIES.iter().find(|other| other.zone != tenant.registry.zone) else {
        return;
    };
    // The host of the other registry's zone, so that neither registry has a reason to hold glue (RFC 9471 §2).
    let partner = format!("{}-partner", tenant.label);
    serve_nowhere(tenant);
    tenant.delegation = vec![format!("ns1.{partner}.{}", registry.zone)];
    let back = Line::new(partner, "NS", format!("ns1.{}.", tenant.zone()));
    tenant.registered = vec![(registry, back)];
}

/// The name servers are misspelled at the registrar.
pub(super) fn ns_unresolvable(tenant: &mut Tenant, _: &mut Dice) {
    serve_nowhere(tenant);
    tenant.delegation = vec!["ns1.harborlime-dns.net".to_owned(), "ns2.harborlime-dns.net".to_owned()];
}

/// One of the name servers is misspelled at the registrar.
pub(super) fn ns_unresolvable_in_part(tenant: &mut Tenant, _: &mut Dice) {
    tenant.addresses.truncate(1);
    tenant.delegation.truncate(1);
    tenant.delegation.push("ns2.harborlime-dns.net".to_owned());
}

/// The name servers have the addresses that the office knows them by.
pub(super) fn ns_address_forbidden(tenant: &mut Tenant, _: &mut Dice) {
    serve_nowhere(tenant);
    tenant.delegation = vec!["ns1.basement-dns.net".to_owned(), "ns2.basement-dns.net".to_owned()];
}

/// The name servers that the registry knows do not serve the zone, or nothing comes from them.
pub(super) fn not_served(tenant: &mut Tenant, _: &mut Dice) {
    serve_nowhere(tenant);
}

/// A third name server was registered that does not know the zone.
pub(super) fn lame_some(tenant: &mut Tenant, _: &mut Dice) {
    tenant.delegation.push("ns3.harborline-dns.net".to_owned());
}

/// The servers answer for the zone, but not for what lies below `_domainkey`.
pub(super) fn unable_to_check(tenant: &mut Tenant, _: &mut Dice) {
    let rule = format!("any under _domainkey.{} -> SERVFAIL", tenant.domain());
    tenant.rules = vec![RuleText { addresses: tenant.addresses.clone(), lines: vec![rule] }];
}

/// The last server does not have the new records yet.
pub(super) fn inconsistent_servers(tenant: &mut Tenant, _: &mut Dice) {
    tenant.late_addresses = tenant.addresses.last().cloned().into_iter().collect();
}

/// The zone names another second server than the registry does.
pub(super) fn parent_child_ns_mismatch(tenant: &mut Tenant, _: &mut Dice) {
    let first = tenant.delegation.first().map(|host| absolute(host)).unwrap_or_default();
    tenant.others.push(Line::new("@", "NS", first));
    tenant.others.push(Line::new("@", "NS", "ns3.harborline-dns.net."));
    tenant.options.push("depth=full".to_owned());
}

/// The sender domain is a zone of its own at a small hoster, and the records were added in the zone above: at the name
/// without the sender's label, or at the doubled name.
pub(super) fn subzone_shadow(tenant: &mut Tenant, dice: &mut Dice) {
    let hoster = operator("harborline").and_then(|hoster| hoster.sets.first()).copied().unwrap_or_default();
    let is_doubled = dice.percent(50);
    tenant.place_dkim(|tenant, token| {
        let owner = if is_doubled { tenant.dkim_name(token) } else { format!("{token}._domainkey") };
        Line::new(owner, "CNAME", tenant.target(token))
    });
    tenant.inherits_dmarc = false;
    let (apex, below) = (tenant.apex(), format!(".{}", tenant.sender));
    tenant.policies.retain(|line| line.owner != apex && !line.owner.ends_with(&below));
    tenant.others.extend(hoster.iter().map(|(host, _)| Line::new(apex.clone(), "NS", absolute(host))));
    tenant.zones.push(ZoneText {
        zone: tenant.domain(),
        addresses: hoster.iter().map(|(_, address)| (*address).to_owned()).collect(),
        lines: vec![
            Line::new("@", "TXT", quoted("v=spf1 include:amazonses.com ~all")),
            Line::new("_dmarc", "TXT", quoted("v=DMARC1; p=none")),
        ],
    });
}
