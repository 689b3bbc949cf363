use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::ses::client::{MailContent, Metric, PrivateKey};
use crate::ses::identity::{DkimOrigin, KeyLength, OnMxFailure, VerificationError};
use crate::ses::sync;

/// What the endpoint says to one request.
#[derive(Clone)]
enum Said {
    /// A whole reply: status, name of the error, body.
    Reply(u16, &'static str, String),
    /// The first half of a reply, then the end of the connection.
    Cut(String),
    /// Nothing.
    Silence,
}

/// An endpoint that says what it was told to say, in turn; the last saying is repeated.
struct Endpoint {
    /// Where it listens.
    url: String,
    /// What it was asked: method, path and body.
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

/// Says whether an error is the one that is expected.
type Fits<'a> = &'a dyn Fn(&SesError) -> bool;

/// Says this with status 200.
fn ok(body: &str) -> Said {
    Said::Reply(200, "", body.to_owned())
}

/// Says that something went wrong.
fn error(status: u16, name: &'static str) -> Said {
    Said::Reply(status, name, format!("{{\"message\":\"{name} it is\"}}"))
}

impl Endpoint {
    /// Starts to listen on loopback.
    async fn start(script: Vec<Said>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new((script, 0_usize)));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&log)));
            }
        });
        Self { url, asked }
    }

    /// Connects without a limit on the rate, and with short times.
    async fn client(&self) -> AwsIdentities {
        AwsIdentities::connect(&AwsSettings { per_second: 0.0, ..self.settings() }).await.unwrap()
    }

    /// How it is reached, at the usual rate.
    fn settings(&self) -> AwsSettings {
        AwsSettings {
            region: Some("eu-west-1".to_owned()),
            endpoint: Some(self.url.clone()),
            access_key: Some(("AKIDEXAMPLE".to_owned(), "secret".to_owned())),
            ..AwsSettings::default()
        }
    }

    /// What it was asked, as `METHOD path`.
    fn lines(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }

    /// The body of the last request.
    fn body(&self) -> serde_json::Value {
        let asked = self.asked.lock().unwrap();
        serde_json::from_str(&asked.last().unwrap().1).unwrap()
    }
}

