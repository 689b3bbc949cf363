//! Asks a second server where the first one takes long.
//!
//! A server that does not answer costs a walk seconds, all its tries over, though any other could lead on. So after a
//! while another one is asked beside it, and who says something first counts. Who was overtaken is asked last for a
//! minute. What it would have said is not known then, and nothing is written down of it.

use std::net::IpAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::future::{Either, select};
use futures::poll;
use quick_cache::sync::Cache;
use tokio::time::{Instant, timeout};

use crate::dns::message::Message;
use crate::dns::name::Name;
use crate::evidence::Observation;

/// How long one server is waited for alone: what the first try of a question waits at least (SECURITY.md, limits).
const ALONE: Duration = Duration::from_millis(400);
/// How long who was overtaken is asked last: as long as a server counts as down (SECURITY.md, limits).
const ASKED_LAST: Duration = Duration::from_secs(60);
/// How many addresses are remembered.
const ADDRESSES_KEPT: usize = 4096;

/// What a server said, with the whole message where that is wanted.
pub(super) type Said = (Observation, Option<Message>);

/// The addresses that were overtaken of late.
pub(super) struct Slow(Cache<IpAddr, Instant>);

impl Default for Slow {
    fn default() -> Self {
        Self(Cache::new(ADDRESSES_KEPT))
    }
}

impl Slow {
    /// Says whether an address was overtaken of late.
    pub(super) fn is_slow(&self, address: IpAddr) -> bool {
        self.0.get(&address).is_some_and(|until| Instant::now() < until)
    }

    /// Has an address be asked last for a while.
    fn note(&self, address: IpAddr) {
        self.0.insert(address, Instant::now() + ASKED_LAST);
    }
}

/// Asks the first server and, where it takes long, the second one as well; `sends` counts what left. Returns what was said until one replied, in
/// order of time: one entry or two, the last of them the reply where there is one.
pub(super) async fn first_to_speak<F: Future<Output = Said>>(
    slow: &Slow,
    first: (Name, IpAddr),
    second: Option<(Name, IpAddr)>,
    sends: impl Fn() -> u32,
    ask: impl Fn((Name, IpAddr)) -> F,
) -> Vec<Said> {
    let addresses = [Some(first.1), second.as_ref().map(|second| second.1)];
    let before = sends();
    let mut one = pin!(ask(first));
    let Some(second) = second else { return vec![one.await] };
    if let Poll::Ready(said) = poll!(&mut one) {
        return vec![said];
    }
    // What waits for its turn is not the server's fault: the time runs from when the question left.
    let mut has_waited = false;
    while !has_waited {
        let has_left = sends() > before;
        match timeout(ALONE, &mut one).await {
            Ok(said) => return vec![said],
            Err(_) => has_waited = has_left,
        }
    }
    let is_reply = |said: &Said| said.0.response().is_some();
    let said = match select(one, pin!(ask(second))).await {
        Either::Left((said, _)) | Either::Right((said, _)) if is_reply(&said) => vec![said],
        Either::Left((silent, other)) => vec![silent, other.await],
        Either::Right((silent, one)) => vec![silent, one.await],
    };
    // Who spoke overtook the other one.
    if let Some((spoke, _)) = said.last().filter(|last| is_reply(last)) {
        addresses.into_iter().flatten().filter(|address| *address != spoke.address).for_each(|other| slow.note(other));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::response::Response;
    use crate::dns::rrset::Rcode;
    use crate::evidence::{Flaws, Outcome, Protocol, Reply, Silence};

    /// A server that replies, or falls silent, after so many milliseconds.
    async fn server(server: Name, address: IpAddr, after_ms: u64, replies: bool) -> Said {
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        let reply = Reply {
            response: Response::Failed(Rcode::SERVFAIL),
            rcode: Rcode::SERVFAIL,
            is_authoritative: false,
            dropped: Vec::new(),
            signatures: Vec::new(),
        };
        let outcome = if replies { Outcome::Replied(reply) } else { Outcome::Silent(Silence::Timeout) };
        let (rtt, protocol, flaws) = (Duration::from_millis(after_ms), Protocol::Udp, Flaws::default());
        (Observation { zone: Name::root(), server, address, outcome, rtt, protocol, flaws }, None)
    }

    /// Lets two servers race, and returns the last octets of who spoke, how long that took, and whether the first one is
    /// asked last from now on.
    async fn race(servers: [(u64, bool); 2], leaves_after_ms: u64) -> (Vec<u8>, u64, bool) {
        let address = |nth: u8| IpAddr::from([192, 0, 2, nth]);
        let (slow, started) = (Slow::default(), Instant::now());
        let ask = |(name, at)| {
            let (after_ms, replies) = servers[usize::from(at == address(1))];
            server(name, at, after_ms, replies)
        };
        // What waits for its turn leaves later; a question that leaves at once has left when it is first looked at.
        let leaves = started + Duration::from_millis(leaves_after_ms);
        let looks = std::cell::Cell::new(0);
        let sends = || {
            looks.set(looks.get() + 1);
            u32::from(looks.get() > 1 && Instant::now() >= leaves)
        };
        let [first, second] = [0, 1].map(|nth| (Name::root(), address(nth)));
        let said = first_to_speak(&slow, first, Some(second), sends, ask).await;
        let last_octet = |said: &Said| if said.0.address == address(0) { 0 } else { 1 };
        let took = u64::try_from(started.elapsed().as_millis()).unwrap();
        (said.iter().map(last_octet).collect(), took, slow.is_slow(address(0)))
    }

    #[tokio::test(start_paused = true)]
    async fn who_replies_first_counts_and_the_silent_one_is_asked_last() {
        for (servers, expected) in [
            ([(30, true), (30, true)], (vec![0], 30, false)),
            ([(30, false), (30, true)], (vec![0], 30, false)),
            ([(6000, false), (30, true)], (vec![1], 430, true)),
            ([(500, true), (900, true)], (vec![0], 500, false)),
            ([(500, false), (900, true)], (vec![0, 1], 1300, true)),
            ([(6000, true), (30, false)], (vec![1, 0], 6000, false)),
        ] {
            assert_eq!(race(servers, 0).await, expected, "{servers:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_its_turn_is_not_overtaken() {
        assert_eq!(race([(5000, true), (30, true)], 6000).await, (vec![0], 5000, false));
        assert_eq!(race([(6000, false), (30, true)], 900).await, (vec![1], 1630, true));
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_overtaken_is_forgiven_after_a_minute() {
        let (slow, address) = (Slow::default(), IpAddr::from([192, 0, 2, 1]));
        slow.note(address);
        assert!(slow.is_slow(address));
        tokio::time::advance(ASKED_LAST).await;
        assert!(!slow.is_slow(address));
    }
}
