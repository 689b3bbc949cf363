//! Remedies for the MX records of Amazon SES: the domain's own, and those of the custom MAIL FROM name.

use std::collections::BTreeSet;

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::expectation::{Exchange, Expected, RecordKind, SES_SPF_INCLUDE};
use crate::providers::ValueDot;
use crate::remedy::case::Case;
use crate::remedy::words::{list, list_names, printable, quoted, shown};
use crate::remedy::{Action, Remedy, Step};

/// The type of most records here.
const MX: &str = "MX";
/// The mail systems that people know, by the end of their hosts' names.
const KNOWN_SYSTEMS: &[(&str, &str)] = &[
    ("google.com.", "Google Workspace"),
    ("googlemail.com.", "Google Workspace"),
    ("mail.protection.outlook.com.", "Microsoft 365"),
    ("mx.microsoft.", "Microsoft 365"),
    ("zoho.com.", "Zoho Mail"),
    ("zoho.eu.", "Zoho Mail"),
    ("messagingengine.com.", "Fastmail"),
    ("protonmail.ch.", "Proton Mail"),
    ("secureserver.net.", "GoDaddy"),
    ("privateemail.com.", "Namecheap Private Email"),
];

/// There is no MX record, or only a wildcard's.
pub(super) fn mx_absent(case: &Case<'_>) -> Remedy {
    let wildcard = case.names("exchanges");
    let owner = shown(case.owner);
    let what = if wildcard.is_empty() {
        format!("{owner} has no MX record, {}.", purpose(case))
    } else {
        let hosts = list_names(wildcard);
        format!("{owner} has no MX record of its own, {}; a wildcard answers with {hosts}.", purpose(case))
    };
    put(case, what, vec![add(case)])
}

/// The name says that it takes no mail.
pub(super) fn mx_null(case: &Case<'_>) -> Remedy {
    let what = format!(
        "The MX record of {} is the null record, with priority 0 and a single dot as host: it says that the name takes no mail.",
        shown(case.owner)
    );
    let mut steps: Vec<Step> = exchanges(case)
        .iter()
        .filter(|(_, host)| !host.is_root() && !is_right(case, host))
        .map(|host| case.step(Action::Delete, MX, Some(data(host))))
        .collect();
    steps.insert(0, case.step(Action::Delete, MX, None));
    if !exchanges(case).iter().any(|(_, host)| is_right(case, host)) {
        steps.push(add(case));
    }
    put(case, what, steps)
}

/// The panel appended the zone to the host.
pub(super) fn mx_zone_appended(case: &Case<'_>) -> Remedy {
    let what = points_at(case, "which is the right host with the domain appended to it");
    let mut step = change(case);
    if case.place.panel().value_dot != ValueDot::None {
        step.value = step.value.map(|value| format!("{}.", value.trim_end_matches('.')));
    }
    put(case, what, steps_for(case, step))
}

/// There is an address where a name should be.
pub(super) fn mx_is_ip(case: &Case<'_>) -> Remedy {
    let what = points_at(case, "which is an address; an MX record takes the name of a host");
    put(case, what, steps_for(case, change(case)))
}

/// Bounces go to another region.
pub(super) fn mailfrom_region(case: &Case<'_>) -> Remedy {
    let what = points_at(case, &format!("which is the host of another AWS region{}", region_aside(case)));
    put(case, what, steps_for(case, change(case)))
}

/// There are several MX records, one of them right.
pub(super) fn mailfrom_mx_extra(case: &Case<'_>) -> Remedy {
    let count = case.number("count").map_or_else(|| "several".to_owned(), |count| count.to_string());
    let what = format!("{} has {count} MX records; Amazon SES wants exactly one.", shown(case.owner));
    let (mut right, mut others): (Vec<_>, Vec<_>) =
        exchanges(case).into_iter().partition(|(_, host)| is_right(case, host));
    if right.len() > 1 {
        // Where several would do, the one that bounces go to today stays.
        others.extend(right.split_off(1));
    }
    let mut steps: Vec<Step> = others.iter().map(|host| case.step(Action::Delete, MX, Some(data(host)))).collect();
    steps.extend(right.first().map(|host| case.step(Action::Keep, MX, Some(data(host)))));
    case.at_panel(what, steps)
}

