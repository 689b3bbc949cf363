//! What people and panels do to DKIM records: for each fault how it is made, and how it is repaired with as little as it
//! takes, which often leaves the wrong record beside the right one.

use std::fmt::Write;

use super::dice::Dice;
use super::servers::HOSTER;
use super::tenant::{State, Tenant, txt};

/// Regions without a DKIM zone of their own, whose consoles people copy from.
const REGIONS: &[&str] = &["eu-central-1", "us-west-2", "ap-south-1"];
/// DKIM zones of regions that have their own.
const REGIONAL_ZONES: &[&str] = &["dkim.eu-south-1.amazonses.com", "dkim.af-south-1.amazonses.com"];

/// Nothing was added.
pub(super) fn absent(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    mask.iter().for_each(|at| tenant.dkim[*at].clear());
    tenant.call_wrong(mask, "absent");
}

/// Puts the right value at wrong owners.
pub(super) fn misplace(
    tenant: &mut Tenant,
    mask: &[usize],
    code: &'static str,
    owner: impl Fn(&Tenant, usize) -> String,
) {
    for at in mask {
        let (owner, data) = (owner(tenant, *at), tenant.right(*at));
        tenant.put(*at, owner, data);
    }
    tenant.call_wrong(mask, code);
}

/// Adds the right records beside what stands there.
pub(super) fn add_right(tenant: &mut Tenant, mask: &[usize]) {
    for at in mask {
        let right = (tenant.owner(*at), tenant.right(*at));
        tenant.dkim[*at].push(right);
    }
    tenant.expected.records = vec![State::Ok; 5];
}

/// The full name was typed, and the panel put the zone behind it.
pub(super) fn host_doubled(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    misplace(tenant, mask, "host_doubled", |tenant, at| format!("{}.{}", tenant.owner(at), tenant.zone()));
}

/// The right records were added, the doubled ones stayed.
pub(super) fn host_doubled_beside(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    host_doubled(tenant, mask, dice);
    add_right(tenant, mask);
}

/// The sender's labels were left out.
pub(super) fn label_missing(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let labels: Vec<&str> = tenant.sender.split('.').collect();
    let kept = labels[1 + dice.below(labels.len())..].iter().map(|label| format!(".{label}")).collect::<String>();
    misplace(tenant, mask, "label_missing", |tenant, at| format!("{}._domainkey{kept}", tenant.tokens[at]));
}

/// The right records were added, those above stayed.
pub(super) fn label_missing_beside(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    label_missing(tenant, mask, dice);
    add_right(tenant, mask);
}

/// The token alone was typed, with or without the sender's labels.
pub(super) fn domainkey_missing(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let is_at_zone = dice.below(2) == 0;
    misplace(tenant, mask, "domainkey_missing", |tenant, at| {
        if is_at_zone { tenant.tokens[at].clone() } else { tenant.below(&tenant.tokens[at]) }
    });
}

/// The right records were added, those without the label stayed.
pub(super) fn domainkey_missing_beside(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    domainkey_missing(tenant, mask, dice);
    add_right(tenant, mask);
}

/// The panel takes letters, digits and hyphens only.
pub(super) fn underscore_stripped(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let between = dice.pick(&[".", "-"]);
    misplace(tenant, mask, "underscore_stripped", |tenant, at| {
        tenant.below(&format!("{}{between}domainkey", tenant.tokens[at]))
    });
}

/// The right records were added, the stripped ones stayed.
pub(super) fn underscore_stripped_beside(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    underscore_stripped(tenant, mask, dice);
    add_right(tenant, mask);
}

/// Points records elsewhere.
pub(super) fn point(
    tenant: &mut Tenant,
    mask: &[usize],
    code: &'static str,
    target: impl Fn(&Tenant, usize) -> String,
) {
    for at in mask {
        let target = target(tenant, *at);
        tenant.point(*at, &target);
    }
    tenant.call_wrong(mask, code);
}

/// The panel put the zone, or the sender domain, behind the value.
pub(super) fn target_zone_appended(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let appended = if dice.below(3) == 0 { tenant.domain() } else { tenant.zone() };
    point(tenant, mask, "target_zone_appended", |tenant, at| format!("{}.{appended}", tenant.target(at)));
}

/// The value is right, in other letters.
pub(super) fn in_capitals(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    point(tenant, mask, "none", |tenant, at| tenant.target(at).to_uppercase());
    tenant.expected.records = vec![State::Ok; 5];
}

/// The panel took the final dot for a character, and may have put the zone behind it.
pub(super) fn target_dot_escaped(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let end = if dice.below(2) == 0 { String::new() } else { format!(".{}", tenant.zone()) };
    point(tenant, mask, "target_dot_escaped", |tenant, at| format!("{}\\.{end}", tenant.target(at)));
}

