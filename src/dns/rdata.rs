//! The data of a record: the types that the judgement reads, and any other as octets.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::dns::name::Name;
use crate::dns::rrset::{RecordType, Ttl};

/// The data of one record.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Rdata {
    /// An IPv4 address (RFC 1035 §3.4.1).
    A(Ipv4Addr),
    /// An IPv6 address (RFC 3596 §2.2).
    Aaaa(Ipv6Addr),
    /// The name of an authoritative server (RFC 1035 §3.3.11).
    Ns(Name),
    /// The canonical name of an alias (RFC 1035 §3.3.1).
    Cname(Name),
    /// The target of a redirected subtree (RFC 6672 §2.1).
    Dname(Name),
    /// The name that an address points back to (RFC 1035 §3.3.12).
    Ptr(Name),
    /// The start of a zone of authority (RFC 1035 §3.3.13).
    Soa(Soa),
    /// A mail exchange (RFC 1035 §3.3.9).
    Mx {
        /// The preference; lower comes first.
        preference: u16,
        /// The name of the host.
        exchange: Name,
    },
    /// Character-strings, as they were cut (RFC 1035 §3.3.14).
    Txt(Vec<Box<[u8]>>),
    /// Any other type, by its octets (RFC 3597).
    Other {
        /// The type.
        kind: RecordType,
        /// The octets, as they came.
        octets: Box<[u8]>,
    },
}

/// The data of an SOA record (RFC 1035 §3.3.13); times are in seconds.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Soa {
    /// The primary server.
    pub mname: Name,
    /// The mailbox of the person in charge.
    pub rname: Name,
    /// The version of the zone.
    pub serial: u32,
    /// How often secondaries look for a new version.
    pub refresh: u32,
    /// How soon they look again after a failure.
    pub retry: u32,
    /// How long they serve without hearing from the primary.
    pub expire: u32,
    /// The time to live of negative answers (RFC 2308 §4).
    pub minimum: Ttl,
}

/// Says whether one serial of a zone is older than another: they go round (RFC 1982 §3.2).
///
/// Half the circle away neither is older.
#[must_use]
pub fn is_older_serial(one: u32, other: u32) -> bool {
    let ahead = other.wrapping_sub(one);
    ahead != 0 && ahead < 1 << 31
}

impl Rdata {
    /// Returns the type that the data belongs to.
    #[must_use]
    pub fn kind(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::AAAA,
            Self::Ns(_) => RecordType::NS,
            Self::Cname(_) => RecordType::CNAME,
            Self::Dname(_) => RecordType::DNAME,
            Self::Ptr(_) => RecordType::PTR,
            Self::Soa(_) => RecordType::SOA,
            Self::Mx { .. } => RecordType::MX,
            Self::Txt(_) => RecordType::TXT,
            Self::Other { kind, .. } => *kind,
        }
    }
}

impl Rdata {
    /// Returns how many octets of the heap the data holds, roughly: those of names and texts.
    #[must_use]
    pub fn octet_count(&self) -> usize {
        match self {
            Self::A(_) | Self::Aaaa(_) => 0,
            Self::Ns(name) | Self::Cname(name) | Self::Dname(name) | Self::Ptr(name) => name.wire().len(),
            Self::Soa(soa) => soa.mname.wire().len() + soa.rname.wire().len(),
            Self::Mx { exchange, .. } => exchange.wire().len(),
            Self::Txt(strings) => strings.iter().map(|string| string.len()).sum(),
            Self::Other { octets, .. } => octets.len(),
        }
    }
}

impl fmt::Display for Rdata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(address) => address.fmt(f),
            Self::Aaaa(address) => address.fmt(f),
            Self::Ns(name) | Self::Cname(name) | Self::Dname(name) | Self::Ptr(name) => name.fmt(f),
            Self::Soa(soa) => write!(
                f,
                "{} {} {} {} {} {} {}",
                soa.mname,
                soa.rname,
                soa.serial,
                soa.refresh,
                soa.retry,
                soa.expire,
                soa.minimum.seconds()
            ),
            Self::Mx { preference, exchange } => write!(f, "{preference} {exchange}"),
            Self::Txt(strings) => {
                for (index, string) in strings.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" ")?;
                    }
                    write_character_string(f, string)?;
                }
                Ok(())
            }
            Self::Other { octets, .. } => {
                write!(f, "\\# {}", octets.len())?;
                if !octets.is_empty() {
                    f.write_str(" ")?;
                }
                octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

/// Writes one character-string in quotes; what does not print becomes `\DDD` (RFC 1035 §5.1).
fn write_character_string(f: &mut fmt::Formatter<'_>, string: &[u8]) -> fmt::Result {
    f.write_str("\"")?;
    let is_plain = |octet: &u8| matches!(octet, 0x20..=0x7e) && !matches!(octet, b'"' | b'\\');
    for part in string.split_inclusive(|octet| !is_plain(octet)) {
        let (plain, other) = match part.split_last() {
            Some((last, front)) if !is_plain(last) => (front, Some(*last)),
            _ => (part, None),
        };
        // What is plain is ASCII.
        f.write_str(str::from_utf8(plain).unwrap_or_default())?;
        match other {
            Some(quoted @ (b'"' | b'\\')) => write!(f, "\\{}", char::from(quoted))?,
            Some(other) => write!(f, "\\{other:03}")?,
            None => {}
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_prints_as_escapes_only() {
        let txt = Rdata::Txt(vec![Box::from(b"a\"b\\c\x1b]0;x\x07".as_slice()), Box::from(b"".as_slice())]);
        assert_eq!(txt.to_string(), r#""a\"b\\c\027]0;x\007" """#);
    }

    #[test]
    fn unknown_types_print_as_octets() {
        let other = |octets: &[u8]| Rdata::Other { kind: RecordType(4711), octets: octets.into() };
        assert_eq!(other(&[1, 0xab]).to_string(), r"\# 2 01ab");
        assert_eq!(other(&[]).to_string(), r"\# 0");
    }

    #[test]
    fn serials_go_round() {
        for (one, other, is_older) in [
            (1, 2, true),
            (2, 1, false),
            (7, 7, false),
            (u32::MAX, 0, true),
            (0, u32::MAX, false),
            (0, (1 << 31) - 1, true),
            (0, 1 << 31, false),
            (1 << 31, 0, false),
        ] {
            assert_eq!(is_older_serial(one, other), is_older, "{one} {other}");
        }
    }
}
