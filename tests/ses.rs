//! Our client of Amazon SES against the lab's, which throttles, hangs, lies and counts.
#![cfg(test)]
#![cfg(all(feature = "lab", feature = "ses"))]

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use zoneproof::lab::ses::fault::{Fault, FaultKind};
use zoneproof::lab::ses::{Operation, SesLab, SesSettings};
use zoneproof::report::Verdict;
use zoneproof::scenario::Scenario;
use zoneproof::ses::client::{AwsIdentities, AwsSettings, Identities, NewIdentity, SesError};
use zoneproof::ses::identity::{SesIdentity, SesStatus};
use zoneproof::ses::reconcile::SendingSign;
use zoneproof::ses::sync::{Known, SesState, SyncRow, list, sync};

/// The region of the identities.
const REGION: &str = "eu-west-1";

/// Starts an SES whose clock stands still, with so many identities; it sees no DNS.
async fn start(count: usize) -> SesLab {
    let mut text = String::from("root 127.9.0.1\nzone . at 127.9.0.1\n  @ NS a.root.example.\n");
    for number in 0..count {
        text += &format!(
            "check tenant{number}.example.com token=a{number} token=b{number} token=c{number}\n  expect verdict ready\n"
        );
    }
    let scenario: Scenario = text.parse().unwrap();
    let settings = SesSettings { speed: 0, max_identities: 20_000, ..SesSettings::default() };
    let roots = vec![("a.root.example".parse().unwrap(), "127.0.0.1".parse().unwrap())];
    let ses = SesLab::start(&settings, roots, 1).await.unwrap();
    assert_eq!(ses.populate(&scenario), count);
    ses
}

/// Connects to a region, at no limit.
async fn connect(ses: &SesLab, region: &str, timeout: Duration) -> AwsIdentities {
    let settings = AwsSettings {
        region: Some(region.to_owned()),
        endpoint: Some(ses.endpoint()),
        access_key: Some(("lab".to_owned(), "lab".to_owned())),
        per_second: 0.0,
        operation_timeout: timeout * 3,
        attempt_timeout: timeout,
        ..AwsSettings::default()
    };
    AwsIdentities::connect(&settings).await.unwrap()
}

/// A time that is long enough on a busy machine.
const AMPLE: Duration = Duration::from_secs(10);

/// Reads what the listing tells as what is known.
async fn known(client: &AwsIdentities) -> Vec<SesIdentity> {
    let listing = list(client).await.unwrap();
    let of = |listed: &zoneproof::ses::identity::ListedIdentity| SesIdentity {
        verification_status: listed.verification_status,
        sending: listed.sending,
        ..SesIdentity::new(listed.name.clone(), REGION)
    };
    listing.identities.values().map(of).collect()
}

