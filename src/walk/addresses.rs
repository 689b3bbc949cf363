//! The addresses of name servers that no referral gave.
//!
//! They are looked up by walks of their own, a few at once, and shared by all checks. What is known of a server, or why
//! nothing is, stays in the cache.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use futures::stream::{self, StreamExt};

use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType, Ttl};
use crate::evidence::{ChainEnd, Unresolved};
use crate::transport::waiting::wait;
use crate::walk::machine::{Until, Walk};
use crate::walk::{Detail, Found, Journey, Walker};

/// How many server names are looked up in one walk, by how deep it lies in other walks (SECURITY.md A2).
/// At the top the check's own budget counts.
const LOOKUPS_BY_DEPTH: &[usize] = &[usize::MAX, 4, 1];
/// How many server names are looked up at once.
const LOOKUPS_AT_ONCE: usize = 5;
/// After how many names without address the rest is left (SECURITY.md A2).
const MAX_UNRESOLVED: usize = 5;

impl Walker {
    /// Looks up one address of each server by its name; those without one are left out.
    pub async fn addresses_of(&self, names: Vec<Name>, journey: Journey<'_>) -> Vec<(Name, IpAddr)> {
        let found = self.resolve_all(names, journey).await;
        let first = |(name, addresses): (Name, Result<Vec<IpAddr>, Unresolved>)| {
            // IPv4 sorts first; many hosts have no route for IPv6.
            Some((name, addresses.ok()?.into_iter().min()?))
        };
        found.into_iter().filter_map(first).collect()
    }

    /// Looks up the addresses that the machine wants: all of them where every server is to be asked, else
    /// one name after the other until there is somebody to ask.
    pub(super) async fn resolve_into(&self, walk: &mut Walk, names: Vec<Name>, until: Until, journey: Journey<'_>) {
        let allowed = LOOKUPS_BY_DEPTH.get(journey.stack.len()).copied().unwrap_or(0);
        let (now, never) = names.split_at(allowed.min(names.len()));
        if until == Until::Zone {
            for (name, addresses) in self.resolve_all(now.to_vec(), journey).await {
                walk.handle_addresses(&name, addresses);
            }
        } else {
            for name in now {
                let addresses = self.resolve(name.clone(), journey).await;
                let is_enough = addresses.is_ok();
                walk.handle_addresses(name, addresses);
                if is_enough {
                    return;
                }
            }
        }
        for name in never {
            let is_loop = journey.stack.contains(name);
            walk.handle_addresses(name, Err(if is_loop { Unresolved::Loop } else { Unresolved::Limit }));
        }
    }

    /// Looks up several servers, a few at once; stops where too many have no address.
    pub(super) async fn resolve_all(
        &self,
        names: Vec<Name>,
        journey: Journey<'_>,
    ) -> Vec<(Name, Result<Vec<IpAddr>, Unresolved>)> {
        let mut found: Vec<(Name, Result<Vec<IpAddr>, Unresolved>)> = Vec::with_capacity(names.len());
        for some in names.chunks(LOOKUPS_AT_ONCE) {
            let unresolved = found.iter().filter(|(_, addresses)| addresses.is_err()).count();
            if unresolved >= MAX_UNRESOLVED {
                found.extend(some.iter().map(|name| (name.clone(), Err(Unresolved::Limit))));
                continue;
            }
            // Most servers are those of a provider, and known.
            let known: Option<Vec<_>> = some.iter().map(|name| self.known_addresses(name, journey)).collect();
            let addresses = match known {
                Some(known) => known,
                None => join_all(some.iter().map(|name| self.resolve(name.clone(), journey))).await,
            };
            found.extend(some.iter().cloned().zip(addresses));
        }
        found
    }

    /// Returns what is known of a server's addresses without asking: that they are wanted to find themselves, too.
    fn known_addresses(&self, host: &Name, journey: Journey<'_>) -> Option<Result<Vec<IpAddr>, Unresolved>> {
        if journey.stack.contains(host) { Some(Err(Unresolved::Loop)) } else { self.cache.addresses(host) }
    }