/// The values come from the page of another region.
pub(super) fn wrong_region(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let region = dice.pick(REGIONS);
    point(tenant, mask, "wrong_region", |tenant, at| format!("{}.dkim.{region}.amazonses.com", tenant.tokens[at]));
}

/// The identity lives in a region with a DKIM zone of its own, and the values are that region's.
pub(super) fn right_region(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    tenant.dkim_zone = dice.pick(REGIONAL_ZONES);
    (0..3).for_each(|at| tenant.point(at, &tenant.target(at)));
}

/// The values of several tokens, or of one and the next, were exchanged.
pub(super) fn token_swapped(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    let next = |at: usize| match mask {
        [_] => (at + 1) % 3,
        several => several[(several.iter().position(|other| *other == at).unwrap() + 1) % several.len()],
    };
    point(tenant, mask, "token_swapped", |tenant, at| tenant.target(next(at)));
}

/// The values come from the page of another mail service.
pub(super) fn wrong_provider_target(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    point(tenant, mask, "wrong_provider_target", |_, at| format!("s{}.domainkey.u1234567.wl.sendgrid.net", at + 1));
}

/// The other service's records stand under names of their own.
pub(super) fn other_service_beside(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    for at in mask {
        let owner = tenant.below(&format!("s{}._domainkey", at + 1));
        tenant.others.push((owner, format!("CNAME s{}.domainkey.u1234567.wl.sendgrid.net.", at + 1)));
    }
}

/// The values are the web site's host.
pub(super) fn wrong_target(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    point(tenant, mask, "wrong_target", |_, _| "www.harborline.example".to_owned());
}

/// TXT was chosen as type.
pub(super) fn wrong_type_txt(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let end = dice.pick(&["", "."]);
    for at in mask {
        let text = format!("{}{end}", tenant.target(*at));
        tenant.put(*at, tenant.owner(*at), txt(&text));
    }
    tenant.call_wrong(mask, "wrong_type_txt");
}

/// The CNAME is there, and the text stands at another name.
pub(super) fn text_beside(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    for at in mask {
        tenant.others.push((tenant.below("key"), txt(&tenant.target(*at))));
    }
}

/// A redirect or an ALIAS was chosen as type.
pub(super) fn wrong_type_address(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let data = dice.pick(&["A 198.51.100.7", "AAAA 2001:db8::7"]);
    for at in mask {
        tenant.put(*at, tenant.owner(*at), data);
    }
    tenant.call_wrong(mask, "wrong_type_address");
}

/// The records are proxied at Cloudflare; the same addresses elsewhere are a wrong type.
pub(super) fn cf_proxied(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    for at in mask {
        let owner = tenant.owner(*at);
        tenant.dkim[*at] = vec![(owner.clone(), "A 104.21.16.9".to_owned()), (owner, "A 172.67.144.9".to_owned())];
    }
    let is_cloudflare = tenant.set.provider == "cloudflare";
    tenant.call_wrong(mask, if is_cloudflare { "cf_proxied" } else { "wrong_type_address" });
}

/// The web site is proxied, the records are not.
pub(super) fn site_proxied(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.others.push((tenant.below("www"), "A 104.21.16.9".to_owned()));
}

/// Nothing is left of the CNAMEs but their names, as flattening at Cloudflare does; elsewhere nothing can be told from that.
pub(super) fn cf_flattened(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    for at in mask {
        tenant.put(*at, format!("below.{}", tenant.owner(*at)), "A 203.0.113.21");
    }
    let is_cloudflare = tenant.set.provider == "cloudflare";
    tenant.call_wrong(mask, if is_cloudflare { "cf_flattened" } else { "absent" });
}

/// The CNAMEs are there, with a name below.
pub(super) fn name_below(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    cf_flattened(tenant, mask, dice);
    add_right(tenant, mask);
}

/// A wildcard beside the keys answers for what was not added.
pub(super) fn wildcard_synth(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    mask.iter().for_each(|at| tenant.dkim[*at].clear());
    let data = dice.pick(&["CNAME www.harborline.example.", "A 198.51.100.8"]);
    tenant.others.push((tenant.below("*._domainkey"), data.to_owned()));
    tenant.call_wrong(mask, "wildcard_synth");
}

/// The records were added beside the wildcard.
pub(super) fn wildcard_beside(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    wildcard_synth(tenant, mask, dice);
    add_right(tenant, mask);
}

/// The old CNAMEs stayed beside the new ones, on a server that checks nothing.
pub(super) fn multiple_cnames(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
    for at in mask {
        tenant.dkim[*at].clear();
        let name = format!("{}._domainkey.{}", tenant.tokens[*at], tenant.domain());
        let right = tenant.right(*at);
        tenant.rule(&format!("any {name} -> NOERROR, aa"));
        writeln!(tenant.more, "    answer {name} 1h {right}\n    answer {name} 1h CNAME www.harborline.example.")
            .unwrap();
    }
    tenant.call_wrong(mask, "multiple_cnames");
}

