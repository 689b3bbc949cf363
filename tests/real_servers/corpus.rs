//! A confusion matrix: what the engine says of a corpus of labelled domains that NSD serves, beside what was done to
//! them. Off the diagonal nothing may be.
//!
//! `ZONEPROOF_CORPUS` says how many domains there are; the matrix is printed (`--no-capture` shows it). A whole corpus takes
//! minutes, more than nextest lets a test run: `ZONEPROOF_CORPUS=23808 cargo test --test real_servers no_domain`.
//! `ZONEPROOF_CORPUS_ROW='silent|0x20'` checks only the rows of the matrix that have one of these in their name. What NSD cannot
//! say (silence, upward referrals, several CNAMEs) comes from the lab's own servers, at addresses of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use zoneproof::check::Checker;
use zoneproof::dns::name::Name;
use zoneproof::expectation::{Depth, Expectation};
use zoneproof::findings::Code;
use zoneproof::lab::Lab;
use zoneproof::providers::{catalogue, detect};
use zoneproof::report::Report;
use zoneproof::scenario::{Scenario, ServedZone, Server};
use zoneproof::transport::pace::PaceLimits;

use super::daemons::{self, Daemon, Software};
use super::labelled::{self, Case, FAULTS, own_key::SELECTOR, unlabelled::UNLABELLED};
use super::{free_port, wait_for, zones_at};

/// How many domains there are unless told.
const DOMAINS: usize = 600;
/// Codes that are not met at every provider, and why.
const NOT_EVERYWHERE: &[(Code, &str)] = &[
    (Code::CfProxied, "Cloudflare's own"),
    (Code::CfFlattened, "Cloudflare's own"),
    (Code::WrongTypeUrlRedirect, "of providers whose redirect servers are known"),
    (Code::BudgetExceeded, "made in every eighth round only, since it takes long"),
];
/// The seed of the corpus: the date of RFC 9989.
const SEED: u64 = 202_605;
/// How many domains are checked at the same time.
const AT_ONCE: usize = 64;
/// How long a check may take: a machine that is busy with other things must not make a difference.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many domains off the diagonal are shown with their zones.
const MAX_SHOWN: usize = 20;

/// Says which daemon an address belongs to; the lab's addresses and those where nobody listens have none.
///
/// Root, registries, the keeper of the providers' zones and the hoster have one each, and so have all first servers of
/// the providers and all second ones: who asks cannot tell that the same program serves other providers' zones too.
fn daemon_of(address: IpAddr) -> Option<String> {
    let IpAddr::V4(address) = address else { return None };
    match address.octets() {
        [127, 59, 0, host] => Some(if host == 1 { "root".to_owned() } else { "registries".to_owned() }),
        [127, 59, network, _] => Some(format!("hoster {network}")),
        [127, side @ (60 | 61), ..] => Some(format!("side {side}")),
        _ => None,
    }
}

/// Starts the daemons.
fn serve(scenario: &Scenario, folder: &Path, port: u16) -> Vec<Daemon> {
    let mut groups: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    for address in scenario.addresses() {
        if let Some(group) = daemon_of(address) {
            groups.entry(group).or_default().push(address);
        }
    }
    let start = |(group, addresses): &(String, Vec<IpAddr>)| {
        let is_here = |served: &&ServedZone| served.addresses.iter().any(|address| addresses.contains(address));
        let zones: Vec<_> = scenario.zones().iter().filter(is_here).map(|served| &served.zone).collect();
        Daemon::start(Software::Nsd, &folder.join(group.replace(' ', "-")), addresses, port, &zones)
    };
    let groups: Vec<(String, Vec<IpAddr>)> = groups.into_iter().collect();
    let daemons: Vec<Daemon> = groups.iter().map(start).collect();
    for (daemon, (_, addresses)) in daemons.iter().zip(&groups) {
        let zones = zones_at(scenario, addresses[0]);
        wait_for(daemon, addresses[0], port, &zones[zones.len() - 1..]);
    }
    daemons
}