/// Rows that know these identities since a day and more, with a verdict that many of them contradict.
fn rows(known: &[SesIdentity]) -> Vec<SyncRow<'_>> {
    let read_at = Timestamp::now().checked_sub(jiff::SignedDuration::from_hours(30)).unwrap();
    let row = |identity| Known { identity, read_at };
    known.iter().map(|one| SyncRow { name: &one.name, known: Some(row(one)), dns: Some(Verdict::Ready) }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_identities_cost_twenty_calls_by_the_count_of_ses() {
    let ses = start(10_000).await;
    let client = connect(&ses, REGION, AMPLE).await;
    let known = known(&client).await;
    assert_eq!(known.len(), 10_000);
    let before = ses.counters().calls_in_all();
    let synced = sync(&client, &rows(&known), Timestamp::now()).await;
    let calls = ses.counters().calls_in_all() - before;
    assert!(calls <= 20, "{calls} calls");
    assert_eq!(u64::try_from(synced.calls).unwrap(), calls);
    assert!(synced.states.iter().all(|(state, _)| matches!(state, SesState::Identity(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_all_calls_throttled_gives_what_it_gives_without() {
    let ses = start(20).await;
    let client = connect(&ses, REGION, AMPLE).await;
    let known = known(&client).await;
    let calm = sync(&client, &rows(&known), Timestamp::now()).await;
    ses.set_faults(vec![Fault { percent: 50, ..Fault::new(FaultKind::Throttled) }]);
    let names: Vec<_> = known.iter().map(|one| one.name.clone()).collect();
    let read = join_all(names.iter().map(|name| client.get(name))).await;
    assert!(read.iter().all(Result::is_ok), "{read:?}");
    let throttled = sync(&client, &rows(&known), Timestamp::now()).await;
    let signs = |synced: &zoneproof::ses::sync::Synced| -> Vec<SendingSign> {
        synced.states.iter().map(|(state, _)| state.view().sending_sign()).collect()
    };
    assert_eq!(signs(&throttled), signs(&calm));
    assert!(ses.counters().errors.contains_key("TooManyRequestsException"), "{:?}", ses.counters().errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ses_in_trouble_says_nothing_and_recovers() {
    let ses = start(5).await;
    let known = known(&connect(&ses, REGION, AMPLE).await).await;
    for kind in
        [FaultKind::ServerError, FaultKind::Unavailable, FaultKind::Hang, FaultKind::Truncated, FaultKind::Denied]
    {
        ses.set_faults(vec![Fault::new(kind)]);
        let timeout = if kind == FaultKind::Hang { Duration::from_millis(200) } else { AMPLE };
        let client = connect(&ses, REGION, timeout).await;
        let synced = sync(&client, &rows(&known), Timestamp::now()).await;
        for (state, is_fresh) in &synced.states {
            assert!(matches!(state, SesState::Unknown(_)) && !is_fresh, "{kind:?}: {state:?}");
            assert_eq!(state.view().sending_sign(), SendingSign::CannotTell);
        }
        ses.set_faults(Vec::new());
        let client = connect(&ses, REGION, AMPLE).await;
        let after = sync(&client, &rows(&known), Timestamp::now()).await;
        assert!(after.states.iter().all(|(state, _)| matches!(state, SesState::Identity(_))), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_goes_round_says_nothing() {
    let ses = start(1_500).await;
    let client = connect(&ses, REGION, AMPLE).await;
    let known = known(&client).await;
    ses.set_faults(vec![Fault::new(FaultKind::RepeatedPageToken)]);
    let before = ses.counters().calls_in_all();
    let synced = sync(&client, &rows(&known), Timestamp::now()).await;
    assert!(synced.states.iter().all(|(state, _)| matches!(state, SesState::Unknown(_))));
    assert!(ses.counters().calls_in_all() - before <= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_nobody_knows_change_no_state() {
    let ses = start(5).await;
    let client = connect(&ses, REGION, AMPLE).await;
    let known = known(&client).await;
    ses.set_faults(vec![Fault::new(FaultKind::UnknownStatus)]);
    for one in &known {
        let identity = client.get(&one.name).await.unwrap();
        assert_eq!((identity.dkim_status, identity.verification_status), (SesStatus::Unknown, SesStatus::Unknown));
        assert_ne!(SesState::of(Ok(identity)).view().sending_sign(), SendingSign::Negative);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_terminal_and_another_region_has_other_identities() {
    let ses = start(1).await;
    let client = connect(&ses, "us-east-1", AMPLE).await;
    let name = "tenant0.example.com".parse().unwrap();
    assert_eq!(client.get(&name).await, Err(SesError::NotFound("tenant0.example.com".to_owned())));
    ses.set_faults(vec![Fault::new(FaultKind::QuotaReached)]);
    let outcome = client.create(&NewIdentity::new(name.clone())).await;
    assert!(matches!(outcome, Err(SesError::QuotaReached(_))), "{outcome:?}");
    ses.set_faults(Vec::new());
    let made = client.create(&NewIdentity::new(name.clone())).await.unwrap();
    assert_eq!((made.tokens.len(), made.region.as_str()), (3, "us-east-1"));
    assert_eq!(
        client.create(&NewIdentity::new(name.clone())).await,
        Err(SesError::AlreadyExists("tenant0.example.com".to_owned()))
    );
    assert_eq!(ses.counters().identity("us-east-1", "tenant0.example.com").creates, 1);
    assert_eq!(client.get(&name).await.unwrap().tokens, made.tokens);
    client.delete(&name).await.unwrap();
    assert_eq!(ses.counters().calls_of(Operation::DeleteEmailIdentity), 1);
}
