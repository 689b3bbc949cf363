//! What people do to SPF and DMARC records, and the repairs.

use super::dice::Dice;
use super::tenant::{State, Tenant, txt};

/// Makes SPF records of the sender domain, which stand so.
fn spf(tenant: &mut Tenant, texts: &[&str], state: State) {
    tenant.spf = texts.iter().map(|text| (*text).to_owned()).collect();
    tenant.expected.records[3] = state;
}

/// Makes DMARC records of the sender domain, which stand so.
fn dmarc(tenant: &mut Tenant, texts: &[&str], state: State) {
    let owner = tenant.below("_dmarc");
    tenant.dmarc = texts.iter().map(|text| (owner.clone(), txt(text))).collect();
    tenant.expected.records[4] = state;
}

/// The record for SES was added beside the one that was there.
pub(super) fn spf_multiple(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    spf(
        tenant,
        &["v=spf1 include:_spf.google.com ~all", "v=spf1 include:amazonses.com ~all"],
        State::Wrong("spf_multiple"),
    );
}

/// The two were merged; beside is a text that is none of them.
pub(super) fn spf_merged(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    spf(tenant, &["v=spf1 include:_spf.google.com include:amazonses.com ~all", "v=spf10 is not ours"], State::Ok);
}

/// The record has a slip in it.
pub(super) fn spf_syntax(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let slips = [
        "v=spf1 include amazonses.com ~all",
        "v=spf1 inlcude:amazonses.com ~all",
        "v=spf1 ip4:203.0.113.300 include:amazonses.com ~all",
    ];
    spf(tenant, &[dice.pick(&slips)], State::Wrong("spf_syntax"));
}

/// The slip is gone.
pub(super) fn spf_corrected(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    spf(tenant, &["v=spf1 ip4:203.0.113.30 include:amazonses.com ~all"], State::Ok);
}

/// The record names others only.
pub(super) fn spf_missing_include(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let texts = ["v=spf1 include:_spf.google.com ~all", "v=spf1 ip4:203.0.113.30 ~all"];
    spf(tenant, &[dice.pick(&texts)], State::Wrong("spf_missing_include"));
}

/// SES is included by what is included.
pub(super) fn spf_nested(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    spf(tenant, &["v=spf1 include:_spf.harborline.example ~all"], State::Ok);
}

/// There is no record.
pub(super) fn spf_absent(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    spf(tenant, &[], State::Absent("spf_absent"));
}

/// The record stands where this one redirects to.
pub(super) fn spf_redirected(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    spf(tenant, &["v=spf1 redirect=_spf.harborline.example"], State::Ok);
}

/// The second server has an older SPF record.
pub(super) fn spf_differs(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let mut late = tenant.clone();
    spf(&mut late, &["v=spf1 include:_spf.google.com ~all"], State::Ok);
    tenant.second = Some(late.lines());
    tenant.expected.records[3] = State::Inconsistent;
}

/// A record was added beside the one that was there.
pub(super) fn dmarc_multiple(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    dmarc(tenant, &["v=DMARC1; p=none", "v=DMARC1; p=reject"], State::Wrong("dmarc_multiple"));
}

/// One is left, beside a text that is none.
pub(super) fn dmarc_sole(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    dmarc(tenant, &["v=DMARC1; p=reject", "site-verification=1234"], State::Ok);
}

/// The record has a slip that leaves nothing to apply.
pub(super) fn dmarc_syntax(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let slips = ["v=DMARC1; p=quarantined", "v=DMARC1; p=monitor", "p=none; v=DMARC1"];
    dmarc(tenant, &[dice.pick(&slips)], State::Wrong("dmarc_syntax"));
}

/// The slip is gone.
pub(super) fn dmarc_corrected(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    dmarc(tenant, &["v=DMARC1;p=quarantine;sp=none;adkim=r"], State::Ok);
}

/// There is no record, here or above.
pub(super) fn dmarc_absent(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    dmarc(tenant, &[], State::Absent("dmarc_absent"));
}

/// The record stands at the zone alone.
pub(super) fn dmarc_inherited(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.dmarc = vec![("_dmarc".to_owned(), txt("v=DMARC1; p=reject; sp=none"))];
    tenant.expected.beside.insert("dmarc_inherited");
}

/// The sender domain has a record too.
pub(super) fn dmarc_own_too(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.dmarc.push(("_dmarc".to_owned(), txt("v=DMARC1; p=reject; sp=none")));
}
