//! Whom to ask for the way, and whom beside.
//!
//! A registry's server is chosen by how fast it replied before. While nothing is known of any of them a few are asked at
//! the same time, and of the others each once beside the fastest known: with many servers the fastest are soon found, and a
//! process asks no server of a registry beside another one more than a few times. Servers of all other zones are chosen
//! by name.
//!
//! A server that does not answer costs a walk seconds, all its tries over, though any other could lead on. So after a
//! while another one is asked beside it, and who says something first counts. Who was overtaken is asked last for a
//! minute. What it would have said is not known then, and nothing is written down of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::poll;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, timeout};

use crate::dns::message::Message;
use crate::dns::name::Name;
use crate::evidence::Observation;
use crate::walk::speeds::Speeds;

/// How long one server is waited for alone: what the first try of a question waits at least (SECURITY.md, limits).
const ALONE: Duration = Duration::from_millis(400);
/// How many servers are asked at once where of none it is known how fast it is. Of 13 that are 5 to 15 ms away two come
/// within 18 % of the fastest in nine of ten checks, four within 10 %.
const AT_ONCE: usize = 4;
/// How many questions are under way to a server that is asked beside another one: the first of many checks that start at
/// once find out for the rest.
const SCOUTS: u32 = 4;

/// What a server said, with the whole message where that is wanted.
pub(super) type Said = (Observation, Option<Arc<Message>>);
/// A server to ask: its name and one address.
pub(super) type ServerAddress = (Name, IpAddr);

