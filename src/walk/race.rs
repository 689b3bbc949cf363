//! Whom to ask for the way, and whom beside.
//!
//! A registry's server is chosen by how fast it replied before. While nothing is known of it another one is asked at the
//! same time, once: with many servers the fastest are soon found. Servers of all other zones are chosen by name.
//!
//! A server that does not answer costs a walk seconds, all its tries over, though any other could lead on. So after a
//! while another one is asked beside it, and who says something first counts. Who was overtaken is asked last for a
//! minute. What it would have said is not known then, and nothing is written down of it.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::{Either, select};
use futures::poll;
use tokio::time::{Instant, timeout};

use crate::dns::message::Message;
use crate::dns::name::Name;
use crate::evidence::Observation;
use crate::walk::speeds::Speeds;

/// How long one server is waited for alone: what the first try of a question waits at least (SECURITY.md, limits).
const ALONE: Duration = Duration::from_millis(400);

/// What a server said, with the whole message where that is wanted.
pub(super) type Said = (Observation, Option<Arc<Message>>);
/// A server to ask: its name and one address.
pub(super) type ServerAddress = (Name, IpAddr);

/// Who is asked, and who beside.
pub(super) struct Runners {
    /// Who is asked first.
    pub(super) first: ServerAddress,
    /// Who else may be asked.
    pub(super) second: Option<ServerAddress>,
    /// How long the first one is waited for alone.
    alone: Duration,
}

impl Runners {
    /// Chooses by name.
    pub(super) fn by_name(
        name: &Name,
        untried: Vec<ServerAddress>,
        is_avoided: impl Fn(IpAddr) -> bool,
    ) -> Option<Self> {
        let (first, others) = draw(name, untried, &is_avoided)?;
        let second = draw(name, others, is_avoided).map(|(second, _)| second);
        Some(Self { first, second, alone: ALONE })
    }

    /// Chooses the fastest; where the one that the name draws is not known, both at once.
    pub(super) fn by_speed(
        name: &Name,
        untried: Vec<ServerAddress>,
        is_avoided: impl Fn(IpAddr) -> bool,
        speeds: &Speeds,
    ) -> Option<Self> {
        let is_peer = |one: IpAddr, other: IpAddr| rank(one, &is_avoided) == rank(other, &is_avoided);
        let (drawn, others) = draw(name, untried, &is_avoided)?;
        let known = others.iter().filter(|(_, address)| is_peer(*address, drawn.1));
        let known = known.filter_map(|server| Some((speeds.expected(server.1)?, server)));
        let fastest = known.min_by_key(|(expected, _)| *expected).map(|(expected, server)| (expected, server.clone()));
        let second = || draw(name, others.clone(), &is_avoided).map(|(second, _)| second);
        Some(match (speeds.expected(drawn.1), fastest) {
            (None, Some((_, fastest))) => Self { first: fastest, second: Some(drawn), alone: Duration::ZERO },
            (Some(expected), Some((least, fastest))) if least < expected => {
                Self { first: fastest, second: Some(drawn), alone: ALONE }
            }
            (Some(_), _) => Self { second: second(), first: drawn, alone: ALONE },
            (None, None) => {
                let second = second();
                let is_beside = second.as_ref().is_some_and(|second| is_peer(second.1, drawn.1));
                Self { second, first: drawn, alone: if is_beside { Duration::ZERO } else { ALONE } }
            }
        })
    }
}

/// Says how gladly an address is asked, the least first: one that is avoided last, and IPv4 before IPv6, since many hosts
/// have no route for the latter.
fn rank(address: IpAddr, is_avoided: impl Fn(IpAddr) -> bool) -> (bool, bool) {
    (is_avoided(address), address.is_ipv6())
}

/// Draws one of the addresses that are asked most gladly, and returns the others too: by the name, so that the names of a
/// bulk run spread over all servers.
fn draw(
    name: &Name,
    untried: Vec<ServerAddress>,
    is_avoided: impl Fn(IpAddr) -> bool,
) -> Option<(ServerAddress, Vec<ServerAddress>)> {
    let ranks: Vec<(bool, bool)> = untried.iter().map(|(_, address)| rank(*address, &is_avoided)).collect();
    let best = *ranks.iter().min()?;
    let some: Vec<usize> = (0..ranks.len()).filter(|nth| ranks.get(*nth) == Some(&best)).collect();
    let sum: usize = name.wire().iter().map(|octet| usize::from(octet.to_ascii_lowercase())).sum();
    let chosen = *some.get(sum.checked_rem(some.len())?)?;
    let mut others = untried;
    let first = others.remove(chosen);
    Some((first, others))
}

/// Asks the first server and, where it takes long, the second one as well; `sends` counts what left. Returns what was said
/// until one replied, in order of time: one entry or two, the last of them the reply where there is one.
pub(super) async fn first_to_speak<F: Future<Output = Said>>(
    speeds: &Speeds,
    runners: Runners,
    sends: impl Fn() -> u32,
    ask: impl Fn(ServerAddress) -> F,
) -> Vec<Said> {
    let said = run(speeds, runners, sends, ask).await;
    for (spoke, _) in said.iter().filter(|said| is_reply(said)) {
        speeds.note_reply(spoke.address, spoke.rtt);
    }
    said
}

