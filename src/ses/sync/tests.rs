use super::*;
use crate::ses::memory::Memory;

/// An identity with this number in its name, verified or not.
fn identity(number: usize, status: SesStatus, sending: bool) -> SesIdentity {
    let name = Name::parse(&format!("tenant{number}.example.com")).unwrap();
    SesIdentity { dkim_status: status, verification_status: status, sending, ..SesIdentity::new(name, "eu-west-1") }
}

/// So many identities, every third of which is pending.
fn fleet(count: usize) -> Vec<SesIdentity> {
    let of = |number: usize| match number % 3 {
        0 => identity(number, SesStatus::Pending, false),
        _ => identity(number, SesStatus::Success, true),
    };
    (0..count).map(of).collect()
}

/// When the syncs of these tests are.
fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// Some time before.
fn before(minutes: i64) -> Timestamp {
    now().checked_sub(SignedDuration::from_mins(minutes)).unwrap()
}

/// Rows that know these identities since some minutes, with this verdict.
fn rows(known: &[SesIdentity], minutes: i64, dns: Option<Verdict>) -> Vec<SyncRow<'_>> {
    let row = |identity| SyncRow {
        name: identity_name(identity),
        known: Some(Known { identity, read_at: before(minutes) }),
        dns,
    };
    known.iter().map(row).collect()
}

/// The name of an identity.
fn identity_name(identity: &SesIdentity) -> &Name {
    &identity.name
}

/// The states alone.
fn states(synced: &Synced) -> Vec<SesState> {
    synced.states.iter().map(|(state, _)| state.clone()).collect()
}

#[tokio::test]
async fn ten_thousand_identities_cost_twenty_calls_at_most_in_steady_state() {
    let fleet = fleet(10_000);
    let ses = Memory { identities: fleet.clone(), page: 1_000, ..Memory::default() };
    // A third is pending although its DNS is right, and nothing was read for two days: all of it wants a look.
    for minutes in [1, 20, 2 * 24 * 60] {
        let (lists, gets) = (ses.lists(), ses.gets().len());
        let synced = sync(&ses, &rows(&fleet, minutes, Some(Verdict::Ready)), now()).await;
        let calls = ses.lists() - lists + ses.gets().len() - gets;
        assert_eq!(synced.calls, calls);
        assert!(calls <= 20, "{calls} calls after {minutes} minutes");
        let expected: Vec<SesState> = fleet.iter().cloned().map(|one| SesState::Identity(Box::new(one))).collect();
        assert_eq!(states(&synced), expected);
    }
    assert_eq!(ses.gets().len(), 20, "one for every thousand where there is something to see");
}

#[tokio::test]
async fn what_changed_is_read_at_once_and_nothing_else() {
    let known = fleet(2_000);
    let mut there = known.clone();
    there[1] = identity(1, SesStatus::Failed, false);
    there[3] = identity(3, SesStatus::Success, true);
    there.remove(7);
    there.push(identity(9_999, SesStatus::Pending, false));
    let ses = Memory { identities: there.clone(), page: 1_000, ..Memory::default() };
    let new = there.last().unwrap().name.clone();
    let mut rows = rows(&known, 5, None);
    let never = Name::parse("never.example.com").unwrap();
    rows.push(SyncRow { name: &new, known: None, dns: None });
    rows.push(SyncRow { name: &never, known: None, dns: None });
    let synced = sync(&ses, &rows, now()).await;
    let mut asked = ses.gets();
    asked.sort();
    let mut expected = [&known[1], &known[3], &known[7]].map(|one| one.name.clone()).to_vec();
    expected.push(new);
    expected.sort();
    assert_eq!(asked, expected);
    assert_eq!(synced.states[1], (SesState::Identity(Box::new(there[1].clone())), true));
    assert_eq!(synced.states[7], (SesState::NoIdentity, true));
    assert_eq!(synced.states[2_001], (SesState::NoIdentity, false));
    assert_eq!(synced.states[2], (SesState::Identity(Box::new(known[2].clone())), false));
}

