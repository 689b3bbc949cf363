//! Remedies for the CNAME records of DKIM: a wrong place, a wrong type, a wrong value.

use std::net::IpAddr;

use crate::dns::name::Name;
use crate::evidence::ZoneCut;
use crate::expectation::{Expected, RecordKind};
use crate::providers::{ValueDot, catalogue};
use crate::remedy::case::{Case, join};
use crate::remedy::place::Place;
use crate::remedy::words::{aside, list, list_names, plural, quoted, shown};
use crate::remedy::{Action, Remedy, Step};
use crate::remedy::{exchange, mail};

/// The type that every record here should have.
pub(super) const CNAME: &str = "CNAME";
/// The type of a key of one's own.
pub(super) const TXT: &str = "TXT";

/// The record is not there.
pub(super) fn absent(case: &Case<'_>) -> Remedy {
    match case.kind {
        Some(RecordKind::Spf | RecordKind::MailFromSpf) => mail::spf_absent(case),
        Some(RecordKind::Dmarc) => mail::dmarc_absent(case),
        Some(RecordKind::Mx | RecordKind::MailFromMx) => exchange::mx_absent(case),
        Some(RecordKind::Dkim) | None => {
            let what = format!("There is no {} record at {}.", record_type(case), shown(case.owner));
            case.at_panel(what, add(case, &[]))
        }
    }
}

/// The record went into the parent zone, where nobody looks for it.
pub(super) fn subzone_shadow(case: &Case<'_>) -> Remedy {
    let zone = shown(&case.place.zone);
    let above = parent_of(case, &case.place.zone);
    let other = case.text("other_provider").map(quoted).or_else(|| above.as_ref().map(Place::who));
    let added_at = match (&above, other) {
        (Some(above), Some(other)) => format!("in the zone above it, {}, at {other}", shown(&above.zone)),
        (None, Some(other)) => format!("in the zone above it, at {other}"),
        _ => "in the zone above it".to_owned(),
    };
    let handed_over = if zone.starts_with('_') {
        " (DMARC and DKIM services often have such a name handed over to them)"
    } else {
        ""
    };
    let what = format!(
        "{zone} is a zone of its own{handed_over}: its records are kept apart from those of the domain above it, by {}. The record was added \
         {added_at}, where nobody looks for it.",
        case.place.who()
    );
    let steps = add(case, &[]);
    let field = case.place.host_field();
    let hint = format!("{field} is what stands in front of {zone}. The record in the zone above can be deleted.");
    let time = case.place.usual_time_of(&steps);
    let sentences = [Some(what), Some(case.place.tell(&steps)), Some(hint), case.gotcha(), time];
    Remedy { provider: case.place.provider_id(), text: join(sentences), steps }
}

/// The record stands where nobody asks.
pub(super) fn wrong_provider_edited(case: &Case<'_>) -> Remedy {
    let edited = case.text("edited_provider").and_then(|id| catalogue().get(id)).map(|provider| provider.name.clone());
    let servers = list_names(case.names("edited_servers"));
    let (at, of_which) = match edited {
        Some(name) => (format!("{name}{}", aside(&servers)), name),
        None if servers.is_empty() => ("another provider".to_owned(), "that provider".to_owned()),
        None => (format!("the provider of {servers}"), "that provider".to_owned()),
    };
    let zone = shown(&case.place.zone);
    let what = format!(
        "The record at {} was added at {at}, but the world asks the name servers of {zone}, which are of {}.",
        shown(case.owner),
        case.place.who()
    );
    let steps = add(case, &[]);
    let other = format!(
        "Or, to keep everything at {of_which}, set its name servers for {zone} at the registrar; then all other records of \
         the domain must be there too."
    );
    let sentences = [Some(what), Some(case.place.tell(&steps)), Some(other), case.gotcha()];
    Remedy { provider: case.place.provider_id(), text: join(sentences), steps }
}

/// Returns the place of the zone above.
fn parent_of(case: &Case<'_>, zone: &Name) -> Option<Place> {
    let parent = case.evidence.cut(zone).and_then(|cut| cut.parent.as_ref())?;
    case.evidence.cut(parent).map(|cut: &ZoneCut| Place::of_cut(cut, case.evidence))
}

