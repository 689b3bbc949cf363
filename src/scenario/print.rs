//! A scenario as text that reads back to the same scenario.

use std::fmt;
use std::net::IpAddr;

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::Record;
use crate::scenario::Scenario;
use crate::scenario::zone::DEFAULT_TTL_SECONDS;

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.title.lines() {
            writeln!(f, "{}", format!("; {line}").trim_end())?;
        }
        if !self.title.is_empty() {
            writeln!(f)?;
        }
        if !self.roots.is_empty() {
            writeln!(f, "root{}", address_list(&self.roots))?;
        }
        for served in &self.zones {
            let origin = served.zone.origin();
            writeln!(f, "zone {} at{}", name_text(origin), address_list(&served.addresses))?;
            for record in served.zone.records() {
                writeln!(f, "  {}", record_text(&record, origin))?;
            }
        }
        for server in &self.servers {
            writeln!(f, "server{}", address_list(&server.addresses))?;
            server.rules.iter().try_for_each(|rule| rule.fmt(f))?;
        }
        for task in &self.tasks {
            write!(f, "{task}")?;
        }
        Ok(())
    }
}

/// Writes addresses, each with a blank in front.
fn address_list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(|address| format!(" {address}")).collect()
}

/// Writes a name so that it is one word, and no comment.
pub(crate) fn name_text(name: &Name) -> String {
    escape_hashes(&name.to_string())
}

/// Writes record data so that it reads back, a TXT record without strings and a name that starts with `#` too.
pub(crate) fn data_text(rdata: &Rdata) -> String {
    match rdata {
        Rdata::Txt(strings) if strings.is_empty() => r"\# 0".to_owned(),
        Rdata::Txt(_) => rdata.to_string(),
        other => escape_hashes(&other.to_string()),
    }
}

/// Writes a record with its owner relative to `origin`, where the root stands for none, and without the default TTL.
pub(crate) fn record_text(record: &Record, origin: &Name) -> String {
    let owner = match record.owner.relative_to(origin) {
        _ if origin.is_root() => record.owner.to_string(),
        Some(front) if front.is_empty() => "@".to_owned(),
        Some(front) => front,
        None => record.owner.to_string(),
    };
    let ttl = record.ttl.seconds();
    let ttl = if ttl == DEFAULT_TTL_SECONDS { String::new() } else { format!("{ttl} ") };
    format!("{} {ttl}{} {}", escape_hashes(&owner), record.kind(), data_text(&record.rdata))
}

/// Puts a backslash before each `#` that starts a word, where it would start a comment.
pub(crate) fn escape_hashes(text: &str) -> String {
    let text = text.replace(" #", r" \#");
    if text.starts_with('#') { format!(r"\{text}") } else { text }
}

/// Writes any text as one word, in quotes where it needs them.
pub(crate) fn quoted_text(text: &str) -> String {
    let is_plain = |octet: u8| octet.is_ascii_graphic() && !matches!(octet, b'"' | b'\\' | b';' | b'#');
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_ascii_control() => quoted.push_str(&format!("\\{:03}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