/// Serves one connection.
async fn serve(mut stream: TcpStream, script: Arc<Mutex<(Vec<Said>, usize)>>, log: Arc<Mutex<Vec<(String, String)>>>) {
    let mut octets = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&octets).into_owned();
        let Some((head, rest)) = text.split_once("\r\n\r\n") else {
            let mut part = [0; 4096];
            match stream.read(&mut part).await {
                Ok(count) if count > 0 => octets.extend_from_slice(&part[..count]),
                _ => return,
            }
            continue;
        };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse::<usize>().unwrap())
        });
        let length = length.unwrap_or(0);
        if rest.len() < length {
            let mut part = [0; 4096];
            match stream.read(&mut part).await {
                Ok(count) if count > 0 => octets.extend_from_slice(&part[..count]),
                _ => return,
            }
            continue;
        }
        let line: Vec<&str> = head.lines().next().unwrap().split(' ').take(2).collect();
        log.lock().unwrap().push((line.join(" "), rest[..length].to_owned()));
        octets.clear();
        let said = {
            let mut script = script.lock().unwrap();
            let place = script.1.min(script.0.len() - 1);
            script.1 += 1;
            script.0[place].clone()
        };
        match said {
            Said::Silence => {
                std::future::pending::<()>().await;
            }
            Said::Cut(body) => {
                let _ = stream
                    .write_all(
                        format!(
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                            body.len() + 100
                        )
                        .as_bytes(),
                    )
                    .await;
                return;
            }
            Said::Reply(status, name, body) => {
                let kind = if name.is_empty() { String::new() } else { format!("x-amzn-errortype: {name}\r\n") };
                let reply = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{kind}content-length: {}\r\n\r\n{body}",
                    body.len()
                );
                if stream.write_all(reply.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The domain of these tests.
fn domain() -> Name {
    Name::parse("mail.example.com").unwrap()
}

/// A whole identity as SES writes it.
const IDENTITY: &str = r#"{"IdentityType":"DOMAIN","FeedbackForwardingStatus":true,"VerifiedForSendingStatus":false,
    "VerificationStatus":"PENDING",
    "DkimAttributes":{"SigningEnabled":true,"Status":"TEMPORARY_FAILURE","Tokens":["a1","b2","c3"],
        "SigningHostedZone":"dkim.eu-north-1.amazonses.com","SigningAttributesOrigin":"AWS_SES_EU_NORTH_1",
        "NextSigningKeyLength":"RSA_2048_BIT","CurrentSigningKeyLength":"RSA_1024_BIT",
        "LastKeyGenerationTimestamp":1.7639856e9},
    "MailFromAttributes":{"MailFromDomain":"bounce.mail.example.com","MailFromDomainStatus":"FAILED",
        "BehaviorOnMxFailure":"REJECT_MESSAGE"},
    "VerificationInfo":{"LastCheckedTimestamp":1763985600.5,"ErrorType":"HOST_NOT_FOUND",
        "SOARecord":{"PrimaryNameServer":"ns1.example.","AdminEmail":"root.example.","SerialNumber":4294967295}}}"#;

#[tokio::test]
async fn an_identity_is_read_whole() {
    let endpoint = Endpoint::start(vec![ok(IDENTITY)]).await;
    let identity = endpoint.client().await.get(&domain()).await.unwrap();
    assert_eq!(endpoint.lines(), ["GET /v2/email/identities/mail.example.com"]);
    assert_eq!(identity.region, "eu-west-1");
    assert_eq!(identity.origin, DkimOrigin::Replica { parent_region: "eu-north-1".to_owned() });
    assert_eq!(identity.signing_hosted_zone, Some(Name::parse("dkim.eu-north-1.amazonses.com").unwrap()));
    assert_eq!((identity.dkim_status, identity.verification_status), (SesStatus::TemporaryFailure, SesStatus::Pending));
    assert_eq!((identity.sending, identity.signing_enabled), (false, true));
    assert_eq!(identity.tokens, ["a1", "b2", "c3"]);
    assert_eq!(
        (identity.current_key_length, identity.next_key_length),
        (Some(KeyLength::Rsa1024), Some(KeyLength::Rsa2048))
    );
    assert_eq!(identity.last_key_generated_at.unwrap().to_string(), "2025-11-24T12:00:00Z");
    let mail_from = identity.mail_from.unwrap();
    assert_eq!((mail_from.status, mail_from.on_mx_failure), (SesStatus::Failed, OnMxFailure::RejectMessage));
    let info = identity.verification_info.unwrap();
    assert_eq!(info.last_checked_at.unwrap().to_string(), "2025-11-24T12:00:00.5Z");
    assert_eq!((info.last_success_at, info.error), (None, Some(VerificationError::HostNotFound)));
    assert_eq!(info.soa.unwrap().serial, u32::MAX);
}

#[tokio::test]
async fn words_and_members_that_nobody_knows_are_unknown() {
    let odd = r#"{"IdentityType":"GALAXY","VerifiedForSendingStatus":true,"VerificationStatus":"HALF_DONE","Novelty":{"a":[1]},
        "DkimAttributes":{"SigningEnabled":true,"Status":"QUANTUM","Tokens":["a1"],"SigningAttributesOrigin":"ELSEWHERE",
            "NextSigningKeyLength":"ED25519"},
        "MailFromAttributes":{"MailFromDomain":"","MailFromDomainStatus":"ODD","BehaviorOnMxFailure":"ODD"},
        "VerificationInfo":{"ErrorType":"GREMLINS"}}"#;
    let endpoint = Endpoint::start(vec![ok(odd), ok("{}")]).await;
    let client = endpoint.client().await;
    let identity = client.get(&domain()).await.unwrap();
    assert_eq!((identity.dkim_status, identity.verification_status), (SesStatus::Unknown, SesStatus::Unknown));
    assert_eq!((identity.origin, identity.next_key_length), (DkimOrigin::Unknown, Some(KeyLength::Unknown)));
    assert_eq!((identity.mail_from, identity.sending), (None, true));
    assert_eq!(identity.verification_info.unwrap().error, Some(VerificationError::Unknown));
    let empty = client.get(&domain()).await.unwrap();
    assert_eq!((empty.dkim_status, empty.sending, empty.tokens.len()), (SesStatus::Unknown, false, 0));
}

