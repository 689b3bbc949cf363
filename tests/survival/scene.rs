//! A fleet of real processes over an Internet and an Amazon SES in this one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::Runtime;
use zoneproof::lab::Lab;
use zoneproof::lab::ses::{SesLab, SesSettings};
use zoneproof::scenario::Scenario;
use zoneproof::service::lifecycle::{is_legal, state_after};
use zoneproof::store::{self, Domain, DomainFilter, DomainState, EventKind, RunId, Store};

/// How long anything may take on a busy machine, and how much longer for each domain.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(240), Duration::from_millis(100));
/// How long others leave the work of a killed process alone: the least there is.
pub(crate) const LEASE_SECONDS: u64 = 4;
/// How many operators there are.
const OPERATORS: usize = 4;
/// Which domains have no records: one in so many.
const BROKEN_EVERY: usize = 4;

/// Reads a number from the environment.
pub(crate) fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// The dice of a test: the same on every run, unless ZONEPROOF_SURVIVAL_SEED says otherwise.
pub(crate) fn dice() -> StdRng {
    let seed = number("ZONEPROOF_SURVIVAL_SEED", 9499);
    println!("seed {seed}");
    StdRng::seed_from_u64(seed)
}

/// An Internet, an SES, and what leads to them. Each scene has addresses of its own.
pub(crate) struct Scene {
    /// What all of it runs on.
    pub(crate) runtime: Runtime,
    /// The root and the registry.
    pub(crate) registry: Lab,
    /// The operators; `None` where somebody else serves their zones.
    pub(crate) operators: Option<Lab>,
    /// Their zones.
    pub(crate) zones: Arc<Scenario>,
    /// The SES.
    pub(crate) ses: SesLab,
    /// Input, hints and the database.
    pub(crate) folder: tempfile::TempDir,
    /// How many domains there are: `d0.example` and so on.
    pub(crate) count: usize,
}

/// Writes the zones of the root and the registry, and those of the operators.
fn internet(net: u8, count: usize, operators: usize) -> (String, String) {
    let address = |operator: usize| format!("127.{net}.{}.1", operator + 1);
    let mut upper = format!(
        "root 127.{net}.0.1\nzone . at 127.{net}.0.1\n  example. NS a.nic.example.\n  a.nic.example. A 127.{net}.0.2\n\
         zone example. at 127.{net}.0.2\n  a.nic A 127.{net}.0.2\n"
    );
    let mut lower = String::new();
    for operator in 0..operators {
        let at = address(operator);
        upper += &format!("  op{operator} NS ns.op{operator}\n  ns.op{operator} A {at}\n");
        lower += &format!("zone op{operator}.example. at {at}\n  @ NS ns\n  ns A {at}\n");
    }
    for domain in 0..count {
        let operator = domain % operators;
        upper += &format!("  d{domain} NS ns.op{operator}\n");
        lower += &format!("zone d{domain}.example. at {}\n  @ NS ns.op{operator}.example.\n", address(operator));
        if !is_broken(domain) {
            for token in tokens(domain) {
                lower += &format!("  {token}._domainkey CNAME {token}.dkim.amazonses.com.\n");
            }
        }
        let [a, b, c] = tokens(domain);
        upper += &format!("check d{domain}.example token={a} token={b} token={c}\n");
    }
    (upper, lower)
}

/// Says whether a domain has no records.
pub(crate) fn is_broken(domain: usize) -> bool {
    domain % BROKEN_EVERY == BROKEN_EVERY - 1
}

/// Returns the tokens of a domain.
fn tokens(domain: usize) -> [String; 3] {
    ["a", "b", "c"].map(|letter| format!("t{domain}{letter}"))
}

impl Scene {
    /// Starts everything, on 127.`net`.0.0/16.
    pub(crate) fn start(net: u8, count: usize) -> Self {
        Self::with_operators(net, count, OPERATORS)
    }