/// The host is an alias of the right one.
pub(super) fn mx_is_cname(case: &Case<'_>) -> Remedy {
    let what = points_at(case, "which is only an alias (CNAME) of the right host; mail servers may refuse that");
    put(case, what, steps_for(case, change(case)))
}

/// The host has no address.
pub(super) fn mx_target_dead(case: &Case<'_>) -> Remedy {
    let what = points_at(case, "which has no address, so that mail goes nowhere");
    put(case, what, steps_for(case, change(case)))
}

/// Mail goes to another system.
pub(super) fn mx_foreign(case: &Case<'_>) -> Remedy {
    if case.text("region").is_some() {
        let what = points_at(case, &format!("which is the host of another AWS region{}", region_aside(case)));
        return put(case, what, steps_for(case, change(case)));
    }
    let system =
        case.names("exchanges").iter().find_map(system_of).map(|system| format!(" ({system})")).unwrap_or_default();
    if case.kind == Some(RecordKind::MailFromMx) {
        let what = points_at(case, &format!("which is another mail system{system}; bounces do not reach Amazon SES"));
        return put(case, what, steps_for(case, change(case)));
    }
    let owner = shown(case.owner);
    let what = format!("Mail for {owner} goes to {}{system}, not to Amazon SES alone.", hosts(case));
    let wanted = exchange(case).map(Exchange::host).unwrap_or_default();
    let advice = format!(
        "If people read their mail there, leave these MX records as they are, and take in mail with Amazon SES at a \
         subdomain, such as inbound.{owner}, with an MX record of its own: 10 {wanted}. Only if nobody uses that mail \
         system any more, replace them at {}.{}",
        case.place.who(),
        region_hint(case)
    );
    case.advise(what, advice)
}

/// Mail goes to the domain's own address.
pub(super) fn mx_implicit_a(case: &Case<'_>) -> Remedy {
    let addresses = match case.addresses() {
        [] => String::new(),
        addresses => format!(", {}", list(addresses)),
    };
    let what = format!(
        "{} has no MX record, so that mail servers deliver its mail to its own address{addresses}.",
        shown(case.owner)
    );
    case.advise(what, "Once the MX record of Amazon SES is there, mail goes there instead.".to_owned())
}

/// The MAIL FROM name is an alias.
pub(super) fn mailfrom_is_cname(case: &Case<'_>) -> Remedy {
    let owner = shown(case.owner);
    let target = case.name("target").map_or_else(|| "another name".to_owned(), shown);
    if case.finding.severity == crate::findings::Severity::Notice {
        let what =
            format!("The MAIL FROM name {owner} is an alias (CNAME) of {target}, which has the right MX record.");
        let advice = format!(
            "It works as long as {target} keeps it. An MX and a TXT record at {owner} itself do not depend on that."
        );
        return case.advise(what, advice);
    }
    let what = format!(
        "The MAIL FROM name {owner} is an alias (CNAME) of {target}; no MX or TXT record can stand beside that."
    );
    let policy = format!("v=spf1 include:{SES_SPF_INCLUDE} ~all");
    let steps = vec![case.step(Action::Delete, "CNAME", None), add(case), case.step(Action::Add, "TXT", Some(policy))];
    put(case, what, steps)
}

/// The MAIL FROM name's policy does not name Amazon SES.
pub(super) fn mailfrom_spf_absent(case: &Case<'_>) -> Remedy {
    let owner = shown(case.owner);
    let new = case.text("new_record").map_or_else(|| format!("v=spf1 include:{SES_SPF_INCLUDE} ~all"), printable);
    let is_there = case.text("record").is_some();
    let what = if is_there {
        format!(
            "The SPF record of the MAIL FROM name {owner} does not name Amazon SES: include:{SES_SPF_INCLUDE} is missing."
        )
    } else {
        format!("The MAIL FROM name {owner} has no SPF record, so that mail from Amazon SES fails SPF.")
    };
    case.at_panel(what, vec![case.step(if is_there { Action::Change } else { Action::Add }, "TXT", Some(new))])
}

/// Returns the exchange that the record should name.
fn exchange<'a>(case: &Case<'a>) -> Option<&'a Exchange> {
    match case.record().map(|record| &record.expected) {
        Some(Expected::Exchange(exchange)) => Some(exchange),
        _ => None,
    }
}

/// Says whether a host is the one that the record should name.
fn is_right(case: &Case<'_>, host: &Name) -> bool {
    exchange(case).is_some_and(|exchange| exchange.is_met_by(host))
}

