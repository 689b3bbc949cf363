//! What people get wrong around a DMARC policy, and what is worth knowing of one.

use crate::lab::dice::Dice;
use crate::lab::fleet::policies::{quoted, replace_dmarc};
use crate::lab::fleet::tenant::{Line, Tenant};

/// The underscore was left out.
pub(super) fn wrong_place(tenant: &mut Tenant, _: &mut Dice) {
    replace_dmarc(tenant, &[]);
    let owner = tenant.below("dmarc");
    tenant.policies.push(Line::new(owner, "TXT", quoted("v=DMARC1; p=quarantine")));
}

/// SPF has to vouch for exactly the domain, and bounces go to a name below it.
pub(super) fn strict_misalign(tenant: &mut Tenant, _: &mut Dice) {
    replace_dmarc(tenant, &["v=DMARC1; p=quarantine; aspf=s"]);
    let owner = tenant.below("bounce");
    tenant.policies.push(Line::new(owner.clone(), "MX", "10 feedback-smtp.eu-west-1.amazonses.com."));
    tenant.policies.push(Line::new(owner, "TXT", quoted("v=spf1 include:amazonses.com ~all")));
    tenant.options.push("region=eu-west-1".to_owned());
    tenant.options.push(format!("mail_from=bounce.{}", tenant.domain()));
}

/// Nobody is left to agree to get the reports.
pub(super) fn rua_unauthorised(tenant: &mut Tenant, _: &mut Dice) {
    let gone = format!("{}-reports.{}", tenant.label, tenant.registry.zone);
    replace_dmarc(tenant, &[&format!("v=DMARC1; p=none; rua=mailto:dmarc@{gone}")]);
    tenant.options.push("depth=full".to_owned());
}

/// A wildcard gives the policy.
pub(super) fn wildcard(tenant: &mut Tenant, _: &mut Dice) {
    replace_dmarc(tenant, &[]);
    let owner = tenant.below("*");
    tenant.policies.push(Line::new(owner, "TXT", quoted("v=DMARC1; p=none")));
    tenant.options.push("depth=full".to_owned());
}

/// The record has tags that are gone.
pub(super) fn old_tags(tenant: &mut Tenant, dice: &mut Dice) {
    let texts = ["v=DMARC1; p=quarantine; pct=20", "v=DMARC1; p=none; pct=100", "v=DMARC1; p=none; ri=86400; rf=afrf"];
    replace_dmarc(tenant, &[dice.pick(&texts)]);
}

/// The policy is being tried.
pub(super) fn test_mode(tenant: &mut Tenant, _: &mut Dice) {
    replace_dmarc(tenant, &["v=DMARC1; p=reject; t=y"]);
}

/// The policy is an alias.
pub(super) fn alias(tenant: &mut Tenant, _: &mut Dice) {
    replace_dmarc(tenant, &[]);
    let (owner, target) = (tenant.below("_dmarc"), format!("dmarc-policy.{}.", tenant.zone()));
    tenant.policies.push(Line::new(owner, "CNAME", target));
    tenant.policies.push(Line::new("dmarc-policy", "TXT", quoted("v=DMARC1; p=none")));
}

/// The policy stands between the sender domain and the registered one.
pub(super) fn psl_disagrees(tenant: &mut Tenant, _: &mut Dice) {
    replace_dmarc(tenant, &[]);
    let above = tenant.sender.split_once('.').map_or(tenant.sender, |(_, above)| above);
    tenant.policies.push(Line::new(format!("_dmarc.{above}"), "TXT", quoted("v=DMARC1; p=none")));
    tenant.inherits_dmarc = true;
}