/// Cloudflare answers with its own addresses.
pub(super) fn cf_proxied(case: &Case<'_>) -> Remedy {
    let addresses = case.addresses();
    let with = if addresses.is_empty() { "addresses".to_owned() } else { list(addresses) };
    let what =
        format!("{} is proxied at Cloudflare, so that everyone who asks sees {with} instead of the CNAME.", here(case));
    cloudflare_setting(case, what)
}

/// Cloudflare answers with what the target has, which is nothing.
pub(super) fn cf_flattened(case: &Case<'_>) -> Remedy {
    let what = format!(
        "{} is flattened at Cloudflare: it answers with the address that the CNAME leads to, and as there is none, with nothing.",
        here(case)
    );
    cloudflare_setting(case, what)
}

/// Tells which setting to change; the words are Cloudflare's even where other servers stand in front of it.
fn cloudflare_setting(case: &Case<'_>, what: String) -> Remedy {
    let steps = change(case, None);
    let Some(cloudflare) = catalogue().get("cloudflare") else { return case.at_panel(what, steps) };
    let host = cloudflare.host_field_for(case.owner, &case.place.zone);
    let field = cloudflare.host_field.as_deref().unwrap_or("Name");
    let open = format!("At Cloudflare, edit the CNAME record with {field} {}.", quoted(&host));
    let setting = cloudflare.gotcha(case.finding.code.as_str()).map(str::to_owned);
    Remedy { provider: Some(cloudflare.id.clone()), text: join([Some(what), Some(open), setting]), steps }
}

/// A wildcard answers.
pub(super) fn wildcard_synth(case: &Case<'_>) -> Remedy {
    let with = case.shown("seen").map(|seen| format!(" with {seen}")).unwrap_or_default();
    let what = format!(
        "There is no record at {}; a wildcard (*) answers{with} in its place. The wildcard may stay: a record of its own \
         takes precedence over it.",
        shown(case.owner)
    );
    case.at_panel(what, add(case, &[]))
}

/// The target stands there as text.
pub(super) fn wrong_type_txt(case: &Case<'_>) -> Remedy {
    let what = format!("The record at {} is a TXT record; it has to be a CNAME record.", shown(case.owner));
    case.at_panel(what, add(case, &[case.step(Action::Delete, "TXT", None)]))
}

/// An address stands there.
pub(super) fn wrong_type_address(case: &Case<'_>) -> Remedy {
    let addresses = case.addresses();
    let with = aside(&list(addresses));
    let what = format!("{} has an address{with} where a CNAME record has to be.", shown(case.owner));
    let is_of = |version: fn(&IpAddr) -> bool| addresses.iter().any(version);
    let mut deletes = Vec::new();
    if addresses.is_empty() || is_of(IpAddr::is_ipv4) {
        deletes.push(case.step(Action::Delete, "A", None));
    }
    if is_of(IpAddr::is_ipv6) {
        deletes.push(case.step(Action::Delete, "AAAA", None));
    }
    case.at_panel(what, add(case, &deletes))
}

/// Several CNAMEs stand there.
pub(super) fn multiple_cnames(case: &Case<'_>) -> Remedy {
    let targets = case.names("targets");
    let what = format!(
        "{} has more than one CNAME record. Only one is allowed; of several, receivers take any or none.",
        shown(case.owner)
    );
    let Some(target) = case.target() else { return case.at_panel(what, Vec::new()) };
    let panel = case.place.panel();
    let wrong = targets.iter().filter(|seen| *seen != target);
    let mut steps: Vec<Step> =
        wrong.map(|seen| case.step(Action::Delete, CNAME, Some(panel.value_for(seen)))).collect();
    let action = if targets.contains(target) { Action::Keep } else { Action::Add };
    steps.push(case.step(action, CNAME, Some(panel.value_for(target))));
    case.at_panel(what, steps)
}