/// Lists the hosts in question.
fn hosts(case: &Case<'_>) -> String {
    match case.names("exchanges") {
        [] => "another host".to_owned(),
        names => list_names(names),
    }
}

/// Says what the record is for.
fn purpose(case: &Case<'_>) -> &'static str {
    match case.kind {
        Some(RecordKind::MailFromMx) => "so that Amazon SES cannot use it as MAIL FROM",
        _ => "so that its mail does not come to Amazon SES",
    }
}

/// Says where the record points.
fn points_at(case: &Case<'_>, which: &str) -> String {
    format!("The MX record of {} points at {}, {which}.", shown(case.owner), hosts(case))
}

/// Says whose host stands there.
fn region_aside(case: &Case<'_>) -> String {
    let wanted = exchange(case).and_then(|exchange| exchange.region.as_deref());
    match (case.text("region"), wanted) {
        (Some(found), Some(wanted)) => format!(" ({}, not {wanted})", quoted(found)),
        _ => String::new(),
    }
}

/// Says what to put in where the region is not known.
fn region_hint(case: &Case<'_>) -> &'static str {
    match exchange(case) {
        Some(Exchange { region: None, .. }) => {
            " For REGION put the AWS region of your Amazon SES identity, such as us-east-1."
        }
        _ => "",
    }
}

/// Returns what the panel's value field takes.
fn value(case: &Case<'_>) -> Option<String> {
    let data = exchange(case)?.data();
    let is_dotted = case.place.panel().value_dot == ValueDot::Needed;
    Some(if is_dotted { data } else { data.trim_end_matches('.').to_owned() })
}

/// Adds the record.
fn add(case: &Case<'_>) -> Step {
    case.step(Action::Add, MX, value(case))
}

/// Gives the record its value.
fn change(case: &Case<'_>) -> Step {
    case.step(Action::Change, MX, value(case))
}

/// Lets `step` change the only MX record; where there are several, all go and one is added.
fn steps_for(case: &Case<'_>, step: Step) -> Vec<Step> {
    let there = exchanges(case);
    if there.len() < 2 {
        return vec![step];
    }
    let wrong: BTreeSet<&Name> = case.names("exchanges").iter().collect();
    let mut steps: Vec<Step> = there
        .iter()
        .filter(|(_, host)| wrong.contains(host))
        .map(|host| case.step(Action::Delete, MX, Some(data(host))))
        .collect();
    if steps.is_empty() {
        // They stand behind an alias, or not at all servers.
        return vec![step];
    }
    if !there.iter().any(|(_, host)| is_right(case, host)) {
        steps.push(Step { action: Action::Add, ..step });
    }
    steps
}

/// Puts a remedy together; says how the priority is typed, and what stands for the region.
fn put(case: &Case<'_>, what: String, steps: Vec<Step>) -> Remedy {
    let is_typed = |step: &Step| step.record_type == MX && matches!(step.action, Action::Add | Action::Change);
    let is_any_typed = steps.iter().any(is_typed);
    let mut remedy = case.at_panel(what, steps);
    if is_any_typed {
        remedy.text.push_str(" Where the form has a field of its own for the priority, put the 10 there.");
        remedy.text.push_str(region_hint(case));
    }
    remedy
}

/// Returns the MX records that stand there; sorted, without duplicates.
fn exchanges(case: &Case<'_>) -> Vec<(u16, Name)> {
    let question = Question::new(case.owner.clone(), RecordType::MX);
    let mut found: Vec<(u16, Name)> = Vec::new();
    for seen in case.evidence.observations(&question) {
        if let Some(Response::Answer(answer)) = seen.response() {
            found.extend(answer.rrset.data().iter().filter_map(|rdata| match rdata {
                Rdata::Mx { preference, exchange } => Some((*preference, exchange.clone())),
                _ => None,
            }));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Shows the data of an MX record.
fn data((preference, host): &(u16, Name)) -> String {
    format!("{preference} {}", shown(host))
}

/// Names the mail system that a host belongs to, where people know it.
fn system_of(host: &Name) -> Option<&'static str> {
    let is_below = |zone: &str| Name::parse(zone).is_ok_and(|zone| host.is_subdomain_of(&zone));
    KNOWN_SYSTEMS.iter().find(|(zone, _)| is_below(zone)).map(|(_, system)| *system)
}