    /// Starts everything with as many operators.
    pub(crate) fn with_operators(net: u8, count: usize, operators: usize) -> Self {
        let mut scene = Self::without_operators(net, count, operators);
        let (zones, port) = (Arc::clone(&scene.zones), Some(scene.registry.port()));
        scene.operators = Some(scene.runtime.block_on(Lab::start(zones, port)).unwrap());
        scene
    }

    /// Starts everything but the servers of the operators.
    pub(crate) fn without_operators(net: u8, count: usize, operators: usize) -> Self {
        let runtime = Runtime::new().unwrap();
        let (upper, lower) = internet(net, count, operators);
        // The check lines are expectations of the upper scenario, by which SES learns its tokens.
        let upper: Arc<Scenario> = Arc::new(hoisted(&upper).parse().unwrap());
        let zones: Arc<Scenario> = Arc::new(lower.parse().unwrap());
        let (registry, ses) = runtime.block_on(async {
            let registry = Lab::start(Arc::clone(&upper), None).await.unwrap();
            let settings = SesSettings { max_identities: 1_000_000, ..SesSettings::default() };
            let ses = SesLab::start(&settings, registry.root_hints(), registry.port()).await.unwrap();
            ses.learn_tokens(&upper);
            (registry, ses)
        });
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("hints"),
            format!(". NS a.root-servers.net.\na.root-servers.net. A 127.{net}.0.1\n"),
        )
        .unwrap();
        let mut rows = String::from("domain,token1,token2,token3,tenant\n");
        for domain in 0..count {
            rows += &format!("d{domain}.example,{},tenant{}\n", tokens(domain).join(","), domain % 5);
        }
        fs::write(folder.path().join("in.csv"), rows).unwrap();
        Self { runtime, registry, operators: None, zones, ses, folder, count }
    }

    /// Returns the address of a database in a file.
    pub(crate) fn sqlite(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("fleet.db").display())
    }

    /// Prepares the program against this Internet.
    pub(crate) fn zoneproof(&self, words: &[&str], url: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zoneproof"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ZONEPROOF_")) {
            command.env_remove(name);
        }
        let (port, lease) = (self.registry.port().to_string(), LEASE_SECONDS.to_string());
        command.args(words).args(["--database", url, "--lease-seconds", &lease]);
        command.args(["--root-hints", "hints", "--dns-port", &port, "--allow-special-addresses", "--no-ipv6"]);
        command.envs(self.ses.environment()).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(self.log()));
        command
    }

    /// Opens the file that what processes say goes to.
    fn log(&self) -> fs::File {
        fs::OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap()
    }

    /// Says where that is.
    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Returns the last of what processes said.
    pub(crate) fn said(&self) -> String {
        let text = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Opens the store.
    pub(crate) fn open(&self, url: &str) -> Arc<dyn Store> {
        self.runtime.block_on(store::open(url)).unwrap()
    }

    /// Reads all domains.
    pub(crate) fn domains(&self, store: &Arc<dyn Store>) -> BTreeMap<usize, Domain> {
        let page = self.runtime.block_on(store.page(&DomainFilter::default(), None, 1_000_000)).unwrap();
        let number = |domain: &Domain| {
            let name = domain.name.to_text_without_dot();
            name.trim_start_matches('d').trim_end_matches(".example").parse().unwrap()
        };
        page.into_iter().map(|domain| (number(&domain), domain)).collect()
    }

    /// Asserts that events form a legal path that ends in the domain's state, and agree with the history; counts checks and
    /// events.
    pub(crate) fn assert_legal(&self, store: &Arc<dyn Store>) -> (usize, usize) {
        let domains = self.domains(store);
        assert_eq!(domains.len(), self.count, "domains");
        let mut counts = (0, 0);
        for (number, domain) in &domains {
            let events = self.runtime.block_on(store.events(Some(&domain.id), 0, 10_000)).unwrap();
            let mut state = DomainState::Pending;
            for event in &events {
                let is_step = event.from == state && event.to == state_after(event.kind) && is_legal(state, event.kind);
                assert!(is_step, "d{number}: {events:?}");
                state = event.to;
            }
            assert_eq!(domain.state, state, "d{number}: {events:?}");
            let verified = events.iter().filter(|event| event.kind == EventKind::Verified).count();
            assert_eq!(verified, usize::from(!is_broken(*number)), "d{number}: {events:?}");
            let history = self.runtime.block_on(store.history(&domain.id, None, 10_000)).unwrap();
            let checks: BTreeSet<_> = history.iter().map(|check| check.check.clone()).collect();
            assert_eq!(checks.len(), history.len(), "d{number}: a check twice");
            assert_eq!(history.first().map(|check| check.state), Some(state), "d{number}: a state without its check");
            for event in &events {
                assert!(checks.contains(&event.check), "d{number}: an event without its check");
            }
            counts = (counts.0 + history.len(), counts.1 + events.len());
        }
        counts
    }

    /// Asserts that every run came to its end, and holds every domain with exactly one result; counts the runs.
    ///
    /// There may be more than one: a process that was to be killed may have been done before.
    pub(crate) fn assert_one_result_a_run(&self, store: &Arc<dyn Store>) -> usize {
        let mut runs: BTreeMap<RunId, u64> = BTreeMap::new();
        for (number, domain) in self.domains(store) {
            let history = self.runtime.block_on(store.history(&domain.id, None, 10_000)).unwrap();
            let results: Vec<_> = history.iter().filter_map(|check| check.run.clone()).collect();
            let of_runs: BTreeSet<_> = results.iter().cloned().collect();
            assert!(!results.is_empty() && results.len() == of_runs.len(), "d{number}: {history:?}");
            for run in results {
                *runs.entry(run).or_default() += 1;
            }
        }
        let count = u64::try_from(self.count).unwrap();
        for (run, results) in &runs {
            let run = self.runtime.block_on(store.run(run)).unwrap().unwrap();
            assert_eq!((*results, run.domains, run.done), (count, count, count));
            assert!(run.finished_at.is_some());
        }
        runs.len()
    }
}