/// Has one run alone for a while, and then both.
async fn run<F: Future<Output = Said>>(
    speeds: &Speeds,
    Runners { first, second, alone }: Runners,
    sends: impl Fn() -> u32,
    ask: impl Fn(ServerAddress) -> F,
) -> Vec<Said> {
    let addresses = [Some(first.1), second.as_ref().map(|second| second.1)];
    let (before, started) = (sends(), Instant::now());
    let mut one = pin!(ask(first));
    let Some(second) = second else { return vec![one.await] };
    if let Poll::Ready(said) = poll!(&mut one) {
        return vec![said];
    }
    // What waits for its turn is not the server's fault: the time runs from when the question left.
    let mut has_waited = alone.is_zero();
    while !has_waited {
        let has_left = sends() > before;
        match timeout(alone, &mut one).await {
            Ok(said) => return vec![said],
            Err(_) => has_waited = has_left,
        }
    }
    let said = match select(one, pin!(ask(second))).await {
        Either::Left((said, _)) | Either::Right((said, _)) if is_reply(&said) => vec![said],
        Either::Left((silent, other)) => vec![silent, other.await],
        Either::Right((silent, one)) => vec![silent, one.await],
    };
    // Who spoke overtook the other one.
    if let Some((spoke, _)) = said.last().filter(|last| is_reply(last)) {
        for other in addresses.into_iter().flatten().filter(|address| *address != spoke.address) {
            tracing::debug!(address = %other, by = %spoke.address, "overtaken");
            match alone.is_zero() {
                // How slow it is nobody waited to see; so that it does not run again at once, it is said to be twice as slow.
                true => speeds.note_reply(other, started.elapsed() * 2),
                false => speeds.note_overtaken(other),
            }
        }
    }
    said
}

/// Says whether somebody spoke.
fn is_reply(said: &Said) -> bool {
    said.0.response().is_some()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

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
        let outcome = if replies { Outcome::Replied(Arc::new(reply)) } else { Outcome::Silent(Silence::Timeout) };
        let (rtt, protocol, flaws) = (Duration::from_millis(after_ms), Protocol::Udp, Flaws::default());
        (Observation { zone: Name::root(), server, address, outcome, rtt, protocol, flaws }, None)
    }

    /// Lets two servers race, and returns the last octets of who spoke, how long that took, and whether the first one is
    /// asked last from now on.
    async fn race(servers: [(u64, bool); 2], leaves_after_ms: u64) -> (Vec<u8>, u64, bool) {
        let address = |nth: u8| IpAddr::from([192, 0, 2, nth]);
        let (speeds, started) = (Speeds::default(), Instant::now());
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
        let runners = Runners { first, second: Some(second), alone: ALONE };
        let said = first_to_speak(&speeds, runners, sends, ask).await;
        let last_octet = |said: &Said| if said.0.address == address(0) { 0 } else { 1 };
        let took = u64::try_from(started.elapsed().as_millis()).unwrap();
        (said.iter().map(last_octet).collect(), took, speeds.is_slow(address(0)))
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

    /// Has four servers lead on, 10 ms, 20 ms and so on away, and returns whom each of some questions was sent to.
    async fn ways(speeds: &Speeds, questions: usize) -> Vec<Vec<u8>> {
        let name = Name::parse("example").unwrap();
        let servers: Vec<ServerAddress> = (1..=4).map(|nth| (Name::root(), IpAddr::from([192, 0, 2, nth]))).collect();
        let mut ways = Vec::new();
        for nth in 0..questions {
            let name = name.prepend(format!("tenant{nth}")).unwrap();
            let runners = Runners::by_speed(&name, servers.clone(), |address| speeds.is_slow(address), speeds).unwrap();
            let asked = RefCell::new(Vec::new());
            let ask = |(name, at): ServerAddress| {
                let IpAddr::V4(v4) = at else { unreachable!("all are IPv4") };
                asked.borrow_mut().push(v4.octets()[3]);
                server(name, at, u64::from(v4.octets()[3]) * 10, true)
            };
            first_to_speak(speeds, runners, || 1, ask).await;
            ways.push(asked.into_inner());
        }
        ways
    }

    #[tokio::test(start_paused = true)]
    async fn each_unknown_server_runs_once_beside_another_and_then_the_fastest_leads_on() {
        let speeds = Speeds::default();
        let ways = ways(&speeds, 40).await;
        assert_eq!(ways[0].len(), 2, "nothing is known at first");
        let beside: Vec<&Vec<u8>> = ways.iter().filter(|asked| asked.len() > 1).collect();
        assert_eq!(beside.len(), 3, "four servers are known after three races");
        assert_eq!(ways[39], [1]);
    }
}
