//! What identities become: verified, failed, lost and restarted, by what the DNS says.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zoneproof::lab::ses::{Change, Sees, Status, VerificationError};

use super::World;

/// An hour.
const HOUR: Duration = Duration::from_secs(3600);

/// An INTEGER of 128 to 254 octets in DER, not negative.
fn integer(octets: &[u8]) -> Vec<u8> {
    [&[2, 0x81, u8::try_from(octets.len() + 1).unwrap(), 0][..], octets].concat()
}

/// A SEQUENCE of 128 to 255 octets in DER.
fn sequence(body: &[u8]) -> Vec<u8> {
    [&[0x30, 0x81, u8::try_from(body.len()).unwrap()][..], body].concat()
}

/// The modulus and exponent of a key that nobody can sign with.
fn modulus_and_exponent() -> Vec<u8> {
    [&integer(&[0xc5; 128])[..], &[2, 3, 1, 0, 1]].concat()
}

/// The public key, as a key record has it.
pub(super) fn public_key() -> String {
    STANDARD.encode(sequence(&modulus_and_exponent()))
}

/// The private key, without the parts that a public key does not need.
pub(super) fn private_key() -> String {
    STANDARD.encode(sequence(&[&[2, 1, 0][..], &modulus_and_exponent()].concat()))
}