/// Who is asked, and who beside.
pub(super) struct Runners {
    /// Who is asked first.
    pub(super) first: ServerAddress,
    /// Who else may be asked.
    beside: Vec<ServerAddress>,
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
        Some(Self::one_by_one(first, draw(name, others, is_avoided).map(|(second, _)| second)))
    }

    /// Chooses the fastest; where the one that the name draws is not known, both at once, and where none is known, a few.
    pub(super) fn by_speed(
        name: &Name,
        untried: Vec<ServerAddress>,
        is_avoided: impl Fn(IpAddr) -> bool,
        speeds: &Speeds,
    ) -> Option<Self> {
        let (drawn, others) = draw(name, untried, &is_avoided)?;
        let is_peer = |other: IpAddr| rank(other, &is_avoided) == rank(drawn.1, &is_avoided);
        let known = others.iter().filter(|(_, address)| is_peer(*address));
        let known = known.filter_map(|server| Some((speeds.expected(server.1)?, server)));
        let fastest = known.min_by_key(|(expected, _)| *expected).map(|(expected, server)| (expected, server.clone()));
        let second = || draw(name, others.clone(), &is_avoided).map(|(second, _)| second);
        let is_worth_a_scout = |address| speeds.under_way(address) < SCOUTS;
        Some(match (speeds.expected(drawn.1), fastest) {
            (None, Some((_, fastest))) if is_worth_a_scout(drawn.1) => Self::at_once(fastest, vec![drawn]),
            (Some(expected), Some((least, fastest))) if least < expected => Self::one_by_one(fastest, Some(drawn)),
            (None, Some((_, fastest))) => Self::one_by_one(fastest, Some(drawn)),
            (None, None) if is_worth_a_scout(drawn.1) => {
                let unknown = draws(name, others.clone(), &is_avoided).take_while(|(_, address)| is_peer(*address));
                let scouts = unknown.filter(|(_, address)| is_worth_a_scout(*address)).take(AT_ONCE - 1);
                match scouts.collect::<Vec<_>>() {
                    none if none.is_empty() => Self::one_by_one(drawn, second()),
                    scouts => Self::at_once(drawn, scouts),
                }
            }
            (_, _) => Self::one_by_one(drawn, second()),
        })
    }

    /// Has one asked, and another one where that takes long.
    fn one_by_one(first: ServerAddress, second: Option<ServerAddress>) -> Self {
        Self { first, beside: second.into_iter().collect(), alone: ALONE }
    }

    /// Has several asked at the same time.
    fn at_once(first: ServerAddress, beside: Vec<ServerAddress>) -> Self {
        Self { first, beside, alone: Duration::ZERO }
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

/// Draws one after the other until none is left.
fn draws(
    name: &Name,
    untried: Vec<ServerAddress>,
    is_avoided: impl Fn(IpAddr) -> bool,
) -> impl Iterator<Item = ServerAddress> {
    let mut left = untried;
    std::iter::from_fn(move || {
        let (drawn, others) = draw(name, std::mem::take(&mut left), &is_avoided)?;
        left = others;
        Some(drawn)
    })
}

/// Asks the first server and those beside, at once or where it takes long; `sends` counts what left. Returns what was said
/// until one replied, in order of time: the last of them is the reply where there is one.
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

/// Has one run alone for a while, and then all.
async fn run<F: Future<Output = Said>>(
    speeds: &Speeds,
    Runners { first, beside, alone }: Runners,
    sends: impl Fn() -> u32,
    ask: impl Fn(ServerAddress) -> F,
) -> Vec<Said> {
    let addresses: Vec<IpAddr> = [&first].into_iter().chain(&beside).map(|server| server.1).collect();
    let (before, started) = (sends(), Instant::now());
    let mut one = Box::pin(ask(first));
    if beside.is_empty() {
        return vec![one.await];
    }
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
    let mut running: FuturesUnordered<_> =
        [one].into_iter().chain(beside.into_iter().map(|server| Box::pin(ask(server)))).collect();
    let mut said = Vec::new();
    while let Some(next) = running.next().await {
        let has_spoken = is_reply(&next);
        said.push(next);
        if has_spoken {
            break;
        }
    }
    // Who spoke overtook the others.
    if let Some((spoke, _)) = said.last().filter(|last| is_reply(last)) {
        for other in addresses.into_iter().filter(|address| *address != spoke.address) {
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
        let runners = Runners::one_by_one(first, Some(second));
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

    /// The servers of a registry: the last octets of their addresses are 1, 2 and so on.
    fn servers(count: u8) -> Vec<ServerAddress> {
        (1..=count).map(|nth| (Name::root(), IpAddr::from([192, 0, 2, nth]))).collect()
    }

    /// Has servers lead on, 10 ms, 20 ms and so on away, and returns whom the question of one tenant was sent to.
    async fn way(speeds: &Speeds, servers: &[ServerAddress], tenant: usize) -> Vec<u8> {
        let name = Name::parse(&format!("tenant{tenant}.example")).unwrap();
        let runners = Runners::by_speed(&name, servers.to_vec(), |address| speeds.is_slow(address), speeds).unwrap();
        let asked = RefCell::new(Vec::new());
        let ask = |(name, at): ServerAddress| {
            let IpAddr::V4(v4) = at else { unreachable!("all are IPv4") };
            let [.., last] = v4.octets();
            asked.borrow_mut().push(last);
            async move {
                let _under_way = speeds.depart(at);
                server(name, at, u64::from(last) * 10, true).await
            }
        };
        first_to_speak(speeds, runners, || 1, ask).await;
        asked.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_unknown_servers_run_at_once_and_each_other_one_once_beside_the_fastest() {
        let (speeds, servers) = (Speeds::default(), servers(6));
        let mut ways = Vec::new();
        for tenant in 0..60 {
            ways.push(way(&speeds, &servers, tenant).await);
        }
        assert_eq!(ways[0].len(), AT_ONCE, "nothing is known at first");
        let beside: Vec<&Vec<u8>> = ways.iter().skip(1).filter(|asked| asked.len() > 1).collect();
        assert_eq!(beside.iter().map(|asked| asked.len()).collect::<Vec<_>>(), [2, 2], "two were not known yet");
        assert_eq!(ways[59], [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_checks_at_once_a_few_find_out_who_is_fast() {
        let (speeds, servers) = (Speeds::default(), servers(2));
        let ways = futures::future::join_all((0..500).map(|tenant| way(&speeds, &servers, tenant))).await;
        let extra: usize = ways.iter().map(|asked| asked.len() - 1).sum();
        assert_eq!(extra, usize::try_from(SCOUTS).unwrap(), "500 would ask both");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_of_the_other_family_is_no_scout() {
        let speeds = Speeds::default();
        let servers = [servers(2), vec![(Name::root(), "2001:db8::1".parse().unwrap())]].concat();
        let name = Name::parse("tenant.example").unwrap();
        let runners = Runners::by_speed(&name, servers, |_| false, &speeds).unwrap();
        assert!(runners.beside.iter().all(|(_, address)| address.is_ipv4()), "many hosts have no route for IPv6");
        assert_eq!((runners.beside.len(), runners.alone), (1, Duration::ZERO));
    }
}
