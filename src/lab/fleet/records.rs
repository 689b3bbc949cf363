//! What people and panels do to records: one function a fault, on a tenant whose records are right.

use crate::lab::dice::Dice;
use crate::lab::fleet::policies::{quoted, replace_dmarc, replace_spf};
use crate::lab::fleet::tenant::{Line, RuleText, Tenant};

/// SES regions without a DKIM zone of their own, whose consoles people copy from.
const REGIONS: &[&str] = &["eu-central-1", "us-west-2", "ap-south-1", "eu-west-2"];

/// Nothing was added.
pub(super) fn absent(tenant: &mut Tenant, _: &mut Dice) {
    tenant.dkim.clear();
}

/// One record or two were added and the rest forgotten.
pub(super) fn partial(tenant: &mut Tenant, dice: &mut Dice) {
    tenant.dkim.truncate(1 + dice.below(2));
}

/// Cloudflare's addresses stand in the CNAME's place (TTL 300, the TTL of proxied names). It refuses to proxy what
/// points below dkim.amazonses.com, so that the identity is one of another region.
pub(super) fn cf_proxied(tenant: &mut Tenant, dice: &mut Dice) {
    tenant.move_to_region(dice);
    let (third, fourth) = (16 + dice.below(64), 1 + dice.below(254));
    let addresses = [format!("104.21.{third}.{fourth}"), format!("172.67.{}.{fourth}", third + 128)];
    let owners: Vec<String> = tenant.dkim.iter().map(|line| format!("{} 300", line.owner)).collect();
    let lines = owners.iter().flat_map(|owner| addresses.iter().map(move |address| Line::new(owner, "A", address)));
    tenant.dkim = lines.collect();
}

/// Nothing is left of the CNAMEs but that their names exist: NODATA, and NXDOMAIN for the name beside.
pub(super) fn cf_flattened(tenant: &mut Tenant, _: &mut Dice) {
    tenant.dkim.clear();
    let host = tenant.delegation.first().cloned().unwrap_or_default();
    let zone = tenant.zone();
    let soa = format!("  authority {zone} 300 SOA {host}. dns.cloudflare.com. 2370 10000 2400 604800 300");
    let rules =
        tenant.tokens.iter().flat_map(|token| [format!("any {} -> NOERROR, aa", tenant.dkim_name(token)), soa.clone()]);
    tenant.rules = vec![RuleText { addresses: tenant.addresses.clone(), lines: rules.collect() }];
}

/// The parking wildcard of a new domain answers for what was not added.
pub(super) fn wildcard_synth(tenant: &mut Tenant, _: &mut Dice) {
    tenant.dkim = vec![Line::new("*", "CNAME", "pixie.porkbun.com.")];
    tenant.others.retain(|line| line.owner == "@");
}

/// TXT was chosen as type, which panels do when they offer it first.
pub(super) fn wrong_type_txt(tenant: &mut Tenant, dice: &mut Dice) {
    let end = if dice.percent(50) { "." } else { "" };
    for line in &mut tenant.dkim {
        *line = Line::new(line.owner.clone(), "TXT", quoted(&format!("{}{end}", line.data.trim_end_matches('.'))));
    }
}

/// A URL redirect or an ALIAS was chosen as type, which answers with an address of the provider.
pub(super) fn wrong_type_address(tenant: &mut Tenant, dice: &mut Dice) {
    let address = format!("198.51.100.{}", 1 + dice.below(254));
    for line in &mut tenant.dkim {
        *line = Line::new(line.owner.clone(), "A", address.clone());
    }
}

/// The old record was left in place beside the new one, in a panel that checks nothing.
pub(super) fn multiple_cnames(tenant: &mut Tenant, _: &mut Dice) {
    tenant.dkim.clear();
    let rules = tenant.tokens.iter().flat_map(|token| {
        let name = tenant.dkim_name(token);
        [
            format!("any {name} -> NOERROR, aa"),
            format!("  answer {name} 1h CNAME {}", tenant.target(token)),
            format!("  answer {name} 1h CNAME parked.harborline-dns.net."),
        ]
    });
    tenant.rules = vec![RuleText { addresses: tenant.addresses.clone(), lines: rules.collect() }];
}

/// Two names point at each other.
pub(super) fn cname_loop(tenant: &mut Tenant, _: &mut Dice) {
    let zone = tenant.zone();
    let back: Vec<Line> = tenant
        .dkim
        .iter()
        .enumerate()
        .map(|(number, line)| Line::new(format!("dkim{}", number + 1), "CNAME", format!("{}.{zone}.", line.owner)))
        .collect();
    for (number, line) in tenant.dkim.iter_mut().enumerate() {
        line.data = format!("dkim{}.{zone}.", number + 1);
    }
    tenant.dkim.extend(back);
}

/// The full name was typed, and the panel put the zone behind it once more.
pub(super) fn host_doubled(tenant: &mut Tenant, _: &mut Dice) {
    tenant.place_dkim(|tenant, token| Line::new(tenant.dkim_name(token), "CNAME", tenant.target(token)));
}

