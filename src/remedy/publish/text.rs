//! Records as a person types them at a panel.

use std::fmt::Write;

use super::{Content, Entry, Publication, strings};
use crate::expectation::RecordKind;
use crate::providers::Provider;
use crate::remedy::place::usual_time;
use crate::remedy::words::{quoted, shown};

/// The findings that are easily kept from happening: what a provider's users should know of these is told beforehand.
const MINDED: &[&str] = &[
    "host_doubled",
    "target_zone_appended",
    "target_dot_escaped",
    "wrong_type_url_redirect",
    "wrong_type_address",
    "cf_proxied",
    "cf_flattened",
    "underscore_stripped",
];

/// What is to be minded where the domain's own MX record is among the records.
const INBOUND: &str =
    "The MX record of the domain takes all its mail to Amazon SES: leave it out where another system takes it.";

/// Writes what to type for a person: field by field, as the panels of the domain's providers call them.
#[must_use]
pub fn text(publication: &Publication) -> String {
    let mut text = format!("What to publish for {}\n", shown(&publication.domain));
    let mut rest = publication.entries.as_slice();
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|entry| entry.place == first.place).count();
        let (here, others) = rest.split_at(count);
        rest = others;
        for (who, panel) in first.place.panels() {
            text += &at_panel(here, first, &who, panel);
        }
    }
    // Writing to a string does not end in an error.
    let _ = writeln!(
        text,
        "\nThen see whether it is right: zoneproof check {} {}",
        shown(&publication.domain),
        publication.options
    );
    text
}

/// Writes what to type at one panel.
fn at_panel(entries: &[Entry], first: &Entry, who: &str, panel: &'static Provider) -> String {
    let zone = &first.place.zone;
    let mut text = format!("\nAt {who}, for {}: {}\n", shown(zone), panel.menu_for(zone));
    let (suggested, needed): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.is_suggestion());
    if !needed.is_empty() {
        text += "\n  Needed, every one of them:\n\n";
        needed.iter().for_each(|entry| text += &fields(entry, panel));
        let (texts, names): (Vec<&Entry>, Vec<&Entry>) =
            needed.iter().partition(|entry| matches!(entry.content, Content::Txt(_)));
        let of_which = if texts.is_empty() { "" } else { " of the CNAME and MX records" };
        if !names.is_empty() {
            let _ = writeln!(text, "  Type the value{of_which} {}.", panel.dot_hint());
        }
        if needed.iter().any(|entry| matches!(&entry.content, Content::Txt(text) if strings(text).len() > 1)) {
            text += "  Type a long value in one piece; if the panel takes no more than 255 characters, in several parts, each in\n  \
                     quotation marks.\n";
        }
        if needed.iter().any(|entry| entry.kind == RecordKind::Mx) {
            let _ = writeln!(text, "  {INBOUND}");
        }
    }
    if !suggested.is_empty() {
        text += "\n  Suggested, where there is none yet:\n\n";
        suggested.iter().for_each(|entry| text += &fields(entry, panel));
        text += "  A domain may have one SPF record (v=spf1) only. Where it has one, put include:amazonses.com into it,\n  \
                 in front of its last word, and leave the others in.\n";
    }
    let mut minded: Vec<&str> = MINDED.iter().filter_map(|code| panel.gotcha(code)).collect();
    minded.dedup();
    for sentence in minded {
        let _ = writeln!(text, "\n  Mind: {sentence}");
    }
    if let Some(seconds) = panel.publish_seconds {
        let _ = writeln!(text, "\n  {}", usual_time(seconds));
    }
    text
}

/// Writes the fields of one record.
fn fields(entry: &Entry, panel: &'static Provider) -> String {
    let host_field = panel.host_field.as_deref().unwrap_or("Host");
    let (value_field, value) = match &entry.content {
        Content::Cname(target) => (panel.value_field.as_deref().unwrap_or("Value"), panel.value_for(target)),
        Content::Txt(text) => ("Value", text.clone()),
        Content::Mx { host, .. } => ("Value", panel.value_for(host)),
    };
    let priority = match &entry.content {
        Content::Mx { preference, .. } => Some(("Priority", preference.to_string())),
        Content::Cname(_) | Content::Txt(_) => None,
    };
    let width = ["Type", host_field, value_field, priority.as_ref().map_or("", |(field, _)| *field)]
        .iter()
        .map(|field| field.chars().count())
        .max()
        .unwrap_or(0);
    let host = panel.host_field_for(&entry.name, &entry.place.zone);
    let kind = entry.content.record_type().to_string();
    let rows = [("Type", kind), (host_field, quoted(&host))].into_iter().chain(priority).chain([(value_field, value)]);
    let mut text: String = rows.map(|(field, value)| format!("    {field:width$}  {value}\n")).collect();
    text.push('\n');
    text
}
