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

/// Something was stored in front of the record.
pub(super) fn spf_leading(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let texts = [" v=spf1 include:amazonses.com ~all", r#"\"v=spf1 include:amazonses.com ~all\""#];
    spf(tenant, &[dice.pick(&texts)], State::Wrong("spf_leading_space_or_quote"));
}

/// The record was cut at a blank that was lost.
pub(super) fn spf_split(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let texts = [
        r#"v=spf1" "include:amazonses.com ~all"#,
        r#"v=spf1 a" "mx include:amazonses.com ~all"#,
        r#"v=spf1 include:amazonses.com" "include:_spf.google.com ~all"#,
    ];
    spf(tenant, &[dice.pick(&texts)], State::Wrong("spf_split_wrong"));
}

/// The record is cut where nothing is lost.
pub(super) fn spf_split_well(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    spf(tenant, &[r#"v=spf1 include:amazon" "ses.com ~all"#], State::Ok);
}

/// Puts the right record at another name.
fn stray(tenant: &mut Tenant, owner: String, code: &'static str) {
    spf(tenant, &[], State::Wrong(code));
    tenant.others.push((owner, txt("v=spf1 include:amazonses.com ~all")));
}

/// The record stands at a name with the zone twice.
pub(super) fn spf_host_doubled(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    stray(tenant, tenant.domain(), "spf_host_doubled");
}

/// The record stands at the zone.
pub(super) fn spf_label_missing(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    stray(tenant, "@".to_owned(), "spf_label_missing");
}

/// The record was added in the right place too.
pub(super) fn spf_stray_beside(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.others.push((tenant.domain(), txt("v=spf1 include:amazonses.com ~all")));
}

/// The record has the obsolete type.
pub(super) fn spf_type99(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    spf(tenant, &[], State::Wrong("spf_type99"));
    obsolete_beside(tenant, &[], &mut Dice::new(0));
}

/// One of the obsolete type stands beside the right record.
pub(super) fn obsolete_beside(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let text = b"v=spf1 include:amazonses.com ~all";
    let octets: String = text.iter().map(|octet| format!("{octet:02x}")).collect();
    tenant.others.push((tenant.apex(), format!("TYPE99 \\# {} {:02x}{octets}", text.len() + 1, text.len())));
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
