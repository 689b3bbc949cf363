//! What stands around DMARC policies, and the repairs.

use super::dice::Dice;
use super::tenant::{State, Tenant, txt};

/// Marks the DMARC record.
fn publish(tenant: &mut Tenant, owner: &str, data: String, state: State) {
    tenant.dmarc = vec![(tenant.below(owner), data)];
    tenant.expected.records[4] = state;
}

/// The policy stands at the sender domain itself, or without the underscore, or at a doubled name.
pub(super) fn wrong_place(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let owner = match dice.below(3) {
        0 => tenant.apex(),
        1 => tenant.below("dmarc"),
        _ => format!("{}.{}", tenant.below("_dmarc"), tenant.zone()),
    };
    tenant.dmarc = vec![(owner, txt("v=DMARC1; p=reject"))];
    tenant.expected.records[4] = State::Wrong("dmarc_wrong_place");
}

/// The policy was added in the right place too.
pub(super) fn right_place(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    wrong_place(tenant, mask, dice);
    tenant.dmarc.push((tenant.below("_dmarc"), txt("v=DMARC1; p=reject")));
    tenant.expected.records[4] = State::Ok;
}

/// Reports go to somebody who did not agree.
pub(super) fn rua_unauthorised(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    publish(tenant, "_dmarc", txt("v=DMARC1; p=none; rua=mailto:dmarc@harborline.example"), State::Ok);
    tenant.is_full = true;
    tenant.expected.beside.insert("dmarc_rua_unauthorised");
}

/// Reports go to the domain itself, or to somebody who agreed.
pub(super) fn rua_authorised(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let host = if dice.below(2) == 0 { tenant.zone() } else { "google.com".to_owned() };
    publish(tenant, "_dmarc", txt(&format!("v=DMARC1; p=none; rua=mailto:dmarc@{host}")), State::Ok);
    tenant.is_full = true;
}

/// A wildcard gives another text.
pub(super) fn wildcard(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    publish(tenant, "*", txt("v=spf1 -all"), State::Absent("dmarc_absent"));
    tenant.expected.beside.insert("dmarc_wildcard");
}

/// The policy was added beside the wildcard.
pub(super) fn beside_wildcard(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.dmarc.push((tenant.below("*"), txt("v=spf1 -all")));
}

/// The record has tags that RFC 9989 took out.
pub(super) fn old_tags(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let text = dice.pick(&["v=DMARC1; p=reject; pct=50", "v=DMARC1; p=none; rf=afrf; ri=86400"]);
    publish(tenant, "_dmarc", txt(text), State::Ok);
    tenant.expected.beside.insert("dmarc_old_tags");
}

/// The policy is on trial.
pub(super) fn test_mode(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    publish(tenant, "_dmarc", txt("v=DMARC1; p=reject; t=y"), State::Ok);
    tenant.expected.beside.insert("dmarc_test_mode");
}

/// The trial is over.
pub(super) fn in_force(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    publish(tenant, "_dmarc", txt("v=DMARC1; p=reject; t=n"), State::Ok);
}

/// The policy's name is an alias.
pub(super) fn cname(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    publish(tenant, "_dmarc", format!("CNAME _policy.{}.", tenant.zone()), State::Ok);
    tenant.dmarc.push(("_policy".to_owned(), txt("v=DMARC1; p=none")));
    tenant.expected.beside.insert("dmarc_cname");
}

/// The policy above stands between the sender domain and what was registered.
pub(super) fn psl_disagrees(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.settle("news.mail");
    tenant.dmarc = vec![("_dmarc.mail".to_owned(), txt("v=DMARC1; p=reject"))];
    tenant.expected.beside.extend(["dmarc_inherited", "dmarc_psl_disagrees"]);
}
