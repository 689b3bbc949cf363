//! What people and panels do to MX records and to the custom MAIL FROM name, and the repairs.

use super::dice::Dice;
use super::tenant::{State, Tenant, txt};

/// The region of identities that tell one.
const REGION: &str = "eu-west-1";
/// Regions that are none of theirs.
const OTHER_REGIONS: &[&str] = &["us-east-1", "us-west-2", "ap-southeast-2"];
/// What stands in front of the sender domain in a MAIL FROM name.
const FRONT: &str = "bounce";
/// The policy of a MAIL FROM name.
const POLICY: &str = "v=spf1 include:amazonses.com ~all";

/// Writes the data of the MX record for mail that comes in.
fn inbound(region: &str) -> String {
    format!("MX 10 inbound-smtp.{region}.amazonaws.com.")
}

/// Writes the data of the MX record for bounces.
fn feedback(region: &str) -> String {
    format!("MX 10 feedback-smtp.{region}.amazonses.com.")
}

/// Has the mail of the sender domain taken in, with these MX records, which stand so.
fn take_in(tenant: &mut Tenant, data: &[String], state: State) {
    let owner = tenant.apex();
    tenant.others.extend(data.iter().map(|data| (owner.clone(), data.clone())));
    (tenant.is_inbound, tenant.region) = (true, Some(REGION));
    tenant.expected.records.push(state);
}

/// Sets a MAIL FROM name up with these records; its MX record stands so, and so does its policy.
fn send_from(tenant: &mut Tenant, data: &[String], states: [State; 2]) {
    let owner = tenant.below(FRONT);
    tenant.others.extend(data.iter().map(|data| (owner.clone(), data.clone())));
    (tenant.mail_from, tenant.region) = (Some(FRONT), Some(REGION));
    tenant.expected.records.extend(states);
}

/// Sets a MAIL FROM name up whose policy is right, with these MX records.
fn bounce_to(tenant: &mut Tenant, data: &[String], state: State) {
    let records: Vec<String> = data.iter().cloned().chain([txt(POLICY)]).collect();
    send_from(tenant, &records, [state, State::Ok]);
}

/// Forgets the region, where a domain that tells none comes out the same.
fn may_tell_no_region(tenant: &mut Tenant, dice: &mut Dice) {
    if dice.below(3) == 0 {
        tenant.region = None;
    }
}

/// The mail is taken in as it should be.
pub(super) fn taken_in(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let preference = dice.pick(&["0", "10", "65535"]);
    take_in(tenant, &[inbound(REGION).replace("10", preference)], State::Ok);
    may_tell_no_region(tenant, dice);
}

/// The MAIL FROM name is as it should be, and the mail may be taken in too.
pub(super) fn bounces(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    if dice.below(2) == 0 {
        taken_in(tenant, mask, dice);
    }
    let feedback = feedback(REGION);
    bounce_to(tenant, &[feedback.replace("feedback-smtp", dice.pick(&["feedback-smtp", "FEEDBACK-smtp"]))], State::Ok);
    may_tell_no_region(tenant, dice);
}

/// The null MX record of a domain that only sends.
pub(super) fn mx_null(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    take_in(tenant, &["MX 0 .".to_owned()], State::Wrong("mx_null"));
}

/// The null MX record stands at the MAIL FROM name.
pub(super) fn mx_null_for_bounces(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    bounce_to(tenant, &["MX 0 .".to_owned()], State::Wrong("mx_null"));
}

/// Puts the zone or the sender domain behind a host.
fn appended(tenant: &Tenant, data: &str, dice: &mut Dice) -> String {
    let behind = if dice.below(2) == 0 { tenant.zone() } else { tenant.domain() };
    format!("{data}{behind}.")
}

/// The panel put the zone behind the host.
pub(super) fn mx_zone_appended(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let data = appended(tenant, &inbound(REGION), dice);
    take_in(tenant, &[data], State::Wrong("mx_zone_appended"));
    may_tell_no_region(tenant, dice);
}

/// The panel put the zone behind the host for bounces.
pub(super) fn mx_zone_appended_for_bounces(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let data = appended(tenant, &feedback(REGION), dice);
    bounce_to(tenant, &[data], State::Wrong("mx_zone_appended"));
}