/// Returns what the lab serves: the zones and rules at the addresses that have no daemon.
fn of_lab(scenario: &Scenario) -> Scenario {
    let is_odd = |address: &IpAddr| daemon_of(*address).is_none();
    let zones = scenario.zones().iter().filter(|served| served.addresses.iter().all(is_odd)).cloned();
    let odd = scenario.addresses().into_iter().filter(is_odd);
    let servers =
        odd.map(|address| Server { addresses: vec![address], rules: scenario.rules_at(address).cloned().collect() });
    Scenario::new(
        String::new(),
        scenario.root_hints().into_iter().map(|(_, address)| address).collect(),
        zones.collect(),
        servers.collect(),
        Vec::new(),
    )
}

/// Makes the expectation of a case.
fn expectation(case: &Case) -> Expectation {
    let tenant = &case.tenant;
    let depth = if tenant.is_full { Depth::Full } else { Depth::Quick };
    let expectation = match tenant.own_key {
        Some(key) => Expectation::with_own_key(&tenant.domain(), SELECTOR, Some(key)),
        None => Expectation::new(&tenant.domain(), &tenant.tokens, tenant.dkim_zone),
    };
    let mut expectation = expectation.unwrap().with_depth(depth);
    if let Some(region) = tenant.region {
        expectation = expectation.with_region(region).unwrap();
    }
    if tenant.is_inbound {
        expectation = expectation.with_inbound();
    }
    if let Some(front) = tenant.mail_from {
        expectation = expectation.with_mail_from(&format!("{front}.{}", tenant.domain())).unwrap();
    }
    expectation
}

/// Returns the codes of a report.
fn codes(report: &Report) -> BTreeSet<&'static str> {
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// Says how a report differs from the label, in one line each; empty on the diagonal.
fn differences(case: &Case, report: &Report) -> Vec<String> {
    let label = &case.tenant.expected;
    let mut differences = Vec::new();
    let mut compare = |what: String, is: String, wanted: String| {
        if is != wanted {
            differences.push(format!("{what} is {is}, not {wanted}"));
        }
    };
    let join = |codes: BTreeSet<&str>| codes.into_iter().collect::<Vec<_>>().join(" ");
    compare("codes".to_owned(), join(codes(report)), join(label.codes()));
    compare("verdict".to_owned(), report.verdict.as_str().to_owned(), label.verdict().to_owned());
    let root_cause = report.root_cause.map_or("none", Code::as_str);
    compare("root cause".to_owned(), root_cause.to_owned(), label.root_cause().to_owned());
    compare("records".to_owned(), report.records.len().to_string(), label.records.len().to_string());
    for (record, state) in report.records.iter().zip(&label.records) {
        let code = record.code.map_or(String::new(), |code| format!(" {}", code.as_str()));
        compare(record.name.to_string(), format!("{}{code}", record.status.as_str()), state.words());
    }
    if !case.tenant.provider_is_another {
        let provider = report.provider.as_ref().map_or("none", |provider| provider.id.as_str());
        compare("provider".to_owned(), provider.to_owned(), case.tenant.set.provider.clone());
    }
    differences
}

/// Checks all domains; the reports come in the order of the cases.
async fn check_all(scenario: &Scenario, cases: &[Case], port: u16) -> Vec<Report> {
    let checker = Checker::builder()
        .root_hints(scenario.root_hints())
        .dns_port(port)
        .allow_special_addresses(true)
        .ipv6(false)
        // Silent domains share the lab's few addresses, where no more than sixteen questions may be out: others wait there.
        .pace(PaceLimits { max_wait: PATIENCE, ..PaceLimits::default().with_per_server(0) })
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let expectations = futures::stream::iter(cases.iter().map(expectation).collect::<Vec<_>>());
    let reports: Vec<Report> = checker.check_all(expectations, AT_ONCE).collect().await;
    let mut by_domain: BTreeMap<String, Report> =
        reports.into_iter().map(|report| (report.domain.clone(), report)).collect();
    cases.iter().map(|case| by_domain.remove(&case.tenant.domain()).unwrap()).collect()
}

/// What came out, whether that is right, and how often.
type Columns = BTreeMap<(String, bool), usize>;

