//! SPF and DMARC as people write them.

use crate::lab::dice::Dice;
use crate::lab::fleet::tenant::{Line, Tenant};

/// SPF records with SES in them, for a sender domain.
const SENDER_SPF: &[&str] = &[
    "v=spf1 include:amazonses.com ~all",
    "v=spf1 include:amazonses.com ~all",
    "v=spf1 include:amazonses.com -all",
    "v=spf1 include:_spf.google.com include:amazonses.com ~all",
    "v=spf1 include:amazonses.com include:spf.protection.outlook.com -all",
    "v=spf1 ip4:203.0.113.0/28 include:amazonses.com ~all",
    "v=spf1 include:amazonses.com include:servers.mcsv.net ~all",
    "v=spf1  include:amazonses.com  ~all",
    "v=spf1 include:mailgun.org include:amazonses.com ~all",
];
/// SPF records of a zone whose mail from SES leaves from a name below.
const ZONE_SPF: &[&str] =
    &["v=spf1 include:_spf.google.com ~all", "v=spf1 include:spf.protection.outlook.com -all", "v=spf1 -all"];
/// DMARC records; `ZONE` stands for the zone.
const DMARC: &[&str] = &[
    "v=DMARC1; p=none",
    "v=DMARC1; p=none;",
    "v=DMARC1; p=none; rua=mailto:dmarc@ZONE",
    "v=DMARC1; p=quarantine; rua=mailto:dmarc@ZONE",
    "v=DMARC1;p=reject;adkim=r;aspf=r",
    "v=DMARC1; p=reject; sp=quarantine; rua=mailto:postmaster@ZONE",
];

/// Writes a text as the data of a TXT record.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Makes up a DMARC record.
fn dmarc(owner: impl Into<String>, tenant: &Tenant, dice: &mut Dice) -> Line {
    Line::new(owner, "TXT", quoted(&dice.pick(DMARC).replace("ZONE", &tenant.zone())))
}

/// Publishes an SPF and a DMARC record that are right.
pub(super) fn publish(tenant: &mut Tenant, dice: &mut Dice) {
    let mut lines = Vec::new();
    if !tenant.sender.is_empty() && dice.percent(60) {
        lines.push(Line::new("@", "TXT", quoted(dice.pick(ZONE_SPF))));
    }
    lines.push(Line::new(tenant.apex(), "TXT", quoted(dice.pick(SENDER_SPF))));
    let is_below = !tenant.sender.is_empty();
    tenant.inherits_dmarc = is_below && dice.percent(50);
    if tenant.inherits_dmarc {
        lines.push(dmarc("_dmarc", tenant, dice));
    } else {
        lines.push(dmarc(tenant.below("_dmarc"), tenant, dice));
    }
    tenant.policies = lines;
}

/// Takes the SPF records of the sender domain away and publishes others.
pub(super) fn replace_spf(tenant: &mut Tenant, texts: &[&str]) {
    let apex = tenant.apex();
    tenant.policies.retain(|line| line.owner != apex || !line.data.starts_with("\"v=spf1"));
    tenant.policies.extend(texts.iter().map(|text| Line::new(apex.clone(), "TXT", quoted(text))));
}

/// Takes all DMARC records away and publishes others at the sender domain.
pub(super) fn replace_dmarc(tenant: &mut Tenant, texts: &[&str]) {
    tenant.policies.retain(|line| !line.owner.starts_with("_dmarc"));
    let owner = tenant.below("_dmarc");
    tenant.policies.extend(texts.iter().map(|text| Line::new(owner.clone(), "TXT", quoted(text))));
    tenant.inherits_dmarc = false;
}