/// The zone is where nobody checks, and right.
pub(super) fn at_odd_servers(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
}

/// The names point at names that point back.
pub(super) fn cname_loop(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    for at in mask {
        let (owner, zone) = (tenant.owner(*at), tenant.zone());
        tenant.point(*at, &format!("dkim{at}.{zone}"));
        tenant.dkim[*at].push((format!("dkim{at}"), format!("CNAME {owner}.{zone}.")));
    }
    tenant.call_wrong(mask, "cname_loop");
}

/// There is a loop, elsewhere in the zone.
pub(super) fn loop_beside(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.others.push(("round".to_owned(), "CNAME robin".to_owned()));
    tenant.others.push(("robin".to_owned(), "CNAME round".to_owned()));
}

/// The names point at names of the zone which point on.
pub(super) fn indirect(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    for at in mask {
        let (zone, right) = (tenant.zone(), tenant.right(*at));
        tenant.point(*at, &format!("ses{at}.{zone}"));
        tenant.dkim[*at].push((format!("ses{at}"), right));
    }
    tenant.call_wrong(mask, "indirect");
    if mask.len() < 3 {
        // A warning about the way explains nothing where another is an error.
        tenant.expected.root_cause = "partial";
    }
}

/// The names point at the targets, and so do others.
pub(super) fn others_point_too(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    for at in mask {
        tenant.others.push((format!("ses{at}"), tenant.right(*at)));
    }
}

/// The sender domain is a zone of its own at a small hoster; the records of `mask` were added in the zone above, at
/// the name that the panel made of the full one or without the sender's label.
pub(super) fn subzone_shadow(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let is_doubled = dice.below(2) == 0;
    let apex = tenant.apex();
    let mut below = format!("zone {} at {} {}\n", tenant.domain(), HOSTER[0].1, HOSTER[1].1);
    below.push_str("  @ TXT \"v=spf1 include:amazonses.com ~all\"\n  _dmarc TXT \"v=DMARC1; p=none\"\n");
    for at in 0..3 {
        if mask.contains(&at) {
            let front = if is_doubled { format!("{}.{}", tenant.owner(at), tenant.zone()) } else { String::new() };
            let owner = if is_doubled { front } else { format!("{}._domainkey", tenant.tokens[at]) };
            let right = tenant.right(at);
            tenant.put(at, owner, right);
        } else {
            writeln!(below, "  {}._domainkey {}", tenant.tokens[at], tenant.right(at)).unwrap();
            tenant.dkim[at].clear();
        }
    }
    tenant.spf.clear();
    tenant.dmarc.clear();
    tenant.others.extend(HOSTER.iter().map(|(host, _)| (apex.clone(), format!("NS {host}."))));
    tenant.more.push_str(&below);
    tenant.provider_is_another = true;
    tenant.call_wrong(mask, "subzone_shadow");
}

/// The records were added in the zone below too.
pub(super) fn subzone_right(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    subzone_shadow(tenant, mask, dice);
    for at in mask {
        let right = tenant.right(*at);
        writeln!(tenant.more, "  {}._domainkey {right}", tenant.tokens[*at]).unwrap();
    }
    tenant.expected.records = vec![State::Ok; 5];
}

/// The second server does not have the records yet.
pub(super) fn inconsistent_servers(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    let mut late = tenant.clone();
    mask.iter().for_each(|at| late.dkim[*at].clear());
    tenant.second = Some(late.lines());
    mask.iter().for_each(|at| tenant.expected.records[*at] = State::Inconsistent);
    tenant.expected.root_cause = "inconsistent_servers";
}

/// The second server lacks something that nobody looks for.
pub(super) fn differ_elsewhere(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.second = Some(tenant.lines());
    tenant.others.push(("www".to_owned(), "A 203.0.113.22".to_owned()));
}

/// The servers fail at the names of the keys, or what they say cannot be read.
pub(super) fn unable_to_check(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    tenant.move_to_odd();
    let body = dice.pick(&["SERVFAIL", "raw 8000", "FORMERR, bare"]);
    for at in mask {
        tenant.rule(&format!("any {}._domainkey.{} -> {body}", tenant.tokens[*at], tenant.domain()));
        tenant.expected.records[*at] = State::Unable;
    }
    tenant.expected.beside.insert("unable_to_check");
    tenant.expected.root_cause = "unable_to_check";
}

/// The servers fail at names that nobody asks for.
pub(super) fn fail_elsewhere(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
    tenant.rule(&format!("any under intranet.{} -> SERVFAIL", tenant.domain()));
}