/// Prints the matrix: rows are what was done, columns what came out, only where there is something.
fn print_matrix(cases: &[Case], reports: &[Report]) {
    let mut matrix: BTreeMap<(usize, bool, &str), Columns> = BTreeMap::new();
    for (case, report) in cases.iter().zip(reports) {
        let codes: Vec<&str> = codes(report).into_iter().collect();
        let column = if codes.is_empty() { "nothing".to_owned() } else { codes.join(" + ") };
        let is_right = differences(case, report).is_empty();
        let row = matrix.entry((case.fault, case.is_repaired, &case.row)).or_default();
        *row.entry((format!("{}: {column}", report.verdict.as_str()), is_right)).or_default() += 1;
    }
    for ((_, _, row), columns) in matrix {
        println!("{row}");
        for ((column, is_right), count) in columns {
            println!("  {count:6} {} {column}", if is_right { "=" } else { "X" });
        }
    }
}

/// Prints one line for each code: domains that have it as their label, those that came out right, at how many providers,
/// on how many sets of DKIM records, at how many depths, and on which kinds of records; and what came of domains that
/// are right. Returns the codes that were not met at all of `providers`.
fn print_summary(cases: &[Case], reports: &[Report], providers: usize) -> Vec<&'static str> {
    let mut elsewhere = Vec::new();
    println!("{:28} domains   right providers masks depths kinds", "code");
    for code in Code::ALL {
        let meant: Vec<(&Case, &Report)> = cases
            .iter()
            .zip(reports)
            .filter(|(case, _)| case.tenant.expected.codes().contains(code.as_str()))
            .collect();
        if meant.is_empty() {
            continue;
        }
        let right = meant.iter().filter(|(case, report)| differences(case, report).is_empty()).count();
        let count =
            |key: &dyn Fn(&Case) -> String| meant.iter().map(|(case, _)| key(case)).collect::<BTreeSet<_>>().len();
        let met = count(&|case| case.tenant.set.provider.clone());
        let masks = count(&|case| format!("{:?}", case.mask));
        let depths = count(&|case| case.tenant.sender.to_owned());
        let found = meant.iter().flat_map(|(_, report)| &report.findings).filter(|finding| finding.code == *code);
        let kinds: BTreeSet<&str> = found.map(|finding| finding.kind.map_or("zone", |kind| kind.as_str())).collect();
        let kinds = kinds.into_iter().collect::<Vec<_>>().join(" ");
        println!("{:28} {:7} {right:7} {met:9} {masks:5} {depths:6} {kinds}", code.as_str(), meant.len());
        if met < providers && NOT_EVERYWHERE.iter().all(|(known, _)| known != code) {
            elsewhere.push(code.as_str());
        }
    }
    let healthy = cases.iter().zip(reports).filter(|(case, _)| case.tenant.expected.codes().is_empty());
    let (all, blamed) = healthy.fold((0, 0), |(all, blamed), (_, report)| {
        (all + 1, blamed + usize::from(!report.findings.is_empty() || report.verdict.as_str() != "ready"))
    });
    println!("{all} domains are right, of which {blamed} were blamed");
    elsewhere
}

#[test]
fn no_domain_of_the_corpus_lies_off_the_diagonal() {
    if !daemons::are_installed() {
        return;
    }
    let count = std::env::var("ZONEPROOF_CORPUS").ok().map_or(DOMAINS, |text| text.parse().unwrap());
    let mut corpus = labelled::corpus(count, SEED);
    let scenario: Scenario = corpus.text.parse().unwrap();
    let row = std::env::var("ZONEPROOF_CORPUS_ROW").ok();
    if let Some(row) = &row {
        corpus.cases.retain(|case| row.split('|').any(|part| case.row.contains(part)));
        assert!(!corpus.cases.is_empty(), "no row has {row:?}");
    }
    let port = free_port(&scenario.addresses());
    let folder = tempfile::tempdir().unwrap();
    let _daemons = serve(&scenario, folder.path(), port);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let started = Instant::now();
    let reports = runtime.block_on(async {
        let _lab = Lab::start(Arc::new(of_lab(&scenario)), Some(port)).await.unwrap();
        check_all(&scenario, &corpus.cases, port).await
    });
    print_matrix(&corpus.cases, &reports);
    let providers = labelled::servers::sets().into_iter().map(|set| set.provider).collect::<BTreeSet<_>>().len();
    let not_everywhere = print_summary(&corpus.cases, &reports, providers);
    let questions: u64 = reports.iter().map(|report| u64::from(report.cost.questions)).sum();
    println!("{count} domains in {:.1?}, {questions} questions, seed {SEED}", started.elapsed());
    for (what, count) in labelled::coverage(&corpus.cases) {
        println!("{count:6} {what}");
    }
    // A whole corpus meets every code at every provider.
    let is_whole = row.is_none() && count >= FAULTS.len() * 2 * providers;
    assert!(!is_whole || not_everywhere.is_empty(), "not met at all of {providers} providers: {not_everywhere:?}");

    let mut shown = String::new();
    let mut off = 0;
    for (case, report) in corpus.cases.iter().zip(&reports) {
        let differences = differences(case, report);
        if differences.is_empty() {
            continue;
        }
        off += 1;
        if off <= MAX_SHOWN {
            let (row, domain) = (&case.row, case.tenant.domain());
            writeln!(shown, "\n{row}: {domain}\n  {}\n{}", differences.join("\n  "), case.tenant.text()).unwrap();
        }
    }
    assert_eq!(off, 0, "of {count} domains are off the diagonal:{shown}");
    // A label that fits everything would prove nothing: none of a broken zone fits what is said of its repaired twin.
    for (cases, reports) in corpus.cases.chunks_exact(2).zip(reports.chunks_exact(2)) {
        let is_broken = !cases[0].tenant.expected.codes().is_empty();
        assert!(!is_broken || !differences(&cases[0], &reports[1]).is_empty(), "{}", cases[0].row);
    }
}

