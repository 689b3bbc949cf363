//! What a running worker makes of an Amazon SES that is down, throttles, is slow, or lies.
//!
//! Each trouble lasts until every domain was checked again at least twice; `ZONEPROOF_SES_TROUBLE_SECONDS` makes it last
//! longer, so that the breaker opens. `--nocapture` shows the numbers.

use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zoneproof::lab::ses::fault::{Fault, FaultKind};
use zoneproof::lab::ses::{Change, HOME_REGION, Sees, Status, VerificationError};
use zoneproof::report::{Report, SesOutcome, Verdict};
use zoneproof::service::sighting::Sighting;
use zoneproof::ses::identity::SesStatus;
use zoneproof::store::{DomainState, EventKind, Store};

use super::scene::{Scene, is_broken, number, signal, wait_until};
use super::{add_fleet, ended};

/// How many domains there are; one in four has no records.
const DOMAINS: usize = 24;
/// How often each domain is checked during one trouble at the least.
const CHECKS_EACH: usize = 2;

/// A fleet that a worker keeps, with an SES that is well.
struct Kept {
    /// Where it all is.
    scene: Scene,
    /// The database.
    store: Arc<dyn Store>,
    /// The worker.
    worker: Child,
}

impl Kept {
    /// Brings a fleet as far as it comes: what has records is verified, the rest waits for them.
    fn start(net: u8) -> Self {
        let scene = Scene::start(net, DOMAINS);
        let url = scene.sqlite();
        add_fleet(&scene, &url);
        let words = ["worker", "--ses", "--ses-qps", "0", "--ses-every", "1", "--create-identities", "--no-webhooks"];
        let pace = ["--max-qps", "0", "--max-qps-per-server", "0"];
        let worker = scene.zoneproof(&words, &url).args(pace).spawn().unwrap();
        let store = scene.open(&url);
        let kept = Self { scene, store, worker };
        wait_until("that all with records are verified", &kept.scene, || {
            kept.scene.runtime.block_on(kept.scene.ses.look_now());
            let domains = kept.scene.domains(&kept.store);
            domains.iter().all(|(number, domain)| {
                let is_known = Sighting::read(domain.identity.as_ref()).is_some_and(|seen| seen.identity.is_some());
                is_known
                    && domain.last_checked_at.is_some()
                    && (domain.state == DomainState::Verified) != is_broken(*number)
            })
        });
        kept
    }

    /// Returns the state of every domain.
    fn states(&self) -> Vec<DomainState> {
        self.scene.domains(&self.store).into_values().map(|domain| domain.state).collect()
    }

    /// Counts the events so far.
    fn events(&self) -> usize {
        self.scene.runtime.block_on(self.store.events(None, 0, 100_000)).unwrap().len()
    }

    /// Counts the checks of each domain so far.
    fn checks(&self) -> Vec<usize> {
        let domains = self.scene.domains(&self.store);
        let history = |domain: &zoneproof::store::Domain| {
            self.scene.runtime.block_on(self.store.history(&domain.id, None, 100_000)).unwrap().len()
        };
        domains.values().map(history).collect()
    }

    /// Asks for every domain to be checked now, as somebody at a button does.
    fn ask_for_checks(&self) {
        let now = self.scene.runtime.block_on(self.store.now()).unwrap();
        for domain in self.scene.domains(&self.store).values() {
            self.scene.runtime.block_on(self.store.request_recheck(&domain.id, Duration::ZERO, now)).unwrap();
        }
    }

    /// Waits until every domain was checked twice more, and for `least`.
    fn wait_for_checks(&self, what: &str, least: Duration) -> usize {
        let (begin, before) = (Instant::now(), self.checks());
        wait_until(&format!("{what}: checks of all domains"), &self.scene, || {
            self.ask_for_checks();
            let is_checked = self.checks().iter().zip(&before).all(|(now, then)| *now >= then + CHECKS_EACH);
            is_checked && begin.elapsed() >= least
        });
        self.checks().iter().zip(&before).map(|(now, then)| now - then).sum()
    }

    /// Reads the DKIM status of a domain at SES, as it is stored.
    fn stored_status(&self, number: usize) -> Option<SesStatus> {
        let domain = self.scene.domains(&self.store).remove(&number)?;
        Some(Sighting::read(domain.identity.as_ref())?.identity?.dkim_status)
    }

    /// Changes a domain at SES.
    fn change(&self, number: usize, status: Status, sees: Sees) {
        let change = Change { status: Some(status), sees: Some(sees), ..Change::default() };
        assert!(self.scene.ses.change(HOME_REGION, &format!("d{number}.example"), &change));
    }

    /// Waits until what SES says of a domain has come into the store, and returns how long that took.
    fn wait_for_status(&self, what: &str, number: usize, status: SesStatus) -> Duration {
        let begin = Instant::now();
        wait_until(&format!("{what}: {status:?} of d{number} in the store"), &self.scene, || {
            self.stored_status(number) == Some(status)
        });
        begin.elapsed()
    }

    /// Reads the last report of a domain.
    fn report(&self, number: usize) -> Report {
        let domain = self.scene.domains(&self.store).remove(&number).unwrap();
        self.scene.runtime.block_on(self.store.report(&domain.id)).unwrap().unwrap()
    }

