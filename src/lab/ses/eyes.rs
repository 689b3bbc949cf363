//! How this SES looks at the DNS: as a resolver does, from the root down, and with one answer for one question.
//!
//! Unlike a check it does not ask every server, and it does not say which one differed.

use crate::check::Checker;
use crate::dns::name::Name;
use crate::dns::rdata::{Rdata, Soa};
use crate::dns::response::Response;
use crate::dns::rrset::{Question, Rcode, Record, RecordType};
use crate::lab::ses::identity::{SeenSoa, Sighting};
use crate::lab::ses::own_key::OwnKey;
use crate::lab::ses::track::Seen;
use crate::lab::ses::words::VerificationError;
use crate::records::dkim::{self, Key};
use crate::records::txt;
use crate::walk::lookup::{Lookup, LookupFailure};

/// What is looked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    /// A CNAME from each of these names to the name beside it.
    Aliases(Vec<(Name, Name)>),
    /// A key record with this key, or with any RSA key.
    Key {
        /// Where it stands.
        name: Name,
        /// The key.
        key: Option<OwnKey>,
    },
    /// Nothing: there is no use in looking.
    Hopeless(VerificationError),
}

/// What one look is to find out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Errand {
    /// The domain.
    pub(super) domain: Name,
    /// The DKIM records.
    pub(super) dkim: Wanted,
    /// The MAIL FROM name, and the one host that takes its bounces.
    pub(super) mail_from: Option<(Name, Name)>,
}

/// Looks at the DNS.
#[derive(Clone)]
pub(super) struct Eyes {
    /// Asks.
    checker: Checker,
}

impl Eyes {
    /// Looks through this checker's lookups.
    pub(super) fn new(checker: Checker) -> Self {
        Self { checker }
    }

    /// Looks once.
    pub(super) async fn look(&self, errand: &Errand) -> Sighting {
        let (dkim, mail_from, soa) = futures::join!(
            self.see_dkim(&errand.dkim),
            async {
                match &errand.mail_from {
                    Some((name, host)) => Some(self.see_exchange(name, host).await),
                    None => None,
                }
            },
            self.see_soa(&errand.domain)
        );
        Sighting { dkim, mail_from, soa }
    }

    /// Looks for the DKIM records; the first thing that is wrong is what is told.
    async fn see_dkim(&self, wanted: &Wanted) -> Seen {
        match wanted {
            Wanted::Hopeless(error) => Seen::Refused(*error),
            Wanted::Aliases(aliases) => {
                let looks = aliases.iter().map(|(name, target)| self.see_alias(name, target));
                let seen = futures::future::join_all(looks).await;
                seen.into_iter().find(|seen| *seen != Seen::Right).unwrap_or(Seen::Right)
            }
            Wanted::Key { name, key } => {
                let lookup = self.ask(name, RecordType::TXT).await;
                judge(&lookup, |records| {
                    let texts = records.iter().filter_map(|record| match &record.rdata {
                        Rdata::Txt(strings) => Some(txt::join(strings)),
                        _ => None,
                    });
                    let keys: Vec<Key> = texts.filter_map(|text| dkim::parse(&text).ok()).map(|key| key.key).collect();
                    let is_right = |found: &Key| match (found, key) {
                        (Key::Rsa { der, .. }, Some(key)) => key.is(der),
                        (Key::Rsa { .. }, None) => true,
                        (Key::Revoked | Key::Ed25519(_), _) => false,
                    };
                    found(records, RecordType::TXT, keys.iter().any(is_right))
                })
            }
        }
    }

    /// Looks for one CNAME.
    async fn see_alias(&self, name: &Name, target: &Name) -> Seen {
        let lookup = self.ask(name, RecordType::CNAME).await;
        judge(&lookup, |records| {
            let own: Vec<&Record> = records.iter().filter(|record| record.owner == *name).collect();
            let is_right = matches!(own.as_slice(), [Record { rdata: Rdata::Cname(found), .. }] if found == target);
            found(records, RecordType::CNAME, is_right)
        })
    }

    /// Looks for the one MX record of a MAIL FROM name.
    async fn see_exchange(&self, name: &Name, host: &Name) -> Seen {
        let lookup = self.ask(name, RecordType::MX).await;
        judge(&lookup, |records| {
            let is_right = matches!(records, [Record { rdata: Rdata::Mx { exchange, .. }, .. }] if exchange == host);
            found(records, RecordType::MX, is_right)
        })
    }

    /// Looks for the SOA record of the zone that a domain lies in.
    async fn see_soa(&self, domain: &Name) -> Option<SeenSoa> {
        let lookup = self.ask(domain, RecordType::SOA).await;
        let told = lookup.answers.iter().find_map(|record| match &record.rdata {
            Rdata::Soa(soa) => Some(soa),
            _ => None,
        });
        let asked = lookup.trace.iter().rev().find(|(question, _)| question.kind == RecordType::SOA);
        let last = asked.and_then(|(_, observation)| observation.response());
        let beside = match last {
            Some(Response::NoData(negative) | Response::NxDomain(negative)) => negative.soa.as_ref(),
            _ => None,
        };
        told.or(beside.map(|(_, soa, _)| soa)).map(seen_soa)
    }

    /// Asks one question.
    async fn ask(&self, name: &Name, kind: RecordType) -> Lookup {
        self.checker.lookup(&Question::new(name.clone(), kind)).await
    }
}

/// Says what a lookup comes to; where it has an answer, `read` does.
fn judge(lookup: &Lookup, read: impl FnOnce(&[Record]) -> Seen) -> Seen {
    match (lookup.failure, lookup.rcode) {
        (Some(LookupFailure::BudgetExceeded), _) => Seen::Wrong(VerificationError::ServiceError),
        (Some(_), _) => Seen::Wrong(VerificationError::DnsServerError),
        (None, Rcode::NXDOMAIN) => Seen::Wrong(VerificationError::HostNotFound),
        (None, Rcode::NOERROR) => read(&lookup.answers),
        (None, _) => Seen::Wrong(VerificationError::DnsServerError),
    }
}

/// Says what records come to that are right, or not, or of other types only.
fn found(records: &[Record], kind: RecordType, is_right: bool) -> Seen {
    if is_right {
        Seen::Right
    } else if records.iter().any(|record| record.kind() == kind) {
        Seen::Wrong(VerificationError::InvalidValue)
    } else {
        Seen::Wrong(VerificationError::TypeNotFound)
    }
}

/// Returns what is told of an SOA record.
fn seen_soa(soa: &Soa) -> SeenSoa {
    SeenSoa { primary: soa.mname.to_string(), admin: soa.rname.to_string(), serial: soa.serial }
}
