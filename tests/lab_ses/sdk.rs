//! The lab's SES through our own client and Amazon's Rust library below it: a second reader of its replies beside boto3.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use zoneproof::dns::name::Name;
use zoneproof::lab::ses::fault::{Fault, FaultKind};
use zoneproof::lab::ses::{ACCESS_KEY, HOME_REGION, Operation, SesLab, SesSettings};
use zoneproof::lab::{self, Lab};
use zoneproof::scenario::expect::Subject;
use zoneproof::ses::client::{
    AwsIdentities, AwsSettings, DkimSigning, Identities, MailContent, Metric, MetricQuery, NewIdentity, NewMailFrom,
    OutgoingMail, PrivateKey, SesError,
};
use zoneproof::ses::identity::{DkimOrigin, KeyLength, OnMxFailure, SesStatus, VerificationError};

use super::World;
use super::verification::private_key;

/// Makes a client that nothing slows down.
async fn connect(ses: &SesLab, region: &str) -> AwsIdentities {
    let settings = AwsSettings {
        region: Some(region.to_owned()),
        endpoint: Some(ses.endpoint()),
        access_key: Some((ACCESS_KEY.to_owned(), ACCESS_KEY.to_owned())),
        per_second: 0.0,
        ..AwsSettings::default()
    };
    AwsIdentities::connect(&settings).await.unwrap()
}

/// Reads a name.
fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[tokio::test]
async fn every_kind_of_identity_reads_as_it_was_made() {
    let world = World::start().await;
    let (home, south) = (connect(&world.ses, HOME_REGION).await, connect(&world.ses, "eu-south-1").await);
    let right = NewIdentity {
        configuration_set: Some("standard".to_owned()),
        tags: vec![("tenant".to_owned(), "one".to_owned())],
        ..NewIdentity::new(name("right.example.com"))
    };
    let made = home.create(&right).await.unwrap();
    assert_eq!((made.dkim_status, made.tokens), (SesStatus::Pending, ["ta", "tb", "tc"].map(str::to_owned).to_vec()));
    let own = DkimSigning::Own { selector: name("s1"), private_key: PrivateKey(private_key()) };
    home.create(&NewIdentity { signing: own, ..NewIdentity::new(name("own.example.com")) }).await.unwrap();
    south.create(&NewIdentity::new(name("south.example.com"))).await.unwrap();
    let replica = DkimSigning::Replica { parent_region: "eu-south-1".to_owned() };
    home.create(&NewIdentity { signing: replica.clone(), ..NewIdentity::new(name("south.example.com")) })
        .await
        .unwrap();
    home.create(&NewIdentity { signing: replica, ..NewIdentity::new(name("orphan.example.com")) }).await.unwrap();
    let bounce = NewMailFrom { domain: name("bounce.right.example.com"), on_mx_failure: OnMxFailure::RejectMessage };
    home.put_mail_from(&right.name, Some(&bounce)).await.unwrap();
    world.ses.look_now().await;
    let told = home.get(&right.name).await.unwrap();
    assert_eq!(
        (told.dkim_status, told.verification_status, told.sending),
        (SesStatus::Success, SesStatus::Success, true)
    );
    assert_eq!((told.origin, told.signing_hosted_zone), (DkimOrigin::EasyDkim, Some(name("dkim.amazonses.com"))));
    assert_eq!((told.current_key_length, told.next_key_length), (Some(KeyLength::Rsa2048), Some(KeyLength::Rsa2048)));
    assert_eq!(told.last_key_generated_at, Some(world.ses.now()));
    let seen = told.verification_info.unwrap();
    assert_eq!(
        (seen.last_checked_at, seen.last_success_at, seen.error),
        (Some(world.ses.now()), Some(world.ses.now()), None)
    );
    assert_eq!(seen.soa.map(|soa| soa.serial), Some(2_026_112_401));
    let mail_from = told.mail_from.unwrap();
    assert_eq!((mail_from.domain, mail_from.status), (bounce.domain, SesStatus::Success));
    let told = home.get(&name("own.example.com")).await.unwrap();
    assert_eq!(
        (told.origin, told.tokens, told.signing_hosted_zone),
        (DkimOrigin::External, vec!["s1".to_owned()], None)
    );
    let told = home.get(&name("south.example.com")).await.unwrap();
    assert_eq!(told.origin, DkimOrigin::Replica { parent_region: "eu-south-1".to_owned() });
    assert_eq!(told.signing_hosted_zone, Some(name("dkim.eu-south-1.amazonses.com")));
    let told = home.get(&name("orphan.example.com")).await.unwrap();
    assert_eq!(told.dkim_status, SesStatus::Failed);
    assert_eq!(told.verification_info.unwrap().error, Some(VerificationError::ReplicationPrimaryNotFound));
}