    /// Ends the worker as it is ended in service.
    fn end(mut self) {
        signal(&self.worker, "TERM");
        assert_eq!(ended(&self.scene, &mut self.worker), Some(0), "{}", self.scene.said());
        for number in 0..DOMAINS {
            let told = self.scene.ses.counters().identity(HOME_REGION, &format!("d{number}.example"));
            assert_eq!((told.creates, told.deletes, told.puts), (1, 0, 0), "d{number}.example");
        }
    }
}

#[test]
fn an_ses_in_trouble_moves_no_state_and_the_dns_is_asked_on() {
    let kept = Kept::start(37);
    let least = Duration::from_secs(number("ZONEPROOF_SES_TROUBLE_SECONDS", 3));
    let (states, events) = (kept.states(), kept.events());
    println!("{:<24} {:>7} {:>9} {:>13} {:>11}", "SES", "checks", "SES calls", "state changes", "well after");
    for (what, fault) in [
        ("down", Fault::new(FaultKind::Unavailable)),
        ("errors of its own", Fault::new(FaultKind::ServerError)),
        ("throttled, half of all", Fault { percent: 50, ..Fault::new(FaultKind::Throttled) }),
        ("throttled, all", Fault::new(FaultKind::Throttled)),
        ("denied", Fault::new(FaultKind::Denied)),
        ("slow, 3 s", Fault { delay_ms: 3_000, ..Fault::new(FaultKind::Slow) }),
        ("silent", Fault::new(FaultKind::Hang)),
        ("torn replies", Fault::new(FaultKind::Truncated)),
        ("pages in a circle", Fault::new(FaultKind::RepeatedPageToken)),
        ("without identities", Fault::new(FaultKind::WrongRegion)),
        ("words nobody knows", Fault::new(FaultKind::UnknownStatus)),
        ("now this, now that", Fault::new(FaultKind::Flapping)),
    ] {
        let calls = kept.scene.ses.counters().calls_in_all();
        kept.scene.ses.set_faults(vec![fault]);
        let checks = kept.wait_for_checks(what, least);
        let calls = kept.scene.ses.counters().calls_in_all() - calls;
        assert!(calls > 0, "{what}: SES was not asked");
        assert_eq!(kept.states(), states, "{what}");
        kept.scene.ses.set_faults(Vec::new());
        // That it is heard again shows by something new: passing trouble of one identity, which is no sign.
        kept.change(0, Status::TemporaryFailure, Sees::Wrong(VerificationError::DnsServerError));
        let back = kept.wait_for_status(what, 0, SesStatus::TemporaryFailure);
        kept.change(0, Status::Success, Sees::Dns);
        kept.wait_for_status(what, 0, SesStatus::Success);
        let changes = kept.events() - events;
        println!("{what:<24} {checks:>7} {calls:>9} {changes:>13} {:>9.1} s", back.as_secs_f64());
        assert_eq!(changes, 0, "{what}");
    }
    assert_eq!(kept.states(), states);
    kept.end();
}

#[test]
fn an_ses_that_lies_loses_no_domain_and_the_report_says_what_does_not_fit() {
    let kept = Kept::start(38);
    let (right, broken) = (0, 3);
    let others: Vec<DomainState> = kept.states();
    // It says no to a domain that is right: a definite no degrades, and as long as the DNS says yes nothing is lost.
    kept.change(right, Status::Failed, Sees::Wrong(VerificationError::HostNotFound));
    // It says yes to a domain without records: SES decides on verified, and the DNS warns.
    kept.change(broken, Status::Success, Sees::Right);
    kept.wait_for_status("the lie", right, SesStatus::Failed);
    kept.wait_for_status("the lie", broken, SesStatus::Success);
    let least = Duration::from_secs(number("ZONEPROOF_SES_TROUBLE_SECONDS", 3));
    let checks = kept.wait_for_checks("the lie", least);
    let report = kept.report(right);
    let told = report.ses.as_ref().unwrap();
    assert_eq!((report.verdict, told.outcome), (Verdict::Ready, SesOutcome::RestartNeeded), "{told:?}");
    let report = kept.report(broken);
    let told = report.ses.as_ref().unwrap();
    assert_eq!((report.verdict, told.outcome), (Verdict::Failing, SesOutcome::WillBeLost), "{told:?}");
    let states = kept.states();
    assert_eq!((states[right], states[broken]), (DomainState::Degraded, DomainState::Degraded));
    kept.change(right, Status::Success, Sees::Dns);
    kept.wait_for_status("the truth", right, SesStatus::Success);
    kept.wait_for_checks("the truth", Duration::ZERO);
    let states = kept.states();
    assert_eq!(states[right], DomainState::Verified, "it comes back by itself");
    for (number, (now, then)) in states.iter().zip(&others).enumerate().filter(|(number, _)| *number != broken) {
        assert_eq!(now, then, "d{number}");
    }
    let events = kept.scene.runtime.block_on(kept.store.events(None, 0, 100_000)).unwrap();
    let of = |number: usize| -> Vec<EventKind> {
        let name = format!("d{number}.example");
        events.iter().filter(|event| event.name == name).map(|event| event.kind).collect()
    };
    assert_eq!(of(right), [EventKind::Verified, EventKind::Degraded, EventKind::Recovered]);
    assert_eq!(of(broken), [EventKind::Verified, EventKind::Degraded]);
    println!(
        "{checks} checks under two lies: d{right} {:?}, d{broken} {:?}, the others nothing",
        of(right),
        of(broken)
    );
    kept.end();
}