#[tokio::test]
async fn right_records_verify_and_the_look_is_told() {
    let world = World::start().await;
    let created = world.create("right.example.com").await;
    assert_eq!(created["VerifiedForSendingStatus"], false);
    assert_eq!(created["DkimAttributes"]["Status"], "PENDING");
    assert_eq!(created["DkimAttributes"]["Tokens"], json!(["ta", "tb", "tc"]));
    world.ses.look_now().await;
    let told = world.get("Right.Example.com").await;
    assert_eq!((&told["VerificationStatus"], &told["VerifiedForSendingStatus"]), (&json!("SUCCESS"), &json!(true)));
    assert_eq!(told["DkimAttributes"]["SigningHostedZone"], "dkim.amazonses.com");
    let seen = &told["VerificationInfo"];
    assert_eq!(seen["SOARecord"]["SerialNumber"], 2_026_112_401_u32);
    assert_eq!(seen["SOARecord"]["PrimaryNameServer"], "ns1.example.com.");
    assert_eq!(seen["LastCheckedTimestamp"].as_f64(), Some(1_795_521_600.0));
    assert_eq!(seen["LastSuccessTimestamp"], seen["LastCheckedTimestamp"]);
    assert_eq!(seen.get("ErrorType"), None);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_fails_after_72_hours() {
    let world = World::start().await;
    let cases = [
        ("nowhere", "HOST_NOT_FOUND"),
        ("text", "TYPE_NOT_FOUND"),
        ("other", "INVALID_VALUE"),
        ("south", "INVALID_VALUE"),
        ("broken", "DNS_SERVER_ERROR"),
    ];
    for (label, _) in cases {
        world.create(&format!("{label}.example.com")).await;
    }
    for (hours, status) in [(71, "PENDING"), (1, "FAILED")] {
        world.ses.advance(HOUR * hours).await;
        for (label, error) in cases {
            let told = world.get(&format!("{label}.example.com")).await;
            assert_eq!(
                (&told["DkimAttributes"]["Status"], &told["VerificationStatus"]),
                (&json!(status), &json!(status))
            );
            assert_eq!(told["VerificationInfo"]["ErrorType"], error, "{label}");
            assert_eq!(told["VerifiedForSendingStatus"], false);
        }
    }
    let looks = world.ses.counters().looks;
    world.ses.advance(HOUR * 100).await;
    assert_eq!(world.ses.counters().looks, looks, "nobody looks after a failure");
}

#[tokio::test]
async fn a_failed_verification_is_restarted_with_its_tokens() {
    let world = World::start().await;
    world.create("right.example.com").await;
    let wrong = Change { sees: Some(Sees::Wrong(VerificationError::HostNotFound)), ..Change::default() };
    assert!(world.ses.change("eu-west-1", "right.example.com", &wrong));
    let failed = Change { status: Some(Status::Failed), sees: Some(Sees::Dns), ..Change::default() };
    assert!(world.ses.change("eu-west-1", "right.example.com", &failed));
    world.ses.look_now().await;
    assert_eq!(world.get("right.example.com").await["DkimAttributes"]["Status"], "FAILED", "a failure stays");
    let path = "/v2/email/identities/right.example.com/dkim/signing";
    let restarted = world.call("PUT", path, json!({"SigningAttributesOrigin": "AWS_SES"})).await.json();
    assert_eq!(restarted["DkimStatus"], "PENDING");
    assert_eq!(restarted["DkimTokens"], json!(["ta", "tb", "tc"]));
    assert_eq!(restarted["SigningHostedZone"], "dkim.amazonses.com");
    world.ses.look_now().await;
    assert_eq!(world.get("right.example.com").await["DkimAttributes"]["Status"], "SUCCESS");
}

#[tokio::test]
async fn records_that_go_are_a_temporary_failure_for_five_days() {
    let world = World::start().await;
    world.create("right.example.com").await;
    world.ses.look_now().await;
    let gone = Change { sees: Some(Sees::Wrong(VerificationError::HostNotFound)), ..Change::default() };
    assert!(world.ses.change("eu-west-1", "right.example.com", &gone));
    for (hours, status, can_send) in
        [(24, Status::TemporaryFailure, true), (119, Status::TemporaryFailure, true), (2, Status::Failed, false)]
    {
        world.ses.advance(HOUR * hours).await;
        let standing = world.ses.standing("eu-west-1", "right.example.com").unwrap();
        assert_eq!((standing.dkim, standing.can_send), (status, can_send), "{hours}");
    }
}

#[tokio::test]
async fn a_key_that_was_brought_is_looked_for_under_its_selector() {
    let world = World::start().await;
    let signing = |selector: &str| json!({"DomainSigningSelector": selector, "DomainSigningPrivateKey": private_key()});
    let body = json!({"EmailIdentity": "own.example.com", "DkimSigningAttributes": signing("s1")});
    let created = world.call("POST", "/v2/email/identities", body).await.json();
    assert_eq!(created["DkimAttributes"]["SigningAttributesOrigin"], "EXTERNAL");
    assert_eq!(created["DkimAttributes"]["Tokens"], json!(["s1"]));
    assert_eq!(created["DkimAttributes"].get("SigningHostedZone"), None);
    world.ses.look_now().await;
    assert_eq!(world.get("own.example.com").await["DkimAttributes"]["Status"], "SUCCESS");
    let path = "/v2/email/identities/own.example.com/dkim/signing";
    for (selector, error) in [("s2", "INVALID_VALUE"), ("s3", "HOST_NOT_FOUND")] {
        let body = json!({"SigningAttributesOrigin": "EXTERNAL", "SigningAttributes": signing(selector)});
        let told = world.call("PUT", path, body).await.json();
        assert_eq!(told["DkimTokens"], json!([selector]));
        world.ses.look_now().await;
        let told = world.get("own.example.com").await;
        assert_eq!(told["VerificationInfo"]["ErrorType"], error, "{selector}");
        assert_eq!(told["DkimAttributes"]["Status"], "PENDING");
    }
}

#[tokio::test]
async fn a_replica_has_the_tokens_and_zone_of_its_parent() {
    let world = World::start().await;
    let create = async |region: &str, origin: Option<&str>, name: &str| {
        let mut body = json!({"EmailIdentity": name});
        if let Some(origin) = origin {
            body["DkimSigningAttributes"] = json!({"DomainSigningAttributesOrigin": origin});
        }
        world.call_in(region, "POST", "/v2/email/identities", body).await.json()
    };
    create("eu-south-1", None, "south.example.com").await;
    let replica = create("eu-west-1", Some("AWS_SES_EU_SOUTH_1"), "south.example.com").await;
    assert_eq!(replica["DkimAttributes"]["Tokens"], json!(["ta", "tb", "tc"]));
    assert_eq!(replica["DkimAttributes"]["SigningHostedZone"], "dkim.eu-south-1.amazonses.com");
    assert_eq!(replica["DkimAttributes"]["SigningAttributesOrigin"], "AWS_SES_EU_SOUTH_1");
    create("eu-central-1", Some("AWS_SES_EU_WEST_1"), "south.example.com").await;
    create("us-east-1", Some("AWS_SES_SA_EAST_1"), "south.example.com").await;
    create("us-east-2", Some("AWS_SES_US_EAST_2"), "south.example.com").await;
    world.ses.look_now().await;
    for (region, status, error) in [
        ("eu-south-1", Status::Success, None),
        ("eu-west-1", Status::Success, None),
        ("eu-central-1", Status::Failed, Some(VerificationError::ReplicationReplicaAsPrimaryNotSupported)),
        ("us-east-1", Status::Failed, Some(VerificationError::ReplicationPrimaryNotFound)),
        ("us-east-2", Status::Failed, Some(VerificationError::ReplicationPrimaryInvalidRegion)),
    ] {
        let standing = world.ses.standing(region, "south.example.com").unwrap();
        assert_eq!((standing.dkim, standing.error), (status, error), "{region}");
    }
}

#[tokio::test]
async fn a_mail_from_name_wants_exactly_one_mx() {
    let world = World::start().await;
    world.create("right.example.com").await;
    let path = "/v2/email/identities/right.example.com/mail-from";
    for (label, status) in [("bounce", "SUCCESS"), ("two", "PENDING"), ("none", "PENDING")] {
        let name = format!("{label}.right.example.com");
        let body = json!({"MailFromDomain": name, "BehaviorOnMxFailure": "REJECT_MESSAGE"});
        assert_eq!(world.call("PUT", path, body).await.json(), json!({}));
        world.ses.look_now().await;
        let told = world.get("right.example.com").await;
        let expected =
            json!({"MailFromDomain": name, "MailFromDomainStatus": status, "BehaviorOnMxFailure": "REJECT_MESSAGE"});
        assert_eq!(told["MailFromAttributes"], expected);
    }
    assert_eq!(world.call("PUT", path, json!({})).await.status, 200);
    assert_eq!(world.get("right.example.com").await.get("MailFromAttributes"), None::<&Value>);
}
