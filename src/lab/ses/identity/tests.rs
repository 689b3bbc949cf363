//! What an identity makes of time, looks and changes.

use proptest::prelude::*;

use super::*;
use crate::lab::ses::track::SEARCH_WINDOW;

/// The hour `hours` after the beginning.
fn at(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

/// What a look comes upon where the DKIM records are like this.
fn sighting(dkim: Seen) -> Sighting {
    let soa = SeenSoa { primary: "ns1.example.com".into(), admin: "hostmaster.example.com".into(), serial: 7 };
    Sighting { dkim, mail_from: None, soa: Some(soa) }
}

/// Nothing found.
fn nothing() -> Sighting {
    sighting(Seen::Wrong(VerificationError::HostNotFound))
}

/// An identity of Easy DKIM, made at the beginning.
fn easy() -> Identity {
    let tokens = ["a", "b", "c"].map(str::to_owned).to_vec();
    Identity::domain("example.com", Signing::Easy { tokens }, at(0))
}

#[test]
fn a_leap_in_time_goes_through_every_look_that_was_due() {
    let mut identity = easy();
    identity.catch_up(&nothing(), at(71));
    assert_eq!((identity.dkim.status, identity.can_send()), (Status::Pending, false));
    assert_eq!(identity.last_checked_at, Some(at(71)));
    identity.catch_up(&nothing(), at(1000));
    assert_eq!((identity.dkim.status, identity.dkim.since), (Status::Failed, at(72)));
    assert_eq!((identity.due_at, identity.last_checked_at), (None, Some(at(72))));
    let mut identity = easy();
    identity.catch_up(&sighting(Seen::Right), at(1000));
    assert_eq!((identity.dkim.status, identity.dkim.since), (Status::Success, at(0)));
    assert!(identity.last_success_at > Some(at(1000 - 25)));
    identity.catch_up(&nothing(), at(1000 + 24 * 7));
    assert_eq!((identity.dkim.status, identity.can_send()), (Status::Failed, false));
}

#[test]
fn the_last_look_is_told_with_its_error_and_soa() {
    let mut identity = easy();
    assert_eq!((identity.last_checked_at, identity.soa.clone()), (None, None));
    identity.catch_up(&nothing(), at(0));
    assert_eq!(identity.error, Some(VerificationError::HostNotFound));
    assert_eq!((identity.last_success_at, identity.soa.as_ref().map(|soa| soa.serial)), (None, Some(7)));
    identity.catch_up(&sighting(Seen::Right), at(1));
    assert_eq!((identity.error, identity.last_success_at.is_some()), (None, true));
}

#[test]
fn a_loss_is_temporary_first_and_mail_still_goes_out() {
    let mut identity = easy();
    identity.catch_up(&sighting(Seen::Right), at(0));
    identity.catch_up(&nothing(), at(25));
    assert_eq!(identity.verification_status(), Status::TemporaryFailure);
    assert!(identity.can_send());
    identity.catch_up(&sighting(Seen::Right), at(26));
    assert_eq!(identity.verification_status(), Status::Success);
}

#[test]
fn a_restart_after_failure_keeps_the_tokens() {
    let mut identity = easy();
    identity.catch_up(&nothing(), at(100));
    let before = identity.signing.clone();
    identity.sign_easily(vec!["other".to_owned()], None, at(100)).unwrap();
    assert_eq!((identity.dkim.status, &identity.signing), (Status::Pending, &before));
    identity.catch_up(&sighting(Seen::Right), at(100));
    assert_eq!(identity.dkim.status, Status::Success);
}

#[test]
fn another_key_length_is_waited_for_while_the_old_key_signs() {
    let mut identity = easy();
    identity.catch_up(&sighting(Seen::Right), at(0));
    identity.sign_easily(Vec::new(), Some(KeyLength::Rsa1024), at(1)).unwrap();
    assert_eq!((identity.dkim.status, identity.can_send()), (Status::Pending, true));
    assert_eq!(identity.verification_status(), Status::Success);
    assert_eq!((identity.current_key, identity.next_key), (KeyLength::Rsa2048, KeyLength::Rsa1024));
    let again = identity.sign_easily(Vec::new(), Some(KeyLength::Rsa2048), at(24));
    assert!(matches!(again, Err(ApiError::BadRequest(_))), "{again:?}");
    identity.catch_up(&sighting(Seen::Right), at(24));
    assert_eq!((identity.current_key, identity.keys_made_at), (KeyLength::Rsa1024, at(1)));
    identity.sign_easily(Vec::new(), Some(KeyLength::Rsa2048), at(25)).unwrap();
}

#[test]
fn another_way_to_sign_is_searched_for_and_may_fail() {
    let mut identity = easy();
    identity.catch_up(&sighting(Seen::Right), at(0));
    identity.sign_with("s1", OwnKey::of_public("MIGf").unwrap(), at(1));
    assert_eq!((identity.dkim.status, identity.can_send()), (Status::Pending, true));
    identity.catch_up(&nothing(), at(1) + SEARCH_WINDOW);
    assert_eq!((identity.dkim.status, identity.can_send()), (Status::Failed, false));
    identity.replicate("eu-south-1", at(200));
    assert_eq!((identity.dkim.status, identity.dkim.since), (Status::Pending, at(200)));
    assert_eq!(identity.signing, Signing::Replica { parent: "eu-south-1".to_owned() });
}

#[test]
fn a_mail_from_name_lies_below_and_has_its_own_verification() {
    let mut identity = easy();
    for foreign in ["example.com", "example.org", "bounceexample.com", "no name at all"] {
        let refused = identity.send_from(Some(foreign), OnMxFailure::RejectMessage, at(0));
        assert!(matches!(refused, Err(ApiError::BadRequest(_))), "{foreign}: {refused:?}");
    }
    identity.send_from(Some("Bounce.Example.com"), OnMxFailure::RejectMessage, at(0)).unwrap();
    let mut sighting = sighting(Seen::Right);
    sighting.mail_from = Some(Seen::Wrong(VerificationError::TypeNotFound));
    identity.catch_up(&sighting, at(72));
    let mail_from = identity.mail_from.as_ref().unwrap();
    assert_eq!((mail_from.domain.as_str(), mail_from.track.status), ("bounce.example.com", Status::Failed));
    assert_eq!(identity.dkim.status, Status::Success);
    identity.send_from(None, OnMxFailure::default(), at(73)).unwrap();
    assert_eq!(identity.mail_from, None);
}

#[test]
fn a_legacy_verification_sends_whatever_dkim_is() {
    let mut identity = easy();
    identity.is_verified_otherwise = true;
    assert_eq!((identity.dkim.status, identity.verification_status()), (Status::Pending, Status::Success));
    identity.catch_up(&nothing(), at(100));
    assert_eq!((identity.dkim.status, identity.can_send()), (Status::Failed, true));
}

#[test]
fn what_was_told_counts_before_the_dns() {
    let mut identity = easy();
    identity.pretence = Some(Seen::Wrong(VerificationError::DnsServerError));
    identity.catch_up(&sighting(Seen::Right), at(1));
    assert_eq!((identity.dkim.status, identity.error), (Status::Pending, Some(VerificationError::DnsServerError)));
}

#[test]
fn an_address_is_never_looked_at() {
    let mut identity = Identity::address("someone@example.com", at(0));
    identity.look_soon(at(1));
    identity.catch_up(&sighting(Seen::Right), at(1000));
    assert_eq!((identity.due_at, identity.last_checked_at), (None, None));
    assert_eq!((identity.verification_status(), identity.can_send()), (Status::Pending, false));
}

/// Something that a look comes to.
fn any_seen() -> impl Strategy<Value = Seen> {
    prop_oneof![
        Just(Seen::Right),
        Just(Seen::Wrong(VerificationError::HostNotFound)),
        Just(Seen::Wrong(VerificationError::DnsServerError)),
    ]
}

proptest! {
    #[test]
    fn a_leap_is_the_same_as_the_steps_on_the_way(seen in any_seen(), steps in prop::collection::vec(0_i64..200, 1..8)) {
        let (mut leaping, mut stepping, mut now) = (easy(), easy(), 0);
        for step in steps {
            now += step;
            stepping.catch_up(&sighting(seen), at(now));
        }
        leaping.catch_up(&sighting(seen), at(now));
        prop_assert_eq!(leaping, stepping);
    }

    #[test]
    fn nothing_fails_within_72_hours_of_a_right_look(looks in prop::collection::vec((1_i64..100, any_seen()), 1..20)) {
        let (mut identity, mut now) = (easy(), 0);
        for (step, seen) in looks {
            now += step;
            identity.catch_up(&sighting(seen), at(now));
            let is_fresh = identity.last_success_at.is_some_and(|last| at(now).duration_since(last) < SEARCH_WINDOW);
            prop_assert!(!is_fresh || identity.dkim.status != Status::Failed);
            prop_assert_eq!(identity.can_send(), identity.dkim.has_succeeded);
            prop_assert_eq!(identity.due_at.is_none(), identity.dkim.status == Status::Failed);
        }
    }
}