#[tokio::test]
async fn the_listing_goes_over_pages_and_leaves_addresses_out() {
    let first = r#"{"NextToken":"p2","EmailIdentities":[
        {"IdentityType":"DOMAIN","IdentityName":"a.example.com","SendingEnabled":true,"VerificationStatus":"SUCCESS"},
        {"IdentityType":"EMAIL_ADDRESS","IdentityName":"person@example.com","SendingEnabled":true,"VerificationStatus":"SUCCESS"}]}"#;
    let second = r#"{"EmailIdentities":[
        {"IdentityType":"DOMAIN","IdentityName":"b.example.com","SendingEnabled":false,"VerificationStatus":"NEW_WORD"}]}"#;
    let endpoint = Endpoint::start(vec![ok(first), ok(second)]).await;
    let listing = sync::list(&endpoint.client().await).await.unwrap();
    assert_eq!(endpoint.lines(), ["POST /v2/email/list-identities", "POST /v2/email/list-identities"]);
    assert_eq!(endpoint.body(), serde_json::json!({"NextToken": "p2", "PageSize": 1000}));
    let mut found: Vec<(String, SesStatus, bool)> =
        listing.identities.values().map(|one| (one.name.to_string(), one.verification_status, one.sending)).collect();
    found.sort();
    let expected = [("a.example.com.", SesStatus::Success, true), ("b.example.com.", SesStatus::Unknown, false)];
    assert_eq!(found, expected.map(|(name, status, sending)| (name.to_owned(), status, sending)));
    assert_eq!(listing.pages, 2);
}