    /// Looks up one server's addresses.
    ///
    /// Whoever holds a place in a flight never waits for another one (only walks at the top do), so
    /// that servers which need each other cannot make checks wait for each other.
    fn resolve<'a>(&'a self, host: Name, journey: Journey<'a>) -> BoxFuture<'a, Result<Vec<IpAddr>, Unresolved>> {
        async move {
            if let Some(known) = self.known_addresses(&host, journey) {
                return known;
            }
            let is_top = journey.stack.is_empty();
            let _flight = if is_top { Some(wait(journey.budget, self.cache.enter_lookup(&host)).await) } else { None };
            if let Some(known) = self.cache.addresses(&host) {
                return known;
            }
            if journey.stack.len() >= LOOKUPS_BY_DEPTH.len() || !journey.budget.spend_address_lookup() {
                return Err(Unresolved::Limit);
            }
            let purse = if is_top { journey.budget.for_walk() } else { Arc::clone(journey.budget) };
            let stack: Vec<Name> = journey.stack.iter().cloned().chain([host.clone()]).collect();
            let below = Journey {
                budget: &purse,
                max_age: Duration::MAX,
                detail: Detail::Meaning,
                avoid: None,
                stack: &stack,
                ..journey
            };
            let (addresses, ttl) = self.look_up_addresses(&host, below).await;
            // What fails inside another walk may fail because of that walk alone, and a limit of ours is no fact.
            if addresses.is_ok() || (is_top && addresses != Err(Unresolved::Limit)) {
                self.cache.keep_addresses(&host, addresses.clone(), ttl);
            }
            addresses
        }
        .boxed()
    }

    /// Asks for A and, where wanted, AAAA of one server.
    async fn look_up_addresses(&self, host: &Name, journey: Journey<'_>) -> (Result<Vec<IpAddr>, Unresolved>, Ttl) {
        let mut addresses = Vec::new();
        let mut ttl = None::<Ttl>;
        let mut reason = Unresolved::NoAddress;
        let kinds: &[RecordType] = if self.with_ipv6 { &[RecordType::A, RecordType::AAAA] } else { &[RecordType::A] };
        let ask = |kind: &RecordType, until| self.walk(Question::new(host.clone(), *kind), until, journey);
        // Both take the same way, so that it is walked once, and then both are asked at once.
        let mut answered = None;
        if self.with_ipv6 {
            answered = Some(ask(&RecordType::A, Until::Way).await).filter(|found| !is_on_the_way(found));
        }
        let at_once = if answered.is_some() { 1 } else { kinds.len() };
        let left = kinds.iter().skip(usize::from(answered.is_some())).map(|kind| ask(kind, Until::Answer));
        let left = stream::iter(left.collect::<Vec<_>>()).buffered(at_once);
        let mut walks = stream::iter(answered).chain(left);
        while let Some(found) = walks.next().await {
            match found.seen.last().and_then(|(_, seen)| seen.response()) {
                Some(Response::Answer(answer)) => {
                    ttl = Some(ttl.map_or(answer.rrset.ttl, |lowest| lowest.min(answer.rrset.ttl)));
                    addresses.extend(answer.rrset.data().iter().filter_map(address_of));
                }
                Some(Response::NoData(_)) => {}
                Some(Response::NxDomain(_)) => return (Err(Unresolved::NxDomain), Ttl::default()),
                Some(Response::Alias(_)) => return (Err(Unresolved::Alias), Ttl::default()),
                _ => {
                    reason = match found.end {
                        ChainEnd::Loop => Unresolved::Loop,
                        ChainEnd::Limit => Unresolved::Limit,
                        ChainEnd::Reached | ChainEnd::Unanswered | ChainEnd::Unresolvable => Unresolved::Unanswered,
                    };
                    break;
                }
            }
        }
        if addresses.is_empty() { (Err(reason), Ttl::default()) } else { (Ok(addresses), ttl.unwrap_or_default()) }
    }
}

/// Says whether a walk ended before its question was answered, at servers that can be asked.
fn is_on_the_way(found: &Found) -> bool {
    let last = found.seen.last().and_then(|(_, seen)| seen.response());
    found.end == ChainEnd::Reached && matches!(last, None | Some(Response::Referral(_)))
}

/// Returns the address that a record holds.
fn address_of(rdata: &Rdata) -> Option<IpAddr> {
    match rdata {
        Rdata::A(address) => Some(IpAddr::V4(*address)),
        Rdata::Aaaa(address) => Some(IpAddr::V6(*address)),
        _ => None,
    }
}
