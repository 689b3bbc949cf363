//! Macros, with their values in (RFC 7208 §7).

use std::fmt::Write as _;
use std::net::IpAddr;

use super::pass::{Pass, Stop};
use crate::records::spf::{DomainSpec, Macro, MacroString, Piece};

/// The longest name in text form, in octets (RFC 7208 §7.3).
const MAX_DOMAIN_OCTETS: usize = 253;
/// The local part of senders that have none (RFC 7208 §4.3).
const POSTMASTER: &str = "postmaster";

impl Pass<'_> {
    /// Writes a domain-spec out: without a final dot, and cut from the left where it is too long for a name.
    pub(super) fn expand_domain(&mut self, target: &DomainSpec, domain: &str) -> Result<String, Stop> {
        let text = self.expand(target.text(), domain)?;
        let mut text = text.strip_suffix('.').unwrap_or(&text);
        while text.len() > MAX_DOMAIN_OCTETS {
            let Some((_, rest)) = text.split_once('.') else { break };
            text = rest;
        }
        Ok(text.to_owned())
    }

    /// Writes a text out.
    pub(super) fn expand(&mut self, text: &MacroString, domain: &str) -> Result<String, Stop> {
        let mut expanded = String::new();
        for piece in text.pieces() {
            match piece {
                Piece::Literal(literal) => expanded.push_str(literal),
                Piece::Percent => expanded.push('%'),
                Piece::Space => expanded.push(' '),
                Piece::EncodedSpace => expanded.push_str("%20"),
                Piece::Macro(one) => {
                    let value = transform(&self.value(one.letter, domain)?, one);
                    if one.is_url_escaped { escape(&value, &mut expanded) } else { expanded.push_str(&value) }
                }
            }
        }
        Ok(expanded)
    }

    /// Returns what a macro letter stands for.
    fn value(&mut self, letter: char, domain: &str) -> Result<String, Stop> {
        let message = self.message;
        let (local, sender_domain) = sender(&message.mail_from, &message.helo);
        Ok(match letter {
            's' => format!("{local}@{sender_domain}"),
            'l' => local.to_owned(),
            'o' => sender_domain.to_owned(),
            'd' => domain.to_owned(),
            'i' => dotted(self.address),
            'p' => self.pointer(domain)?,
            'v' => if self.address.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            'h' => message.helo.clone(),
            'c' => self.address.to_string(),
            'r' => message.receiver.clone(),
            't' => message.unix_seconds.to_string(),
            _ => String::new(),
        })
    }
}

/// Splits the sender into local part and domain; without one, it is the postmaster (RFC 7208 §2.4, §4.3).
fn sender<'m>(mail_from: &'m str, helo: &'m str) -> (&'m str, &'m str) {
    match mail_from.rsplit_once('@') {
        Some(("", domain)) => (POSTMASTER, domain),
        Some(both) => both,
        None if mail_from.is_empty() => (POSTMASTER, helo),
        None => (POSTMASTER, mail_from),
    }
}

/// Applies the transformers of a macro to its value.
fn transform(value: &str, one: &Macro) -> String {
    let is_delimiter = |character: char| match one.delimiters.as_str() {
        "" => character == '.',
        delimiters => delimiters.contains(character),
    };
    let mut parts: Vec<&str> = value.split(is_delimiter).collect();
    if one.is_reversed {
        parts.reverse();
    }
    let kept = one.kept_parts.and_then(|kept| usize::try_from(kept).ok()).unwrap_or(parts.len());
    parts.get(parts.len().saturating_sub(kept)..).unwrap_or_default().join(".")
}

/// Escapes all but the unreserved characters of RFC 3986 §2.3.
fn escape(value: &str, into: &mut String) {
    for octet in value.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            into.push(char::from(octet));
        } else {
            // Writing into a string always works.
            let _ = write!(into, "%{octet:02X}");
        }
    }
}

/// Writes an address in parts with dots between: numbers of IPv4, nibbles of IPv6 (RFC 7208 §7.3).
fn dotted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let digits = format!("{:032x}", address.to_bits());
            digits.split("").filter(|digit| !digit.is_empty()).collect::<Vec<_>>().join(".")
        }
    }
}

/// Returns the name where the names of an address stand (RFC 1035 §3.5, RFC 3596 §2.5).
pub(super) fn reverse_name(address: IpAddr) -> String {
    let dotted = dotted(address);
    let reversed: Vec<&str> = dotted.rsplit('.').collect();
    let root = if address.is_ipv4() { "in-addr.arpa" } else { "ip6.arpa" };
    format!("{}.{root}", reversed.join("."))
}