/// The label in front of the zone was left out.
pub(super) fn label_missing(tenant: &mut Tenant, _: &mut Dice) {
    tenant.place_dkim(|tenant, token| Line::new(format!("{token}._domainkey"), "CNAME", tenant.target(token)));
}

/// The token alone was typed as host.
pub(super) fn domainkey_missing(tenant: &mut Tenant, _: &mut Dice) {
    tenant.place_dkim(|tenant, token| Line::new(tenant.below(token), "CNAME", tenant.target(token)));
}

/// The panel takes letters, digits and hyphens only.
pub(super) fn underscore_stripped(tenant: &mut Tenant, _: &mut Dice) {
    let place = |tenant: &Tenant, token: &str| {
        Line::new(tenant.below(&format!("{token}.domainkey")), "CNAME", tenant.target(token))
    };
    tenant.place_dkim(place);
}

/// The value was typed without a dot, and the panel put the zone behind it.
pub(super) fn target_zone_appended(tenant: &mut Tenant, _: &mut Dice) {
    tenant.point_dkim(|tenant, token| format!("{}{}.", tenant.target(token), tenant.zone()));
}

/// The value was typed with a dot, and the panel took it for a character of the name.
pub(super) fn target_dot_escaped(tenant: &mut Tenant, _: &mut Dice) {
    tenant.point_dkim(|tenant, token| format!("{}\\..", tenant.target(token).trim_end_matches('.')));
}

/// The values come from the page of another region.
pub(super) fn wrong_region(tenant: &mut Tenant, dice: &mut Dice) {
    tenant.move_to_default_region();
    let region = dice.pick(REGIONS);
    tenant.point_dkim(|_, token| format!("{token}.dkim.{region}.amazonses.com."));
}

/// Two values were exchanged.
pub(super) fn token_swapped(tenant: &mut Tenant, _: &mut Dice) {
    if let [first, second, ..] = tenant.dkim.as_mut_slice() {
        std::mem::swap(&mut first.data, &mut second.data);
    }
}

/// The values come from the page of another mail service.
pub(super) fn wrong_provider_target(tenant: &mut Tenant, dice: &mut Dice) {
    let number = 1_000_000 + dice.below(40_000_000);
    for (at, line) in tenant.dkim.iter_mut().enumerate() {
        line.data = format!("s{}.domainkey.u{number}.wl.sendgrid.net.", at + 1);
    }
}

/// The values were taken for the host of the web site.
pub(super) fn wrong_target(tenant: &mut Tenant, _: &mut Dice) {
    tenant.point_dkim(|_, _| "parked.harborline-dns.net.".to_owned());
}

/// The names point at names of the zone which point on.
pub(super) fn indirect(tenant: &mut Tenant, _: &mut Dice) {
    let zone = tenant.zone();
    let hop = |number: usize| format!("ses{}", number + 1);
    let hops: Vec<Line> = tenant
        .dkim
        .iter()
        .enumerate()
        .map(|(number, line)| Line::new(hop(number), "CNAME", line.data.clone()))
        .collect();
    for (number, line) in tenant.dkim.iter_mut().enumerate() {
        line.data = format!("{}.{zone}.", hop(number));
    }
    tenant.dkim.extend(hops);
}

/// The SPF record for SES was added beside the one that was there.
pub(super) fn spf_multiple(tenant: &mut Tenant, _: &mut Dice) {
    replace_spf(tenant, &["v=spf1 include:_spf.google.com ~all", "v=spf1 include:amazonses.com ~all"]);
}

/// The SPF record has a slip in it.
pub(super) fn spf_syntax(tenant: &mut Tenant, dice: &mut Dice) {
    let slips = [
        "v=spf1 include amazonses.com ~all",
        "v=spf1 include:amazonses.com, ~all",
        "v=spf1 inlcude:amazonses.com ~all",
    ];
    replace_spf(tenant, &[dice.pick(&slips)]);
}

/// The SPF record names others only.
pub(super) fn spf_missing_include(tenant: &mut Tenant, dice: &mut Dice) {
    replace_spf(tenant, &[dice.pick(&["v=spf1 include:_spf.google.com ~all", "v=spf1 a mx ~all", "v=spf1 -all"])]);
}

/// There is no SPF record.
pub(super) fn spf_absent(tenant: &mut Tenant, _: &mut Dice) {
    replace_spf(tenant, &[]);
}

/// A DMARC record was added beside the one that was there.
pub(super) fn dmarc_multiple(tenant: &mut Tenant, _: &mut Dice) {
    replace_dmarc(tenant, &["v=DMARC1; p=none", "v=DMARC1; p=reject"]);
}

/// The DMARC record has a slip in it.
pub(super) fn dmarc_syntax(tenant: &mut Tenant, dice: &mut Dice) {
    replace_dmarc(
        tenant,
        &[dice.pick(&["v=DMARC1; p=quarantined", "v=DMARC1; p=monitor", "v=DMARC1; p=rejected; sp=none"])],
    );
}

/// There is no DMARC record, here or above.
pub(super) fn dmarc_absent(tenant: &mut Tenant, _: &mut Dice) {
    replace_dmarc(tenant, &[]);
}