/// The CNAME leads back to itself.
pub(super) fn cname_loop(case: &Case<'_>) -> Remedy {
    let targets = case.names("targets");
    let over = if targets.is_empty() { String::new() } else { format!(" over {}", list_names(targets)) };
    let what = format!("The CNAME record at {} leads back to itself{over}.", shown(case.owner));
    case.at_panel(what, change(case, None))
}

/// The domain stands twice in the name.
pub(super) fn host_doubled(case: &Case<'_>) -> Remedy {
    let what = match case.name("typed") {
        Some(typed) => format!("The record stands at {}, with the domain in it twice.", shown(typed)),
        None => format!("The record for {} stands at a name with the domain in it twice.", shown(case.owner)),
    };
    moved(case, what)
}

/// The sub-domain was left out.
pub(super) fn label_missing(case: &Case<'_>) -> Remedy {
    let domain = &case.expectation.domain;
    let above = case.name("typed").and_then(Name::parent).and_then(|keys| keys.parent());
    let missing = above.and_then(|above| domain.relative_to(&above)).filter(|labels| !labels.is_empty());
    let label = missing.map(|labels| format!(" {}", quoted(&labels))).unwrap_or_default();
    let what = match case.name("typed") {
        Some(typed) => format!("The record stands at {}: the part{label} is missing in the name.", shown(typed)),
        None => {
            format!("The record for {} stands too high: the part{label} is missing in its name.", shown(case.owner))
        }
    };
    moved(case, what)
}

/// `_domainkey` was left out.
pub(super) fn domainkey_missing(case: &Case<'_>) -> Remedy {
    let what = match case.name("typed") {
        Some(typed) => format!("The record stands at {}: the part _domainkey is missing in the name.", shown(typed)),
        None => format!("The record for {} stands at a name without the part _domainkey.", shown(case.owner)),
    };
    moved(case, what)
}

/// The underscore got lost.
pub(super) fn underscore_stripped(case: &Case<'_>) -> Remedy {
    let what = match case.name("typed") {
        Some(typed) => format!("The record stands at {}: the underscore of _domainkey got lost.", shown(typed)),
        None => format!("The record for {} stands at a name without the underscore of _domainkey.", shown(case.owner)),
    };
    let mut remedy = moved(case, what);
    remedy.text.push_str(" If the panel drops the underscore again, ask the provider's support.");
    remedy
}

/// The panel appended the zone to the value; only a dot at the end keeps it from that.
pub(super) fn target_zone_appended(case: &Case<'_>) -> Remedy {
    let is_dotted = case.place.panel().value_dot != ValueDot::None;
    let what = points_at(case, "which is the value with the domain appended to it");
    let value = case.target().filter(|_| is_dotted).map(ToString::to_string);
    case.at_panel(what, change(case, value))
}

/// The dot at the end became a part of the name.
pub(super) fn target_dot_escaped(case: &Case<'_>) -> Remedy {
    let what = points_at(case, "in which the dot at the end was stored as a part of the name");
    let value = case.target().map(Name::to_text_without_dot);
    case.at_panel(what, change(case, value))
}

/// The target is in another region's zone.
pub(super) fn wrong_region(case: &Case<'_>) -> Remedy {
    let region = aside(&case.text("region").map(quoted).unwrap_or_default());
    let what = points_at(case, &format!("which belongs to another Amazon SES region{region}"));
    case.at_panel(what, change(case, None))
}

/// The target belongs to another of the three records.
pub(super) fn token_swapped(case: &Case<'_>) -> Remedy {
    let what = points_at(case, "which is the value of another of the three records");
    let rule = "Each record's value starts with the same token as its host.".to_owned();
    case.at_panel(join([Some(what), Some(rule)]), change(case, None))
}

/// The target belongs to another mail service.
pub(super) fn wrong_provider_target(case: &Case<'_>) -> Remedy {
    let service = case.text("service").map_or_else(|| "another mail service".to_owned(), quoted);
    let what = points_at(case, &format!("which belongs to {service} and not to Amazon SES"));
    case.at_panel(what, change(case, None))
}

