//! What people and panels do to MX records and to the custom MAIL FROM name: one function a fault, on a tenant whose
//! records are right.

use crate::lab::dice::Dice;
use crate::lab::fleet::policies::quoted;
use crate::lab::fleet::tenant::{Line, Tenant};

/// The region of all identities with mail of their own.
const REGION: &str = "eu-west-1";
/// Its host for mail that comes in.
const INBOUND: &str = "inbound-smtp.eu-west-1.amazonaws.com.";
/// Its host for bounces.
const FEEDBACK: &str = "feedback-smtp.eu-west-1.amazonses.com.";
/// The policy of a MAIL FROM name.
const POLICY: &str = "v=spf1 include:amazonses.com ~all";
/// What stands in front of the sender domain in a MAIL FROM name.
const FRONT: &str = "bounce";

/// Has the mail of the sender domain taken in, with these MX records.
fn take_in(tenant: &mut Tenant, hosts: &[String]) {
    let apex = tenant.apex();
    tenant.others.retain(|line| line.owner != apex || line.kind != "MX");
    tenant.others.extend(hosts.iter().map(|host| Line::new(apex.clone(), "MX", host.clone())));
    tenant.options.extend([format!("region={REGION}"), "inbound=yes".to_owned()]);
}

/// Sets a MAIL FROM name up, with these records.
fn send_from(tenant: &mut Tenant, records: &[(&'static str, String)]) {
    let owner = tenant.below(FRONT);
    tenant.others.extend(records.iter().map(|(kind, data)| Line::new(owner.clone(), kind, data.clone())));
    tenant.options.extend([format!("region={REGION}"), format!("mail_from={FRONT}.{}", tenant.domain())]);
}

/// Sets a MAIL FROM name up whose policy is right, with these MX records.
fn bounce_to(tenant: &mut Tenant, hosts: &[&str]) {
    let policy = [("TXT", quoted(POLICY))];
    let hosts = hosts.iter().map(|host| ("MX", (*host).to_owned()));
    send_from(tenant, &hosts.chain(policy).collect::<Vec<_>>());
}

/// Adds a host to the zone and returns its name.
fn host(tenant: &mut Tenant, kind: &'static str, data: &str) -> String {
    tenant.others.push(Line::new("mx", kind, data));
    format!("mx.{}.", tenant.zone())
}

/// The MAIL FROM name was made an alias of the web site.
pub(super) fn mailfrom_is_cname(tenant: &mut Tenant, _: &mut Dice) {
    let zone = format!("{}.", tenant.zone());
    send_from(tenant, &[("CNAME", zone)]);
}

/// The null MX record of a domain that only sends.
pub(super) fn mx_null(tenant: &mut Tenant, _: &mut Dice) {
    take_in(tenant, &["0 .".to_owned()]);
}

/// The panel put the zone behind the host.
pub(super) fn mx_zone_appended(tenant: &mut Tenant, _: &mut Dice) {
    let appended = format!("10 {INBOUND}{}.", tenant.zone());
    take_in(tenant, &[appended]);
}

/// An address was typed for the host.
pub(super) fn mx_is_ip(tenant: &mut Tenant, _: &mut Dice) {
    take_in(tenant, &["10 203.0.113.25.".to_owned()]);
}

/// The value comes from another region's page.
pub(super) fn mailfrom_region(tenant: &mut Tenant, _: &mut Dice) {
    bounce_to(tenant, &["10 feedback-smtp.us-east-1.amazonses.com."]);
}

/// Another MX record stayed.
pub(super) fn mailfrom_mx_extra(tenant: &mut Tenant, _: &mut Dice) {
    bounce_to(tenant, &[&format!("10 {FEEDBACK}"), "20 smtp.google.com."]);
}

/// The MX record names an alias of the right host.
pub(super) fn mx_is_cname(tenant: &mut Tenant, _: &mut Dice) {
    let host = host(tenant, "CNAME", INBOUND);
    take_in(tenant, &[format!("10 {host}")]);
}

/// The host is gone.
pub(super) fn mx_target_dead(tenant: &mut Tenant, _: &mut Dice) {
    let gone = format!("10 mx.{}.", tenant.zone());
    take_in(tenant, &[gone]);
}

/// People read their mail elsewhere.
pub(super) fn mx_foreign(tenant: &mut Tenant, _: &mut Dice) {
    let host = host(tenant, "A", "203.0.113.25");
    take_in(tenant, &[format!("10 {host}")]);
}

/// The policy alone was added.
pub(super) fn mailfrom_mx_absent(tenant: &mut Tenant, _: &mut Dice) {
    bounce_to(tenant, &[]);
}

/// The MX record was not added.
pub(super) fn mx_inbound_absent(tenant: &mut Tenant, _: &mut Dice) {
    take_in(tenant, &[]);
}

/// The MX record alone was added.
pub(super) fn mailfrom_spf_absent(tenant: &mut Tenant, _: &mut Dice) {
    send_from(tenant, &[("MX", format!("10 {FEEDBACK}"))]);
}