#[tokio::test]
async fn every_change_is_done_and_told() {
    let world = World::start().await;
    let client = connect(&world.ses, HOME_REGION).await;
    let right = name("right.example.com");
    client.create(&NewIdentity::new(right.clone())).await.unwrap();
    let shorter = DkimSigning::EasyDkim { next_key_length: Some(KeyLength::Rsa1024) };
    let answer = client.put_dkim_signing(&right, &shorter).await.unwrap();
    assert_eq!((answer.status, answer.tokens.len()), (SesStatus::Pending, 3));
    assert_eq!(answer.signing_hosted_zone, Some(name("dkim.amazonses.com")));
    client.put_dkim_enabled(&right, false).await.unwrap();
    world.ses.look_now().await;
    let told = client.get(&right).await.unwrap();
    assert_eq!((told.signing_enabled, told.current_key_length), (false, Some(KeyLength::Rsa1024)));
    let mail = OutgoingMail {
        from: "a@right.example.com".to_owned(),
        to: vec!["b@example.org".to_owned()],
        cc: Vec::new(),
        bcc: Vec::new(),
        reply_to: Vec::new(),
        content: MailContent::Simple { subject: "Hello".to_owned(), text: Some("Hello.".to_owned()), html: None },
        configuration_set: None,
        tags: Vec::new(),
    };
    assert!(!client.send(&mail).await.unwrap().is_empty());
    let raw = OutgoingMail { content: MailContent::Raw(b"Subject: Hello\r\n\r\nHello.\r\n".to_vec()), ..mail };
    client.send(&raw).await.unwrap();
    let query = |id: &str, identity: &str| MetricQuery {
        id: id.to_owned(),
        metric: Metric::Send,
        identity: Some(name(identity)),
        from: Timestamp::UNIX_EPOCH.max(world.ses.now() - SignedDuration::from_hours(24)),
        until: world.ses.now() + SignedDuration::from_hours(24),
    };
    let queries = [query("own", "right.example.com"), query("foreign", "example.org")];
    let answers = client.metrics(&queries).await.unwrap();
    let sent: Vec<i64> = answers[0].outcome.as_ref().unwrap().iter().map(|(_, count)| *count).collect();
    assert_eq!(sent, [0, 2]);
    assert_eq!(answers[1].outcome, Err("ACCESS_DENIED".to_owned()));
    client.delete(&right).await.unwrap();
    assert!(matches!(client.get(&right).await, Err(SesError::NotFound(_))));
}

#[tokio::test]
async fn every_error_and_fault_is_told_apart() {
    let world = World::start().await;
    let client = connect(&world.ses, HOME_REGION).await;
    let right = name("right.example.com");
    let new = NewIdentity::new(right.clone());
    client.create(&new).await.unwrap();
    assert!(matches!(client.create(&new).await, Err(SesError::AlreadyExists(_))));
    let elsewhere = NewMailFrom { domain: name("example.org"), on_mx_failure: OnMxFailure::UseDefaultValue };
    let refused = client.put_mail_from(&right, Some(&elsewhere)).await;
    assert!(matches!(refused, Err(SesError::Refused { .. })), "{refused:?}");
    let meet = async |kind| {
        world.ses.set_faults(vec![Fault::new(kind)]);
        client.get(&right).await
    };
    assert!(matches!(meet(FaultKind::Denied).await, Err(SesError::Denied(_))));
    assert!(matches!(meet(FaultKind::QuotaReached).await, Err(SesError::QuotaReached(_))));
    assert!(matches!(meet(FaultKind::WrongRegion).await, Err(SesError::NotFound(_))));
    assert!(matches!(meet(FaultKind::Truncated).await, Err(SesError::Malformed(_))));
    assert!(matches!(meet(FaultKind::ServerError).await, Err(SesError::Unavailable(_))));
    assert_eq!(meet(FaultKind::UnknownStatus).await.unwrap().dkim_status, SesStatus::Unknown);
    // The library tries again by itself.
    world.ses.set_faults(vec![Fault { times: Some(1), ..Fault::new(FaultKind::Throttled) }]);
    client.get(&right).await.unwrap();
}

#[tokio::test]
async fn the_whole_demo_reads_with_the_tokens_of_its_tenants() {
    let scenario = Arc::new(lab::demo().unwrap());
    let dns = Lab::start(Arc::clone(&scenario), None).await.unwrap();
    let settings = SesSettings { speed: 0, ..SesSettings::default() };
    let ses = SesLab::start(&settings, dns.root_hints(), dns.port()).await.unwrap();
    let count = ses.populate(&scenario);
    let client = connect(&ses, HOME_REGION).await;
    let page = client.list(None).await.unwrap();
    assert_eq!((page.identities.len(), page.next), (count, None));
    for task in &scenario.tasks {
        let Subject::Check(check) = &task.subject else { continue };
        let Ok(told) = client.get(&name(&check.domain)).await else { continue };
        assert_eq!(told.tokens, check.tokens(), "{}", check.domain);
        let listed = page.identities.iter().find(|listed| listed.name == told.name).unwrap();
        assert_eq!((listed.verification_status, listed.sending), (told.verification_status, told.sending));
    }
    let counters = ses.counters();
    assert_eq!(counters.calls_of(Operation::GetEmailIdentity), 360);
    assert_eq!(counters.errors.values().sum::<u64>(), 1, "one tenant's identity is gone");
}