/// The target is something else.
pub(super) fn wrong_target(case: &Case<'_>) -> Remedy {
    let what = points_at(case, "which is not the name that Amazon SES looks for");
    case.at_panel(what, change(case, None))
}

/// The target is reached over other names.
pub(super) fn indirect(case: &Case<'_>) -> Remedy {
    let over = case.names("targets").iter().filter(|name| Some(*name) != case.target()).collect::<Vec<_>>();
    let over = if over.is_empty() { "other names".to_owned() } else { list_names(over) };
    let what = format!("The CNAME record at {} reaches its target only over {over}.", shown(case.owner));
    case.at_panel(what, change(case, None))
}

/// Some of the three are right.
pub(super) fn partial(case: &Case<'_>) -> Remedy {
    let what = match (case.number("ok"), case.number("of")) {
        (Some(right), Some(all)) => {
            let are = plural(usize::try_from(right).unwrap_or(usize::MAX), "is", "are");
            format!("{right} of the {all} DKIM records of {} {are} right.", shown(case.owner))
        }
        _ => format!("Some of the DKIM records of {} are right, and others are not.", shown(case.owner)),
    };
    let advice = "Mail may be signed today, and stop being signed when Amazon SES changes to the next key: all three are \
                  needed. See what to do about each of the others.";
    case.advise(what, advice.to_owned())
}

/// Names the record at its own name.
fn here(case: &Case<'_>) -> String {
    format!("The record at {}", shown(case.owner))
}

/// Says what the CNAME points at, and what is wrong with that.
pub(super) fn points_at(case: &Case<'_>, but: &str) -> String {
    match case.shown("seen") {
        Some(seen) => format!("The CNAME record at {} points at {seen}, {but}.", shown(case.owner)),
        None => format!("The CNAME record at {} points at a name {but}.", shown(case.owner)),
    }
}

/// Returns the type and the value that the record should have, written as the panel wants it.
fn wanted(case: &Case<'_>) -> Option<(&'static str, String)> {
    match case.record().map(|record| &record.expected) {
        Some(Expected::DkimKey(key)) => key.as_ref().map(|key| (TXT, format!("v=DKIM1; k=rsa; p={key}"))),
        _ => case.target().map(|target| (CNAME, case.place.panel().value_for(target))),
    }
}

/// Returns the type that the record should have.
pub(super) fn record_type(case: &Case<'_>) -> &'static str {
    match case.record().map(|record| &record.expected) {
        Some(Expected::DkimKey(_)) => TXT,
        _ => CNAME,
    }
}

/// Adds the record, after `deletes`.
pub(super) fn add(case: &Case<'_>, deletes: &[Step]) -> Vec<Step> {
    let added = wanted(case).map(|(record_type, value)| case.step(Action::Add, record_type, Some(value)));
    deletes.iter().cloned().chain(added).collect()
}

/// Gives the record the right value, written as the panel wants it unless `value` says how.
pub(super) fn change(case: &Case<'_>, value: Option<String>) -> Vec<Step> {
    let wanted = wanted(case).map(|(record_type, wanted)| (record_type, value.unwrap_or(wanted)));
    wanted.map(|(record_type, value)| case.step(Action::Change, record_type, Some(value))).into_iter().collect()
}

/// Deletes the record where it stands, at a name that may lie in another zone, and adds it where it belongs.
pub(super) fn moved(case: &Case<'_>, what: String) -> Remedy {
    let Some(typed) = case.name("typed") else { return case.at_panel(what, add(case, &[])) };
    let there = Place::of(typed, case.evidence);
    let delete = Step {
        action: Action::Delete,
        host: there.host(typed),
        record_type: record_type(case).to_owned(),
        value: None,
    };
    if there == case.place {
        return case.at_panel(what, add(case, &[delete]));
    }
    let added = add(case, &[]);
    let (deleted, told) = (there.tell(std::slice::from_ref(&delete)), case.place.tell(&added));
    let time = case.place.usual_time_of(&added);
    let text = join([Some(what), Some(deleted), Some(told), case.gotcha(), time]);
    Remedy { provider: case.place.provider_id(), text, steps: std::iter::once(delete).chain(added).collect() }
}
