//! What people get wrong in an SPF record that includes Amazon SES, and in the tree of records under it, and the repairs.

use std::fmt::Write;

use super::dice::Dice;
use super::tenant::{Tenant, txt};

/// Publishes a record in which something is found, though it works; the whole tree is looked at where that takes it.
fn lint(tenant: &mut Tenant, text: String, code: &'static str, is_full: bool) {
    tenant.spf = vec![text];
    tenant.is_full = is_full;
    tenant.expected.beside.insert(code);
}

/// Publishes a record that has nothing wrong.
fn sound(tenant: &mut Tenant, text: String, is_full: bool) {
    tenant.spf = vec![text];
    tenant.is_full = is_full;
}

/// Adds hosts that a policy names, and a policy that names them; returns its name.
fn hosts(tenant: &mut Tenant, count: usize) -> String {
    let domain = tenant.domain();
    let mut text = "v=spf1".to_owned();
    for nth in 0..count {
        tenant.others.push((tenant.below(&format!("out{nth}")), "A 203.0.113.31".to_owned()));
        // A character-string holds 255 octets.
        let between = if nth % 4 == 3 { "\" \"" } else { "" };
        write!(text, "{between} a:out{nth}.{domain}").unwrap();
    }
    let owner = tenant.below("_spf");
    tenant.others.push((owner, txt(&format!("{text} -all"))));
    format!("_spf.{domain}")
}

/// An include takes more lookups than are allowed.
pub(super) fn too_many_lookups(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    // Two includes, and one lookup for each host: 11 at least.
    let name = hosts(tenant, 9 + dice.below(3));
    lint(tenant, format!("v=spf1 include:amazonses.com include:{name} ~all"), "spf_too_many_lookups", true);
}

/// An include takes as many lookups as are allowed.
pub(super) fn just_enough_lookups(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let name = hosts(tenant, 8);
    sound(tenant, format!("v=spf1 include:amazonses.com include:{name} ~all"), true);
}

/// Two records include each other, or one includes itself.
pub(super) fn circle(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let domain = tenant.domain();
    if dice.below(2) == 0 {
        return lint(tenant, format!("v=spf1 include:amazonses.com include:{domain} ~all"), "spf_loop", true);
    }
    let owner = tenant.below("_spf");
    tenant.others.push((owner, txt(&format!("v=spf1 include:{domain} -all"))));
    lint(tenant, format!("v=spf1 include:amazonses.com include:_spf.{domain} ~all"), "spf_loop", true);
}

/// One record is included by two, which is no circle.
pub(super) fn included_twice(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let text = "v=spf1 include:amazonses.com include:_spf.google.com include:_spf.harborline.example ~all";
    sound(tenant, text.to_owned(), true);
}

/// A service of old is still included; it has no record any more, or its name is gone.
pub(super) fn include_dead(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let domain = tenant.domain();
    if dice.below(2) == 0 {
        tenant.others.push((tenant.below("newsletter"), txt("site-verification=1")));
    }
    let text = format!("v=spf1 include:amazonses.com include:newsletter.{domain} ~all");
    lint(tenant, text, "spf_include_dead", true);
}

/// Hosts of old are still named.
pub(super) fn void(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let domain = tenant.domain();
    let hosts: String = (0..3 + dice.below(3)).map(|nth| format!("a:old{nth}.{domain} ")).collect();
    lint(tenant, format!("v=spf1 include:amazonses.com {hosts}~all"), "spf_void", true);
}

/// Two hosts of old are still named, as many as receivers suffer.
pub(super) fn two_void(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let domain = tenant.domain();
    sound(tenant, format!("v=spf1 include:amazonses.com a:old0.{domain} a:old1.{domain} ~all"), true);
}

/// Anyone may send.
pub(super) fn plus_all(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let all = dice.pick(&["+all", "all"]);
    lint(tenant, format!("v=spf1 include:amazonses.com {all}"), "spf_plus_all", false);
}

/// Nobody else may send.
pub(super) fn minus_all(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let all = dice.pick(&["-all", "~ALL"]);
    sound(tenant, format!("v=spf1 include:amazonses.com {all}"), dice.below(2) == 0);
}

/// A sender was put at the end.
pub(super) fn terms_after_all(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    lint(tenant, "v=spf1 include:amazonses.com ~all ip4:203.0.113.7".to_owned(), "spf_terms_after_all", false);
}

/// An explanation stands at the end, where it may.
pub(super) fn explanation_after_all(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    sound(tenant, "v=spf1 ip4:203.0.113.7 include:amazonses.com ~all exp=_spf.harborline.example".to_owned(), false);
}

/// Both ends of a record are there.
pub(super) fn redirect_with_all(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let text = "v=spf1 include:amazonses.com redirect=_spf.google.com -all";
    lint(tenant, text.to_owned(), "spf_redirect_with_all", false);
}

/// The redirect is the end.
pub(super) fn redirect_alone(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    sound(tenant, "v=spf1 include:amazonses.com redirect=_spf.google.com".to_owned(), true);
}

/// The record is of old times.
pub(super) fn pointer(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let term = dice.pick(&["ptr", "?ptr:harborline.example"]);
    lint(tenant, format!("v=spf1 {term} include:amazonses.com ~all"), "spf_ptr", false);
}

/// The end says nothing.
pub(super) fn neutral_all(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    lint(tenant, "v=spf1 include:amazonses.com ?all".to_owned(), "spf_neutral_all", false);
}

/// The end is not there.
pub(super) fn no_all(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    lint(tenant, "v=spf1 include:amazonses.com".to_owned(), "spf_no_all", false);
}
