//! Questions, record types, response codes, records and RRsets.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;

/// A record type by its number (RFC 1035 §3.2.2, RFC 3597 for those without a name here).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RecordType(pub u16);

/// Declares the record types that have a name here.
macro_rules! record_types {
    ($($name:ident = $number:literal),* $(,)?) => {
        impl RecordType {
            $(#[doc = concat!("The type ", stringify!($name), ".")] pub const $name: Self = Self($number);)*

            /// Returns the mnemonic, where the type has one here.
            fn mnemonic(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// Finds the type of a mnemonic in upper case.
            fn from_mnemonic(text: &str) -> Option<Self> {
                match text {
                    $(stringify!($name) => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

record_types! {
    A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16, AAAA = 28, SRV = 33, DNAME = 39, OPT = 41, DS = 43,
    RRSIG = 46, NSEC = 47, DNSKEY = 48, NSEC3 = 50, TLSA = 52, CDS = 59, HTTPS = 65, SPF = 99, ANY = 255, CAA = 257,
}

impl RecordType {
    /// Returns the mnemonic, or `TYPE` and the number (RFC 3597 §5).
    #[must_use]
    pub fn text(self) -> Cow<'static, str> {
        self.mnemonic().map_or_else(|| Cow::Owned(self.to_string()), Cow::Borrowed)
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mnemonic() {
            Some(text) => f.pad(text),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

/// A text that names no record type.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no record type; expected one such as CNAME, TXT or TYPE65")]
pub struct UnknownRecordType(String);

impl FromStr for RecordType {
    type Err = UnknownRecordType;

    fn from_str(text: &str) -> Result<Self, UnknownRecordType> {
        let upper = text.to_ascii_uppercase();
        Self::from_mnemonic(&upper)
            .or_else(|| upper.strip_prefix("TYPE").and_then(|number| number.parse().ok()).map(Self))
            .ok_or_else(|| UnknownRecordType(text.to_owned()))
    }
}

/// A response code, the extended bits of EDNS included (RFC 1035 §4.1.1, RFC 6891 §6.1.3).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Rcode(pub u16);

/// Declares the response codes that have a name here.
macro_rules! rcodes {
    ($($name:ident = $number:literal),* $(,)?) => {
        impl Rcode {
            $(#[doc = concat!("The response code ", stringify!($name), ".")] pub const $name: Self = Self($number);)*

            /// All response codes that have a name here.
            const NAMED: &[(Self, &'static str)] = &[$((Self::$name, stringify!($name))),*];
        }
    };
}

rcodes! {
    NOERROR = 0, FORMERR = 1, SERVFAIL = 2, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5, YXDOMAIN = 6, NOTAUTH = 9, BADVERS = 16, BADCOOKIE = 23,
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMED.iter().find(|(code, _)| code == self) {
            Some((_, text)) => f.pad(text),
            None => write!(f, "RCODE{}", self.0),
        }
    }
}

impl FromStr for Rcode {
    type Err = UnknownRcode;

    fn from_str(text: &str) -> Result<Self, UnknownRcode> {
        let upper = text.to_ascii_uppercase();
        let named = Self::NAMED.iter().find(|(_, name)| *name == upper).map(|(code, _)| *code);
        named
            .or_else(|| upper.strip_prefix("RCODE").and_then(|number| number.parse().ok()).map(Self))
            .ok_or_else(|| UnknownRcode(text.to_owned()))
    }
}

/// A text that names no response code.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no response code; expected one such as REFUSED or RCODE5")]
pub struct UnknownRcode(String);

/// A time to live in seconds; what has the top bit set counts as zero (RFC 2181 §8).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ttl(u32);

impl Ttl {
    /// Takes a number as it stands on the wire.
    #[must_use]
    pub fn from_wire(seconds: u32) -> Self {
        Self(if seconds > i32::MAX.unsigned_abs() { 0 } else { seconds })
    }

    /// Returns the seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0
    }
}

/// What one query asks: a name and a type, class IN.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Question {
    /// The name asked for.
    pub name: Name,
    /// The type asked for.
    pub kind: RecordType,
}

impl Question {
    /// Puts a name and a type together.
    #[must_use]
    pub fn new(name: Name, kind: RecordType) -> Self {
        Self { name, kind }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)
    }
}

/// One resource record of class IN.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Record {
    /// The owner name.
    pub owner: Name,
    /// The time to live.
    pub ttl: Ttl,
    /// The data, which also tells the type.
    pub rdata: Rdata,
}

impl Record {
    /// Returns the type of the record.
    #[must_use]
    pub fn kind(&self) -> RecordType {
        self.rdata.kind()
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.owner, self.ttl.seconds(), self.kind(), self.rdata)
    }
}

/// All records of one owner and type.
///
/// The data is sorted and holds no duplicates, so equality ignores the order; it ignores the TTL
/// too (RFC 2181 §5).
#[derive(Clone, Debug)]
pub struct RRset {
    /// The owner name.
    pub owner: Name,
    /// The type of all records.
    pub kind: RecordType,
    /// The lowest time to live among the records.
    pub ttl: Ttl,
    /// The data of the records, sorted, without duplicates, never empty.
    data: Vec<Rdata>,
}

impl RRset {
    /// Collects the records of `records` that belong to `owner` and `kind`; `None` where none does.
    #[must_use]
    pub fn collect<'a>(owner: &Name, kind: RecordType, records: impl IntoIterator<Item = &'a Record>) -> Option<Self> {
        let mut ttl = None::<Ttl>;
        let mut data = Vec::new();
        for record in records {
            if record.kind() == kind && record.owner == *owner {
                ttl = Some(ttl.map_or(record.ttl, |lowest| lowest.min(record.ttl)));
                data.push(record.rdata.clone());
            }
        }
        data.sort();
        data.dedup();
        Some(Self { owner: owner.clone(), kind, ttl: ttl?, data })
    }

    /// Returns the data of the records, sorted and without duplicates.
    #[must_use]
    pub fn data(&self) -> &[Rdata] {
        &self.data
    }
}

impl PartialEq for RRset {
    fn eq(&self, other: &Self) -> bool {
        self.owner == other.owner && self.kind == other.kind && self.data == other.data
    }
}

impl Eq for RRset {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_codes_round_trip() {
        for text in ["CNAME", "TXT", "AAAA", "TYPE1234"] {
            assert_eq!(text.parse::<RecordType>().unwrap().to_string(), text);
        }
        assert_eq!("cname".parse(), Ok(RecordType::CNAME));
        assert_eq!("TYPE5".parse(), Ok(RecordType::CNAME));
        assert!("CNAMES".parse::<RecordType>().is_err());
        for text in ["REFUSED", "NXDOMAIN", "RCODE42"] {
            assert_eq!(text.parse::<Rcode>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_ttl_with_the_top_bit_is_zero() {
        assert_eq!(Ttl::from_wire(0x8000_0000).seconds(), 0);
        assert_eq!(Ttl::from_wire(0x7fff_ffff).seconds(), 0x7fff_ffff);
    }

    #[test]
    fn rrset_equality_ignores_order_ttl_and_duplicates() {
        let owner = Name::parse("example.").unwrap();
        let record = |last: u8, ttl| Record {
            owner: owner.clone(),
            ttl: Ttl::from_wire(ttl),
            rdata: Rdata::A([192, 0, 2, last].into()),
        };
        let one = RRset::collect(&owner, RecordType::A, &[record(1, 60), record(2, 300)]);
        let other = RRset::collect(&owner, RecordType::A, &[record(2, 5), record(1, 9), record(2, 7)]);
        assert_eq!(one, other);
        assert_eq!(one.unwrap().ttl.seconds(), 60);
        assert_ne!(other, RRset::collect(&owner, RecordType::A, &[record(1, 60)]));
        assert_eq!(RRset::collect(&owner, RecordType::MX, &[record(1, 60)]), None);
    }
}