/// An address was typed for the host, which a panel may have taken for a name in the zone.
fn address(tenant: &Tenant, dice: &mut Dice) -> String {
    let front = "MX 10 203.0.113.25.";
    if dice.below(2) == 0 { front.to_owned() } else { format!("{front}{}.", tenant.zone()) }
}

/// An address was typed for the host.
pub(super) fn mx_is_ip(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let data = address(tenant, dice);
    take_in(tenant, &[data], State::Wrong("mx_is_ip"));
}

/// An address was typed for the host for bounces.
pub(super) fn mx_is_ip_for_bounces(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let data = address(tenant, dice);
    bounce_to(tenant, &[data], State::Wrong("mx_is_ip"));
}

/// Puts a host into the zone and returns the data of an MX record that names it.
fn host(tenant: &mut Tenant, data: &str) -> String {
    tenant.others.push(("mx".to_owned(), data.to_owned()));
    format!("MX 10 mx.{}.", tenant.zone())
}

/// The MX record names an alias of the right host.
pub(super) fn mx_is_cname(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let data = host(tenant, &inbound(REGION).replace("MX 10", "CNAME"));
    take_in(tenant, &[data], State::Wrong("mx_is_cname"));
}

/// The MX record for bounces names an alias of the right host.
pub(super) fn mx_is_cname_for_bounces(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let data = host(tenant, &feedback(REGION).replace("MX 10", "CNAME"));
    bounce_to(tenant, &[data], State::Wrong("mx_is_cname"));
}

/// Returns the data of an MX record whose host is gone, or has something that is no address.
fn dead(tenant: &mut Tenant, dice: &mut Dice) -> String {
    if dice.below(2) == 0 { format!("MX 10 gone.{}.", tenant.zone()) } else { host(tenant, "TXT \"moved\"") }
}

/// The host is gone.
pub(super) fn mx_target_dead(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let data = dead(tenant, dice);
    take_in(tenant, &[data], State::Wrong("mx_target_dead"));
}

/// The host for bounces is gone.
pub(super) fn mx_target_dead_for_bounces(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let data = dead(tenant, dice);
    bounce_to(tenant, &[data], State::Wrong("mx_target_dead"));
}

/// People read their mail elsewhere, or another region takes it in.
pub(super) fn mx_foreign(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let data = match dice.below(3) {
        0 => host(tenant, "A 203.0.113.25"),
        1 => host(tenant, "AAAA 2001:db8::25"),
        _ => inbound(dice.pick(OTHER_REGIONS)),
    };
    take_in(tenant, &[data], State::Wrong("mx_foreign"));
}

/// Bounces go elsewhere.
pub(super) fn mx_foreign_for_bounces(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let data = host(tenant, "A 203.0.113.25");
    bounce_to(tenant, &[data], State::Wrong("mx_foreign"));
}

/// The MX record was not added, and the domain has no address that mail would go to.
pub(super) fn mx_inbound_absent(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.others.clear();
    take_in(tenant, &[], State::Absent("mx_inbound_absent"));
}

/// The MX record was not added, and mail goes to the domain's address.
pub(super) fn mx_implicit_a(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    tenant.others = vec![(tenant.apex(), dice.pick(&["A 203.0.113.26", "AAAA 2001:db8::26"]).to_owned())];
    take_in(tenant, &[], State::Absent("mx_inbound_absent"));
    tenant.expected.beside.insert("mx_implicit_a");
}

/// The domain has an address and the MX record.
pub(super) fn address_beside(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    tenant.others = vec![(tenant.apex(), "A 203.0.113.26".to_owned())];
    taken_in(tenant, mask, dice);
}

/// The policy alone was added, or a wildcard answers for the MX record.
pub(super) fn mailfrom_mx_absent(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    if dice.below(3) > 0 {
        return bounce_to(tenant, &[], State::Absent("mailfrom_mx_absent"));
    }
    let wildcard = host(tenant, "A 203.0.113.25");
    tenant.others.push((tenant.below("*"), wildcard));
    send_from(tenant, &[], [State::Absent("mailfrom_mx_absent"), State::Absent("mailfrom_spf_absent")]);
}

