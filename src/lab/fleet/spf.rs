//! What people get wrong in an SPF record that includes Amazon SES, and in the tree under it.

use crate::lab::dice::Dice;
use crate::lab::fleet::policies::{quoted, replace_spf};
use crate::lab::fleet::tenant::{Line, Tenant};

/// An include takes more lookups than are allowed.
pub(super) fn too_many_lookups(tenant: &mut Tenant, _: &mut Dice) {
    let domain = tenant.domain();
    replace_spf(tenant, &[&format!("v=spf1 include:amazonses.com include:_spf.{domain} ~all")]);
    let terms = |from: u8| (from..from + 5).map(|nth| format!(" a:out{nth}.{domain}")).collect::<String>();
    let owner = tenant.below("_spf");
    let (first, second) = (terms(0), terms(5));
    // A character-string holds 255 octets.
    tenant.policies.push(Line::new(owner, "TXT", format!("\"v=spf1{first}\" \"{second} -all\"")));
    for nth in 0..10 {
        let owner = tenant.below(&format!("out{nth}"));
        tenant.policies.push(Line::new(owner, "A", "192.0.2.25"));
    }
    tenant.options.push("depth=full".to_owned());
}

/// Two records include each other.
pub(super) fn circle(tenant: &mut Tenant, _: &mut Dice) {
    let domain = tenant.domain();
    replace_spf(tenant, &[&format!("v=spf1 include:amazonses.com include:_spf.{domain} ~all")]);
    let owner = tenant.below("_spf");
    tenant.policies.push(Line::new(owner, "TXT", quoted(&format!("v=spf1 include:{domain} -all"))));
    tenant.options.push("depth=full".to_owned());
}

/// A service of old is still included.
pub(super) fn include_dead(tenant: &mut Tenant, _: &mut Dice) {
    let domain = tenant.domain();
    replace_spf(tenant, &[&format!("v=spf1 include:amazonses.com include:newsletter.{domain} ~all")]);
    tenant.options.push("depth=full".to_owned());
}

/// Hosts of old are still named.
pub(super) fn void(tenant: &mut Tenant, _: &mut Dice) {
    let domain = tenant.domain();
    let text = format!("v=spf1 include:amazonses.com a:mx1.{domain} a:mx2.{domain} a:mx3.{domain} ~all");
    replace_spf(tenant, &[&text]);
    tenant.options.push("depth=full".to_owned());
}

/// Anyone may send.
pub(super) fn plus_all(tenant: &mut Tenant, _: &mut Dice) {
    replace_spf(tenant, &["v=spf1 include:amazonses.com +all"]);
}

/// A sender was put at the end.
pub(super) fn terms_after_all(tenant: &mut Tenant, _: &mut Dice) {
    replace_spf(tenant, &["v=spf1 include:amazonses.com ~all ip4:203.0.113.7"]);
}

/// Both ends of a record are there.
pub(super) fn redirect_with_all(tenant: &mut Tenant, _: &mut Dice) {
    replace_spf(tenant, &["v=spf1 include:amazonses.com redirect=_spf.google.com -all"]);
}

/// The record is of old times.
pub(super) fn pointer(tenant: &mut Tenant, _: &mut Dice) {
    replace_spf(tenant, &["v=spf1 ptr include:amazonses.com ~all"]);
}

/// The end says nothing.
pub(super) fn neutral_all(tenant: &mut Tenant, _: &mut Dice) {
    replace_spf(tenant, &["v=spf1 include:amazonses.com ?all"]);
}

/// The end is not there.
pub(super) fn no_all(tenant: &mut Tenant, _: &mut Dice) {
    replace_spf(tenant, &["v=spf1 include:amazonses.com"]);
}