#[tokio::test]
async fn a_token_that_comes_again_ends_the_listing() {
    let endpoint = Endpoint::start(vec![ok(r#"{"NextToken":"again","EmailIdentities":[]}"#)]).await;
    let error = sync::list(&endpoint.client().await).await.unwrap_err();
    assert!(matches!(error, SesError::Malformed(_)), "{error}");
    assert_eq!(endpoint.lines().len(), 2);
}

#[tokio::test]
async fn an_identity_is_made_with_what_was_told() {
    let made = r#"{"IdentityType":"DOMAIN","VerifiedForSendingStatus":false,"DkimAttributes":{"SigningEnabled":true,
        "Status":"NOT_STARTED","Tokens":["a1","b2","c3"],"SigningHostedZone":"dkim.amazonses.com","SigningAttributesOrigin":"AWS_SES"}}"#;
    let endpoint = Endpoint::start(vec![ok(made)]).await;
    let client = endpoint.client().await;
    let plain = NewIdentity {
        configuration_set: Some("set".to_owned()),
        tags: vec![("tenant".to_owned(), "t1".to_owned())],
        ..NewIdentity::new(domain())
    };
    let identity = client.create(&plain).await.unwrap();
    assert_eq!((identity.dkim_status, identity.verification_status), (SesStatus::NotStarted, SesStatus::Pending));
    assert_eq!(endpoint.lines(), ["POST /v2/email/identities"]);
    assert_eq!(
        endpoint.body(),
        serde_json::json!({"EmailIdentity": "mail.example.com", "ConfigurationSetName": "set",
            "Tags": [{"Key": "tenant", "Value": "t1"}]})
    );
    let replica = DkimSigning::Replica { parent_region: "us-east-1".to_owned() };
    client.create(&NewIdentity { signing: replica.clone(), ..NewIdentity::new(domain()) }).await.unwrap();
    assert_eq!(
        endpoint.body()["DkimSigningAttributes"],
        serde_json::json!({"DomainSigningAttributesOrigin": "AWS_SES_US_EAST_1"})
    );
    let answer = r#"{"DkimStatus":"PENDING","DkimTokens":["a1","b2","c3"],"SigningHostedZone":"dkim.amazonses.com"}"#;
    let endpoint = Endpoint::start(vec![ok(answer)]).await;
    let client = endpoint.client().await;
    let own = DkimSigning::Own { selector: Name::parse("s1").unwrap(), private_key: PrivateKey("MIIE".to_owned()) };
    for (signing, expected) in [
        (DkimSigning::default(), serde_json::json!({"SigningAttributesOrigin": "AWS_SES"})),
        (
            DkimSigning::EasyDkim { next_key_length: Some(KeyLength::Rsa2048) },
            serde_json::json!({"SigningAttributesOrigin": "AWS_SES", "SigningAttributes": {"NextSigningKeyLength": "RSA_2048_BIT"}}),
        ),
        (
            own,
            serde_json::json!({"SigningAttributesOrigin": "EXTERNAL",
                "SigningAttributes": {"DomainSigningSelector": "s1", "DomainSigningPrivateKey": "MIIE"}}),
        ),
        (replica, serde_json::json!({"SigningAttributesOrigin": "AWS_SES_US_EAST_1"})),
    ] {
        let answer = client.put_dkim_signing(&domain(), &signing).await.unwrap();
        assert_eq!((answer.status, answer.tokens.len()), (SesStatus::Pending, 3));
        assert_eq!(endpoint.body(), expected, "{signing:?}");
    }
}

#[tokio::test]
async fn the_small_calls_ask_what_they_should() {
    let endpoint = Endpoint::start(vec![ok("{}")]).await;
    let client = endpoint.client().await;
    client.put_dkim_enabled(&domain(), true).await.unwrap();
    assert_eq!(endpoint.body(), serde_json::json!({"SigningEnabled": true}));
    let mail_from =
        NewMailFrom { domain: domain().prepend("bounce").unwrap(), on_mx_failure: OnMxFailure::RejectMessage };
    client.put_mail_from(&domain(), Some(&mail_from)).await.unwrap();
    let expected =
        serde_json::json!({"MailFromDomain": "bounce.mail.example.com", "BehaviorOnMxFailure": "REJECT_MESSAGE"});
    assert_eq!(endpoint.body(), expected);
    client.put_mail_from(&domain(), None).await.unwrap();
    assert_eq!(endpoint.body(), serde_json::json!({}));
    client.delete(&domain()).await.unwrap();
    assert_eq!(
        endpoint.lines(),
        [
            "PUT /v2/email/identities/mail.example.com/dkim",
            "PUT /v2/email/identities/mail.example.com/mail-from",
            "PUT /v2/email/identities/mail.example.com/mail-from",
            "DELETE /v2/email/identities/mail.example.com",
        ]
    );
}

#[tokio::test]
async fn a_mail_is_never_sent_twice() {
    let mail = OutgoingMail {
        from: "news@mail.example.com".to_owned(),
        to: vec!["person@example.org".to_owned()],
        cc: Vec::new(),
        bcc: Vec::new(),
        reply_to: Vec::new(),
        content: MailContent::Simple { subject: "Hi".to_owned(), text: Some("Hello".to_owned()), html: None },
        configuration_set: None,
        tags: vec![("tenant".to_owned(), "t1".to_owned())],
    };
    let endpoint =
        Endpoint::start(vec![error(500, "InternalServiceErrorException"), ok(r#"{"MessageId":"m-1"}"#)]).await;
    let client = endpoint.client().await;
    assert!(matches!(client.send(&mail).await.unwrap_err(), SesError::Unavailable(_)));
    assert_eq!(endpoint.lines().len(), 1);
    assert_eq!(client.send(&mail).await.unwrap(), "m-1");
    let body = endpoint.body();
    assert_eq!(body["Content"]["Simple"]["Body"], serde_json::json!({"Text": {"Data": "Hello", "Charset": "UTF-8"}}));
    assert_eq!(body["Destination"], serde_json::json!({"ToAddresses": ["person@example.org"]}));
    let raw = OutgoingMail { content: MailContent::Raw(b"Subject: x\r\n\r\ny".to_vec()), ..mail };
    client.send(&raw).await.unwrap();
    assert_eq!(endpoint.body()["Content"]["Raw"]["Data"], "U3ViamVjdDogeA0KDQp5");
}

#[tokio::test]
async fn numbers_come_with_their_times_and_their_errors() {
    let answer = r#"{"Results":[{"Id":"q1","Timestamps":[1763985600,1764072000],"Values":[5,7]}],
        "Errors":[{"Id":"q2","Code":"ACCESS_DENIED","Message":"no"}]}"#;
    let endpoint = Endpoint::start(vec![ok(answer)]).await;
    let query = |id: &str| MetricQuery {
        id: id.to_owned(),
        metric: Metric::PermanentBounce,
        identity: Some(domain()),
        from: "2025-11-24T00:00:00Z".parse().unwrap(),
        until: "2025-11-26T00:00:00Z".parse().unwrap(),
    };
    let answers = endpoint.client().await.metrics(&[query("q1"), query("q2")]).await.unwrap();
    let times = ["2025-11-24T12:00:00Z", "2025-11-25T12:00:00Z"].map(|time| time.parse().unwrap());
    assert_eq!(answers[0], MetricAnswer { id: "q1".to_owned(), outcome: Ok(vec![(times[0], 5), (times[1], 7)]) });
    assert_eq!(answers[1], MetricAnswer { id: "q2".to_owned(), outcome: Err("ACCESS_DENIED".to_owned()) });
    let asked = endpoint.body();
    assert_eq!(asked["Queries"][0]["Dimensions"], serde_json::json!({"EMAIL_IDENTITY": "mail.example.com"}));
    assert_eq!(
        (&asked["Queries"][0]["Metric"], &asked["Queries"][0]["Namespace"]),
        (&"PERMANENT_BOUNCE".into(), &"VDM".into())
    );
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart() {
    let denied = |error: &SesError| matches!(error, SesError::Denied(_));
    let unavailable = |error: &SesError| matches!(error, SesError::Unavailable(_));
    let malformed = |error: &SesError| matches!(error, SesError::Malformed(_));
    let cases: Vec<(Said, Fits<'_>)> = vec![
        (error(404, "NotFoundException"), &|error| *error == SesError::NotFound("mail.example.com".to_owned())),
        (error(403, "UnrecognizedClientException"), &denied),
        (error(403, "AccessDeniedException"), &denied),
        (error(500, "InternalServiceErrorException"), &unavailable),
        (error(503, ""), &unavailable),
        (error(400, "BadRequestException"), &|error| matches!(error, SesError::Refused { .. })),
        (Said::Reply(404, "", "<html>not here</html>".to_owned()), &malformed),
        (ok(&IDENTITY[..200]), &malformed),
        (ok("[]"), &malformed),
        (ok(""), &|_| true),
    ];
    for (said, is_right) in cases {
        let is_empty = matches!(&said, Said::Reply(200, _, body) if body.is_empty());
        let endpoint = Endpoint::start(vec![said]).await;
        match endpoint.client().await.get(&domain()).await {
            Ok(identity) => {
                assert!(is_empty, "{identity:?}");
                assert_eq!((identity.dkim_status, identity.sending), (SesStatus::Unknown, false));
            }
            Err(error) => assert!(is_right(&error), "{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_reply_that_is_cut_or_never_comes_says_nothing() {
    for said in [Said::Cut(IDENTITY[..100].to_owned()), Said::Silence] {
        let endpoint = Endpoint::start(vec![said]).await;
        let settings = AwsSettings {
            per_second: 0.0,
            operation_timeout: Duration::from_millis(600),
            attempt_timeout: Duration::from_millis(200),
            ..endpoint.settings()
        };
        let client = AwsIdentities::connect(&settings).await.unwrap();
        let error = client.get(&domain()).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
    }
}

#[tokio::test]
async fn half_the_calls_throttled_still_get_through() {
    let script: Vec<Said> = (0..8)
        .map(|number| if number % 2 == 0 { error(429, "TooManyRequestsException") } else { ok(IDENTITY) })
        .collect();
    let endpoint = Endpoint::start(script).await;
    let client = endpoint.client().await;
    for _ in 0..4 {
        assert_eq!(client.get(&domain()).await.unwrap().tokens.len(), 3);
    }
    assert_eq!(endpoint.lines().len(), 8);
}

#[tokio::test]
async fn a_client_that_is_always_throttled_slows_down_and_gives_up() {
    let endpoint = Endpoint::start(vec![error(429, "TooManyRequestsException")]).await;
    // A thousand calls a second keep the waits of this test short; the rate still halves.
    let client = AwsIdentities::connect(&AwsSettings { per_second: 1000.0, ..endpoint.settings() }).await.unwrap();
    assert_eq!(client.get(&domain()).await, Err(SesError::Throttled));
    assert!(client.per_second().unwrap() < 1000.0, "{:?}", client.per_second());
    let tries = usize::try_from(THROTTLED_CALLS * ATTEMPTS).unwrap();
    assert_eq!(endpoint.lines().len(), tries);
}

#[tokio::test]
async fn a_quota_that_is_reached_ends_it() {
    let endpoint = Endpoint::start(vec![error(400, "LimitExceededException")]).await;
    let outcome = endpoint.client().await.create(&NewIdentity::new(domain())).await;
    assert_eq!(outcome, Err(SesError::QuotaReached("LimitExceededException it is".to_owned())));
    assert!(endpoint.lines().len() <= usize::try_from(ATTEMPTS).unwrap(), "{:?}", endpoint.lines());
}

#[tokio::test]
async fn an_ses_that_is_down_is_left_alone() {
    let endpoint = Endpoint::start(vec![error(400, "ConcurrentModificationException")]).await;
    let client = endpoint.client().await;
    let mut refusals = Vec::new();
    for _ in 0..20 {
        refusals.push(client.get(&domain()).await.unwrap_err().to_string());
    }
    let asked = endpoint.lines().len();
    assert!(refusals[0].contains("ConcurrentModificationException it is"), "{}", refusals[0]);
    assert!(refusals[19].contains("left alone for"), "{}", refusals[19]);
    assert_eq!(refusals.iter().filter(|one| one.contains("left alone")).count(), 10);
    assert!(client.get(&domain()).await.is_err());
    assert_eq!(endpoint.lines().len(), asked, "no more calls while it is left alone");
}

#[tokio::test]
async fn an_identity_of_another_region_is_not_found_here() {
    let endpoint = Endpoint::start(vec![error(404, "NotFoundException")]).await;
    let client = endpoint.client().await;
    assert_eq!(client.region(), "eu-west-1");
    let state = sync::SesState::of(client.get(&domain()).await);
    assert_eq!(state, sync::SesState::NoIdentity);
}
