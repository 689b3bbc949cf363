//! What one server address said to one question.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::dns::message::Section;
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Rcode, Record};

/// How a query travels.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Protocol {
    /// One datagram each way (RFC 1035 §4.2.1).
    Udp,
    /// A stream with lengths in front (RFC 7766).
    Tcp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

/// Why there is no reply that can be read.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Silence {
    /// Nothing came in time.
    Timeout,
    /// The host refused the connection or closed it without a word, or said that nobody listens.
    Refused,
    /// What came is no message, or cut where it may not be.
    Malformed,
    /// What came does not match the question: a forger, or a server that mixes replies up.
    Mismatched,
    /// There is no route for this address family here.
    NoRoute,
    /// The address is of a kind that is never asked.
    Forbidden,
    /// A limit of ours kept the question back.
    Limit,
}

/// A reply as it was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// What it says.
    pub response: Response,
    /// The response code.
    pub rcode: Rcode,
    /// Whether the server claimed authority.
    pub is_authoritative: bool,
    /// What it stated without being entitled to.
    pub dropped: Vec<(Section, Record)>,
    /// The signatures that came with an answer.
    pub signatures: Vec<Rdata>,
}

/// A reply or the lack of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The server replied; those who said the same in the same octets share one.
    Replied(Arc<Reply>),
    /// It did not, or not so that it can be read.
    Silent(Silence),
}

/// What one server address said to one question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observation {
    /// The zone that the server was asked as an authority for.
    pub zone: Name,
    /// The server's name.
    pub server: Name,
    /// The address that was asked.
    pub address: IpAddr,
    /// What came back.
    pub outcome: Outcome,
    /// How long it took.
    pub rtt: Duration,
    /// How the last try travelled.
    pub protocol: Protocol,
    /// What the server showed itself unable to do on the way.
    pub flaws: Flaws,
}

/// What a server showed itself unable to do, whatever it replied in the end.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flaws {
    /// It refused a question with EDNS and answered the same without (RFC 6891 §7).
    pub takes_no_edns: bool,
    /// It cut a reply over UDP and gave none over TCP (RFC 7766 §5).
    pub lacks_tcp: bool,
    /// It repeated a question over UDP in other letters than it was asked in, and answered the same over TCP (0x20).
    pub loses_case: bool,
}

impl Observation {
    /// Returns what the server said, where it said something.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        match &self.outcome {
            Outcome::Replied(reply) => Some(&reply.response),
            Outcome::Silent(_) => None,
        }
    }

    /// Says whether the server said what another one said, or neither said anything; times to live do not count.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        match (&self.outcome, &other.outcome) {
            (Outcome::Replied(one), Outcome::Replied(other)) if Arc::ptr_eq(one, other) => true,
            _ => self.response() == other.response(),
        }
    }

    /// Says whether the address *answers*: a usable reply with AA=1 (answer, alias, NODATA, NXDOMAIN).
    #[must_use]
    pub fn is_answer(&self) -> bool {
        matches!(
            self.response(),
            Some(Response::Answer(_) | Response::Alias(_) | Response::NoData(_) | Response::NxDomain(_))
        )
    }

    /// Says whether the address counts: one of a family without a route here does not.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        !matches!(self.outcome, Outcome::Silent(Silence::NoRoute))
    }

    /// Returns the word for the outcome that reports use: `answer`, `alias`, `nodata`, `nxdomain`,
    /// `referral`, `lame`, `rcode:NAME`, `timeout`, `refused_connection`, `malformed` or `not_asked`.
    #[must_use]
    pub fn outcome_word(&self) -> Cow<'static, str> {
        Cow::Borrowed(match &self.outcome {
            Outcome::Replied(reply) => match &reply.response {
                Response::Answer(_) => "answer",
                Response::Alias(_) => "alias",
                Response::NoData(_) => "nodata",
                Response::NxDomain(_) => "nxdomain",
                Response::Referral(_) => "referral",
                Response::Lame(_) => "lame",
                Response::Failed(rcode) => return Cow::Owned(format!("rcode:{rcode}")),
            },
            Outcome::Silent(silence) => match silence {
                Silence::Timeout => "timeout",
                Silence::Refused => "refused_connection",
                Silence::Malformed | Silence::Mismatched => "malformed",
                Silence::NoRoute | Silence::Forbidden | Silence::Limit => "not_asked",
            },
        })
    }
}