/// The value comes from another region's page.
pub(super) fn mailfrom_region(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    bounce_to(tenant, &[feedback(dice.pick(OTHER_REGIONS))], State::Wrong("mailfrom_region"));
}

/// The identity is in that other region.
pub(super) fn in_that_region(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let region = dice.pick(OTHER_REGIONS);
    bounce_to(tenant, &[feedback(region)], State::Ok);
    tenant.region = Some(region);
}

/// Another MX record stayed.
pub(super) fn mailfrom_mx_extra(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let other = match dice.below(2) {
        0 => "MX 20 smtp.google.com.".to_owned(),
        _ => feedback(dice.pick(OTHER_REGIONS)),
    };
    bounce_to(tenant, &[feedback(REGION), other], State::Wrong("mailfrom_mx_extra"));
}

/// The MX record alone was added, or the policy is one for other senders.
pub(super) fn mailfrom_spf_absent(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let (texts, state): (&[&str], State) = match dice.below(3) {
        0 => (&[], State::Absent("mailfrom_spf_absent")),
        1 => (&["site-verification=1"], State::Absent("mailfrom_spf_absent")),
        _ => (&["v=spf1 ip4:203.0.113.30 -all"], State::Wrong("mailfrom_spf_absent")),
    };
    let records: Vec<String> = texts.iter().map(|text| txt(text)).chain([feedback(REGION)]).collect();
    send_from(tenant, &records, [State::Ok, state]);
}

/// The MAIL FROM name was made an alias of the web site.
pub(super) fn mailfrom_is_cname(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    let alias = "CNAME www.harborline.example.".to_owned();
    send_from(tenant, &[alias], [State::Wrong("mailfrom_is_cname"); 2]);
}

/// A name below the MAIL FROM name is an alias.
pub(super) fn alias_below(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    bounces(tenant, mask, dice);
    let owner = tenant.below(&format!("www.{FRONT}"));
    tenant.others.push((owner, "CNAME www.harborline.example.".to_owned()));
}

/// The DMARC policy asks for exactly the author's domain, and bounces go to one below it.
pub(super) fn dmarc_strict_misalign(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.dmarc = vec![(tenant.below("_dmarc"), txt("v=DMARC1; p=reject; aspf=s"))];
    bounce_to(tenant, &[feedback(REGION)], State::Ok);
    tenant.expected.beside.insert("dmarc_strict_misalign");
}

/// The policy asks for exactly the author's domain where it signs, or for no exactness.
pub(super) fn aligned(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let text = dice.pick(&["v=DMARC1; p=reject; adkim=s", "v=DMARC1; p=reject; aspf=r; adkim=s"]);
    tenant.dmarc = vec![(tenant.below("_dmarc"), txt(text))];
    bounce_to(tenant, &[feedback(REGION)], State::Ok);
}

/// A domain whose mail Amazon SES takes in, with a MAIL FROM name: wrong at both.
pub(super) fn both(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    type Fault = fn(&mut Tenant, &[usize], &mut Dice);
    let inbound: &[Fault] = &[mx_null, mx_zone_appended, mx_is_ip, mx_foreign, mx_inbound_absent];
    let bounces: &[Fault] =
        &[mailfrom_region, mailfrom_mx_extra, mailfrom_spf_absent, mailfrom_is_cname, mx_is_ip_for_bounces];
    dice.pick(inbound)(tenant, mask, dice);
    dice.pick(bounces)(tenant, mask, dice);
    tenant.region = Some(REGION);
}

/// The sender domain's SPF record is right beside the one of the MAIL FROM name, which is the one that counts.
pub(super) fn spf_on_unused_name(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    bounces(tenant, mask, dice);
    tenant.is_full = true;
    tenant.expected.beside.insert("spf_on_unused_name");
}

/// A record with psd=n makes an organization of its own of the MAIL FROM name.
pub(super) fn dmarc_misalign(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    bounce_to(tenant, &[feedback(REGION)], State::Ok);
    let owner = tenant.below(&format!("_dmarc.{FRONT}"));
    tenant.others.push((owner, txt("v=DMARC1; p=none; psd=n")));
    tenant.is_full = true;
    tenant.expected.beside.extend(["dmarc_misalign", "spf_on_unused_name"]);
}
