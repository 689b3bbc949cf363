//! What is wrong with registration, delegation and servers, and the repairs.

use std::fmt::Write;

use super::dice::Dice;
use super::servers::REGISTRIES;
use super::tenant::{State, Tenant};

/// As it should be.
pub(super) fn nothing(_: &mut Tenant, _: &[usize], _: &mut Dice) {}

/// The registration ran out.
pub(super) fn not_registered(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.delegation.clear();
    tenant.addresses.clear();
    tenant.provider_is_another = true;
    tenant.expected.records = vec![State::Absent("absent"); 5];
    tenant.expected.beside.insert("not_registered");
    tenant.expected.root_cause = "not_registered";
    tenant.expected.is_alone = true;
}

/// The zone's server lives in a partner's zone and the partner's in the tenant's, without glue.
pub(super) fn delegation_loop(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let other = REGISTRIES.iter().find(|registry| **registry != tenant.registry).unwrap();
    let partner = format!("{}-partner", tenant.label);
    tenant.delegation = vec![format!("ns1.{partner}.{other}")];
    let zone = tenant.zone();
    writeln!(tenant.more, "zone {other} at 127.59.0.2 127.59.0.3\n  {partner} NS ns1.{zone}.").unwrap();
    dead(tenant, "delegation_loop");
}

/// Takes the zone off its servers and says why nothing can be said.
fn dead(tenant: &mut Tenant, code: &'static str) {
    tenant.addresses.clear();
    tenant.provider_is_another |= code != "lame_all" && code != "ns_unreachable";
    tenant.call_unable(code);
}

/// The server lives in the zone itself, with glue.
pub(super) fn glue(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.delegation = vec![format!("ns1.{}", tenant.zone())];
    let (label, registry, address) = (&tenant.label, tenant.registry, tenant.addresses[0].clone());
    writeln!(tenant.more, "zone {registry} at 127.59.0.2 127.59.0.3\n  ns1.{label} A {address}").unwrap();
    tenant.addresses.truncate(1);
    tenant.provider_is_another = true;
}

/// Both servers are misspelled at the registrar.
pub(super) fn ns_unresolvable(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.delegation.iter_mut().for_each(|host| *host = format!("{host}.co.example"));
    dead(tenant, "ns_unresolvable");
}

/// One server is misspelled at the registrar.
pub(super) fn ns_unresolvable_in_part(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.delegation[1] = "ns2.harborlime.example".to_owned();
    tenant.addresses.truncate(1);
    tenant.provider_is_another = true;
    tenant.expected.beside.insert("ns_unresolvable");
}

/// The servers have addresses that nobody outside can reach.
pub(super) fn ns_address_forbidden(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.delegation = vec!["ns1.basement.example".to_owned(), "ns2.basement.example".to_owned()];
    dead(tenant, "ns_address_forbidden");
}

/// The zone does not exist at the provider.
pub(super) fn lame_all(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    dead(tenant, "lame_all");
}

/// The servers know nothing but the root, or answer without authority, or say that they cannot.
pub(super) fn lame_otherwise(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    tenant.move_to_odd();
    let body = dice.pick(&["upward-referral", "SERVFAIL", "NOTAUTH", "recursive-proxy"]);
    let zone = tenant.zone();
    if body == "recursive-proxy" {
        // What a proxy passes on is not its own to say, right as it may be.
        tenant.rule(&format!("any under {zone} -> {body}"));
        let addresses = tenant.addresses.clone();
        dead(tenant, "lame_all");
        tenant.addresses = addresses;
    } else {
        tenant.rule(&format!("any under {zone} -> {body}"));
        dead(tenant, "lame_all");
    }
}

/// The second server does not know the zone.
pub(super) fn lame_some(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.addresses.truncate(1);
    tenant.expected.beside.insert("lame_some");
}

/// Nobody listens at the servers' addresses.
pub(super) fn ns_unreachable(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.delegation = vec![tenant.set.gone.0.clone()];
    dead(tenant, "ns_unreachable");
}

/// The servers say nothing.
pub(super) fn ns_silent(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
    let zone = tenant.zone();
    tenant.rule(&format!("any under {zone} -> silence"));
    dead(tenant, "ns_unreachable");
}

/// Nobody listens at one of two servers.
pub(super) fn ns_unreachable_in_part(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.delegation[1] = tenant.set.gone.0.clone();
    tenant.addresses.truncate(1);
    tenant.expected.beside.insert("ns_unreachable");
}

/// The servers are found through servers that are found through servers.
pub(super) fn budget_exceeded(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.delegation = vec!["ns1.nest-a.example".to_owned()];
    dead(tenant, "budget_exceeded");
}

/// The server is found at once.
pub(super) fn last_of_nest(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.delegation = vec!["ns1.nest-d.com".to_owned()];
    tenant.addresses = vec!["127.59.1.1".to_owned()];
    tenant.provider_is_another = true;
}

/// The zone names another second server than the registry.
pub(super) fn parent_child_ns_mismatch(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let first = tenant.delegation[0].clone();
    tenant.others.push(("@".to_owned(), format!("NS {first}.")));
    tenant.others.push(("@".to_owned(), "NS ns1.harborline.example.".to_owned()));
    tenant.is_full = true;
    tenant.expected.beside.insert("parent_child_ns_mismatch");
}

/// The zone names the same servers, in other letters.
pub(super) fn same_servers(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.others.extend(tenant.delegation.iter().map(|host| ("@".to_owned(), format!("NS {}.", host.to_uppercase()))));
    tenant.is_full = true;
}
