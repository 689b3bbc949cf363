//! The terms of an SPF record: mechanisms with their qualifiers, and modifiers (RFC 7208 §4.6, 5, 6).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::macro_string::{DomainSpec, MacroString};

/// The length of an IPv4 address in bits, and the prefix meant where none is written.
pub(super) const IPV4_BITS: u8 = 32;
/// The length of an IPv6 address in bits, and the prefix meant where none is written.
pub(super) const IPV6_BITS: u8 = 128;

/// One term and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The octets of the record that the term takes.
    pub span: Range<usize>,
    /// What the term says.
    pub kind: TermKind,
}

/// What a term says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermKind {
    /// A mechanism, and the result where it matches.
    Directive(Qualifier, Mechanism),
    /// `redirect=`: where to go on when nothing matches (RFC 7208 §6.1).
    Redirect(DomainSpec),
    /// `exp=`: where the explanation of a fail stands (RFC 7208 §6.2).
    Explanation(DomainSpec),
    /// A modifier nobody knows, which receivers ignore.
    UnknownModifier {
        /// Its name as written.
        name: String,
        /// Its value.
        value: MacroString,
    },
}

/// The result of a mechanism that matches, from the mildest to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qualifier {
    /// `+`, or nothing.
    Pass,
    /// `?`.
    Neutral,
    /// `~`.
    SoftFail,
    /// `-`.
    Fail,
}

/// What a sender's address is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// Everything.
    All,
    /// Whatever passes the record of another domain.
    Include(DomainSpec),
    /// The addresses of a domain, by default the one asked about.
    A(Option<DomainSpec>, DualCidr),
    /// The addresses of the mail exchangers of a domain, by default the one asked about.
    Mx(Option<DomainSpec>, DualCidr),
    /// The names that the sender's address claims; not to be used (RFC 7208 §5.5).
    Ptr(Option<DomainSpec>),
    /// An IPv4 network: its address as written, and its prefix in bits.
    Ip4(Ipv4Addr, u8),
    /// An IPv6 network: its address as written, and its prefix in bits.
    Ip6(Ipv6Addr, u8),
    /// Whether a name, most often one with macros, has an address.
    Exists(DomainSpec),
}

/// The prefixes of `a` and `mx`, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DualCidr {
    /// For IPv4 addresses, 0 to 32.
    pub ipv4: u8,
    /// For IPv6 addresses, 0 to 128.
    pub ipv6: u8,
}

impl TermKind {
    /// Tells whether an evaluation that comes to the term asks the DNS for it (RFC 7208 §4.6.4).
    pub fn is_lookup(&self) -> bool {
        match self {
            Self::Directive(_, Mechanism::All | Mechanism::Ip4(..) | Mechanism::Ip6(..)) => false,
            Self::Directive(..) | Self::Redirect(_) => true,
            Self::Explanation(_) | Self::UnknownModifier { .. } => false,
        }
    }

    /// Tells whether the term is `all`.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::Directive(_, Mechanism::All))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl fmt::Display for TermKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(qualifier, mechanism) => write!(f, "{qualifier}{mechanism}"),
            Self::Redirect(domain) => write!(f, "redirect={domain}"),
            Self::Explanation(domain) => write!(f, "exp={domain}"),
            Self::UnknownModifier { name, value } => write!(f, "{name}={value}"),
        }
    }
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "",
            Self::Neutral => "?",
            Self::SoftFail => "~",
            Self::Fail => "-",
        })
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Include(domain) => write!(f, "include:{domain}"),
            Self::A(domain, cidr) => write!(f, "a{}{cidr}", Argument(domain)),
            Self::Mx(domain, cidr) => write!(f, "mx{}{cidr}", Argument(domain)),
            Self::Ptr(domain) => write!(f, "ptr{}", Argument(domain)),
            Self::Ip4(address, prefix) => write!(f, "ip4:{address}{}", Prefix(*prefix, IPV4_BITS)),
            Self::Ip6(address, prefix) => write!(f, "ip6:{address}{}", Prefix(*prefix, IPV6_BITS)),
            Self::Exists(domain) => write!(f, "exists:{domain}"),
        }
    }
}

impl fmt::Display for DualCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Prefix(self.ipv4, IPV4_BITS))?;
        if self.ipv6 == IPV6_BITS { Ok(()) } else { write!(f, "//{}", self.ipv6) }
    }
}

/// Writes a domain with its colon, where there is one.
struct Argument<'a>(&'a Option<DomainSpec>);

impl fmt::Display for Argument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|domain| write!(f, ":{domain}"))
    }
}

/// Writes a prefix with its slash, unless it is as long as the address.
struct Prefix(u8, u8);

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == self.1 { Ok(()) } else { write!(f, "/{}", self.0) }
    }
}
