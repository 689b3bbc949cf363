//! Domains with more than one thing about them: several faults at once, and what is unusual and right all the same.

use std::fmt::Write;

use zoneproof::findings::Code;

use super::dice::Dice;
use super::faults::Change;
use super::servers::HOSTER;
use super::tenant::{State, Tenant, txt};
use super::{delegation, dkim, policies};

/// Faults that a record shows at its own name.
const AT_OWN_NAME: &[Change] = &[
    dkim::target_zone_appended,
    dkim::target_dot_escaped,
    dkim::wrong_region,
    dkim::token_swapped,
    dkim::wrong_provider_target,
    dkim::wrong_target,
    dkim::wrong_type_txt,
    dkim::wrong_type_address,
    dkim::cname_loop,
    dkim::indirect,
];
/// Those, and faults of records that are not at their own name.
const ANYWHERE: &[Change] = &[
    dkim::absent,
    dkim::host_doubled,
    dkim::domainkey_missing,
    dkim::underscore_stripped,
    dkim::cf_flattened,
    dkim::wildcard_synth,
    dkim::target_zone_appended,
    dkim::wrong_type_txt,
];
/// Faults of records that stand at a wrong name.
const MISPLACED: &[Change] = &[dkim::host_doubled, dkim::domainkey_missing, dkim::underscore_stripped];
/// Faults of SPF and DMARC records.
const POLICIES: &[[Change; 2]] = &[
    [policies::spf_absent, policies::dmarc_absent],
    [policies::spf_multiple, policies::dmarc_syntax],
    [policies::spf_syntax, policies::dmarc_multiple],
    [policies::spf_missing_include, policies::dmarc_absent],
];
/// Faults of one of two servers.
const SERVERS: &[Change] =
    &[delegation::nothing, delegation::lame_some, delegation::ns_unreachable_in_part, delegation::nothing];

/// Sets the root cause: the first in the catalogue's order of what is wrong with DKIM records; ways that are only long
/// explain nothing beside an error.
fn choose_root_cause(tenant: &mut Tenant) {
    let codes = tenant.expected.dkim().iter().filter_map(|state| match state {
        State::Absent(code) | State::Wrong(code) => Code::from_word(code),
        _ => None,
    });
    let mut codes: Vec<Code> = codes.collect();
    codes.extend((tenant.expected.dkim().contains(&State::Ok)).then_some(Code::Partial));
    codes.sort();
    let error = codes.iter().find(|code| **code != Code::Indirect);
    tenant.expected.root_cause = error.or(codes.first()).unwrap().as_str();
}

/// Another fault on each of two records.
pub(super) fn on_two_records(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let first = mask[0];
    dice.pick(AT_OWN_NAME)(tenant, &[first], dice);
    dice.pick(ANYWHERE)(tenant, &[(first + 1) % 3], dice);
    choose_root_cause(tenant);
}

/// One record was not added, and another was put at a wrong name.
pub(super) fn missing_two_ways(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let first = mask[0];
    dkim::absent(tenant, &[first], dice);
    dice.pick(MISPLACED)(tenant, &[(first + 1) % 3], dice);
    choose_root_cause(tenant);
}

/// DKIM, SPF and DMARC records are all wrong, and a server may be too.
pub(super) fn of_all_kinds(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let faults = dice.pick(&[AT_OWN_NAME, ANYWHERE]);
    dice.pick(faults)(tenant, mask, dice);
    choose_root_cause(tenant);
    for change in dice.pick(POLICIES) {
        change(tenant, mask, dice);
    }
    dice.pick(SERVERS)(tenant, mask, dice);
}

/// Rare and right: one thing that a check may stumble over.
pub(super) fn unusual(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let zone = tenant.zone();
    match dice.below(11) {
        0 => tenant.others.push(("*".to_owned(), "CNAME www.harborline.example.".to_owned())),
        1 => tenant.others.extend((0..30).map(|at| ("@".to_owned(), txt(&format!("{at:02} {}", "x".repeat(90)))))),
        2 => dkim::right_region(tenant, mask, dice),
        3 => delegation::glue(tenant, mask, dice),
        4 => keys_delegated(tenant),
        5 => {
            tenant.settle("mail");
            dkim::subzone_right(tenant, &[], dice);
        }
        6 => tenant.spf = vec!["v=spf1 include:amazonses.com\" \" ~all".to_owned()],
        7 => tenant.spf = vec!["V=SPF1 Include:AmazonSES.COM ~ALL".to_owned()],
        8 => (0..3).for_each(|at| tenant.dkim[at][0].1.insert_str(0, "0 ")),
        9 => tenant.others.push(("old".to_owned(), format!("DNAME new.{zone}."))),
        _ => tenant
            .others
            .extend([("@".to_owned(), "MX 10 mx".to_owned()), ("mx".to_owned(), "A 203.0.113.25".to_owned())]),
    }
}

/// The names of the keys are a zone of their own at a hoster.
fn keys_delegated(tenant: &mut Tenant) {
    let owner = tenant.below("_domainkey");
    tenant.others.extend(HOSTER.iter().map(|(host, _)| (owner.clone(), format!("NS {host}."))));
    let (one, other) = (HOSTER[0].1, HOSTER[1].1);
    writeln!(tenant.more, "zone _domainkey.{} at {one} {other}", tenant.domain()).unwrap();
    for at in 0..3 {
        let right = tenant.right(at);
        writeln!(tenant.more, "  {} {right}", tenant.tokens[at]).unwrap();
        tenant.dkim[at].clear();
    }
}