#[test]
fn every_code_is_a_label_or_has_a_reason_not_to_be() {
    let rounds = FAULTS.iter().map(|fault| fault.every).max().unwrap();
    let corpus = labelled::corpus(FAULTS.len() * 2 * rounds, SEED);
    let labels: BTreeSet<&str> = corpus.cases.iter().flat_map(|case| case.tenant.expected.codes()).collect();
    let all: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert!(labels.is_subset(&all), "no codes: {:?}", labels.difference(&all));
    println!("{} of {} codes are labels", labels.len(), all.len());
    let mut unknown = Vec::new();
    for code in all.difference(&labels) {
        match UNLABELLED.iter().find(|(unlabelled, _)| unlabelled == code) {
            Some((code, reason)) => println!("  not {code}: {reason}"),
            None => unknown.push(code),
        }
    }
    assert!(unknown.is_empty(), "neither label nor reason: {unknown:?}");
    let stale: Vec<&str> =
        UNLABELLED.iter().map(|(code, _)| *code).filter(|code| labels.contains(code) || !all.contains(code)).collect();
    assert!(stale.is_empty(), "a reason, though a label or no code: {stale:?}");
}

#[test]
fn a_repaired_zone_is_labelled_ready_with_none_of_the_codes_of_its_fault() {
    let corpus = labelled::corpus(FAULTS.len() * 2 * 8, SEED);
    for pair in corpus.cases.chunks(2) {
        let [broken, repaired] = pair else { panic!("cases come in pairs") };
        let (was, is) = (&broken.tenant.expected, &repaired.tenant.expected);
        assert!(repaired.is_repaired && is.verdict() == "ready" && is.codes().is_empty(), "{}", repaired.row);
        assert_eq!(was.codes().is_empty(), broken.row == "healthy", "{}", broken.row);
    }
}

#[test]
fn every_provider_with_name_servers_of_its_own_is_told_by_the_names_of_the_corpus() {
    let sets = labelled::servers::sets();
    for set in &sets {
        let hosts = set.hosts.iter().chain(&set.odd).chain([&set.gone]);
        let names: Vec<Name> = hosts.map(|(host, _)| Name::parse(host).unwrap()).collect();
        let told = detect(&names, None).provider().map_or("unknown", |provider| provider.id.as_str());
        assert_eq!(told, set.provider, "{names:?}");
    }
    let met: BTreeSet<&str> = sets.iter().map(|set| set.provider.as_str()).collect();
    let known: Vec<&str> = catalogue().iter().map(|provider| provider.id.as_str()).collect();
    let missing: Vec<&&str> = known.iter().filter(|id| !met.contains(*id)).collect();
    // Google Cloud's vanity servers are told by their SOA alone.
    assert_eq!(missing, [&"google_cloud_dns"], "{} providers", known.len());
}

#[test]
fn a_corpus_is_its_count_and_seed() {
    let text = |count, seed| labelled::corpus(count, seed).text;
    assert_eq!(text(120, 3), text(120, 3));
    assert_ne!(text(120, 3), text(120, 4));
}