/// Puts the check lines behind the zones.
fn hoisted(text: &str) -> String {
    let (checks, zones): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("check "));
    format!("{}\n{}\n", zones.join("\n"), checks.join("\n"))
}

/// Waits until something holds, and fails with what it says otherwise. Looking takes half of the time at most.
pub(crate) fn wait_until(what: &str, scene: &Scene, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE.0 + PATIENCE.1 * u32::try_from(scene.count).unwrap();
    loop {
        let begin = Instant::now();
        if holds() {
            return;
        }
        assert!(Instant::now() < deadline, "{what} did not come about:\n{}", scene.said());
        std::thread::sleep(begin.elapsed().max(Duration::from_millis(250)));
    }
}

/// Has SES look at the DNS now, but not all the time: a large fleet takes a while.
#[derive(Default)]
pub(crate) struct Looks {
    /// Before when it does not look again.
    next: Option<Instant>,
}

impl Looks {
    /// How much longer than the last look took is waited before the next.
    const REST: u32 = 4;

    /// Has SES look, unless it has just done so.
    pub(crate) fn look(&mut self, scene: &Scene) {
        let begin = Instant::now();
        if self.next.is_none_or(|next| next <= begin) {
            scene.runtime.block_on(scene.ses.look_now());
            self.next = Some(Instant::now() + begin.elapsed() * Self::REST);
        }
    }
}

/// Sends a signal to a process of ours.
pub(crate) fn signal(process: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &process.id().to_string()]).status().unwrap();
    assert!(status.success(), "kill -{name}");
}

/// Sleeps for a while that the dice say.
pub(crate) fn sleep_between(dice: &mut StdRng, least_ms: u64, most_ms: u64) {
    std::thread::sleep(Duration::from_millis(dice.random_range(least_ms..most_ms)));
}