#[tokio::test]
async fn an_ses_that_is_down_leaves_every_row_unknown() {
    let fleet = fleet(3_000);
    let down = SesError::Unavailable("no answer in time".to_owned());
    for page in [0, 2] {
        let ses = Memory {
            identities: fleet.clone(),
            page: 1_000,
            list_error: Some((page, down.clone())),
            ..Memory::default()
        };
        let synced = sync(&ses, &rows(&fleet, 5, None), now()).await;
        assert!(synced.states.iter().all(|(state, _)| *state == SesState::Unknown(down.clone())), "page {page}");
        assert!(ses.gets().is_empty());
    }
}

#[tokio::test]
async fn a_look_that_was_only_to_spare_takes_nothing_back() {
    let known = fleet(2_000);
    let mut there = known.clone();
    there[1] = identity(1, SesStatus::Failed, false);
    let ses = Memory { identities: there, page: 1_000, get_error: Some(SesError::Throttled), ..Memory::default() };
    let synced = sync(&ses, &rows(&known, 60, Some(Verdict::Ready)), now()).await;
    // What the listing confirms is kept; what it says has changed is not known until it is read.
    for (place, (state, _)) in synced.states.iter().enumerate() {
        let expected = match place {
            1 => SesState::Unknown(SesError::Throttled),
            _ => SesState::Identity(Box::new(known[place].clone())),
        };
        assert_eq!(*state, expected, "{place}");
    }
    assert_eq!(ses.gets().len(), 3, "the changed one and two to spare");
}

#[tokio::test]
async fn a_listing_that_goes_round_ends() {
    let ses = Memory { identities: fleet(10), page: 2, goes_round: true, ..Memory::default() };
    let error = list(&ses).await.unwrap_err();
    assert_eq!(error, SesError::Malformed("the listing comes back to a page that it had".to_owned()));
    assert_eq!(ses.lists(), 2);
}

#[test]
fn a_disagreement_is_told_by_both_sides() {
    let good = (SesStatus::Success, true);
    let pending = (SesStatus::Pending, false);
    let odd = (SesStatus::Success, false);
    for ((status, sending), dns, minutes, expected) in [
        (good, Some(Verdict::Ready), 60, Worth::Nothing),
        (good, Some(Verdict::Failing), 60, Worth::Disagreement),
        (good, Some(Verdict::Partial), 60, Worth::Disagreement),
        (good, Some(Verdict::Failing), 14, Worth::Nothing),
        (good, Some(Verdict::Indeterminate), 60, Worth::Nothing),
        (good, Some(Verdict::Propagating), 60, Worth::Nothing),
        (good, None, 60, Worth::Nothing),
        (pending, Some(Verdict::Ready), 60, Worth::Disagreement),
        (pending, Some(Verdict::Failing), 60, Worth::Nothing),
        (odd, Some(Verdict::Ready), 60, Worth::Disagreement),
        (odd, Some(Verdict::Failing), 60, Worth::Disagreement),
        (good, Some(Verdict::Ready), 25 * 60, Worth::Stale),
    ] {
        let known = identity(1, status, sending);
        let listed = ListedIdentity { name: known.name.clone(), verification_status: status, sending };
        let row = SyncRow { name: &known.name, known: Some(Known { identity: &known, read_at: before(minutes) }), dns };
        assert_eq!(worth(Some(&listed), &row, now()), expected, "{status:?} {sending} {dns:?} {minutes}");
    }
}

#[test]
fn calls_to_spare_go_to_disagreements_and_then_to_the_oldest() {
    let known = fleet(2_000);
    let mut rows = rows(&known, 25 * 60, None);
    let set = |rows: &mut Vec<SyncRow<'_>>, place: usize, minutes: i64, dns: Option<Verdict>| {
        rows[place].known.as_mut().unwrap().read_at = before(minutes);
        rows[place].dns = dns;
    };
    set(&mut rows, 500, 99 * 60, None);
    set(&mut rows, 601, 20, Some(Verdict::Failing));
    let listing = Listing {
        identities: known
            .iter()
            .map(|one| {
                let listed = ListedIdentity {
                    name: one.name.clone(),
                    verification_status: one.verification_status,
                    sending: one.sending,
                };
                (one.name.clone(), listed)
            })
            .collect(),
        pages: 2,
    };
    assert_eq!(plan(&listing, &rows, now()), [500, 601]);
    set(&mut rows, 700, 30, Some(Verdict::Failing));
    set(&mut rows, 701, 40, Some(Verdict::Failing));
    assert_eq!(plan(&listing, &rows, now()), [700, 701], "the oldest two of three disagreements");
}
