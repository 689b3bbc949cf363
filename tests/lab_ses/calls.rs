//! What a client meets: errors, pages, quotas, faults, and mail.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use zoneproof::lab::ses::fault::{Fault, FaultKind};
use zoneproof::lab::ses::{Change, Operation, SesSettings, Status};

use super::{PATIENCE, Reply, World};

/// Where identities are.
const IDENTITIES: &str = "/v2/email/identities";

#[tokio::test]
async fn calls_that_cannot_be_done_have_the_errors_of_the_model() {
    let world = World::with(SesSettings { max_identities: 2, ..SesSettings::default() }).await;
    world.create("right.example.com").await;
    world.create("someone@example.com").await;
    let name = |name: &str| json!({"EmailIdentity": name});
    let signing = format!("{IDENTITIES}/right.example.com/dkim/signing");
    for (method, path, body, status, error) in [
        ("POST", IDENTITIES, name("Right.Example.com."), 400, "AlreadyExistsException"),
        ("POST", IDENTITIES, name("third.example.com"), 400, "LimitExceededException"),
        ("POST", IDENTITIES, name("no domain"), 400, "BadRequestException"),
        ("POST", IDENTITIES, json!({}), 400, "BadRequestException"),
        ("GET", "/v2/email/identities/gone.example.com", json!({}), 404, "NotFoundException"),
        ("DELETE", "/v2/email/identities/gone.example.com", json!({}), 404, "NotFoundException"),
        ("PUT", "/v2/email/identities/gone.example.com/dkim", json!({}), 404, "NotFoundException"),
        ("PUT", &signing, json!({"SigningAttributesOrigin": "EXTERNAL"}), 400, "BadRequestException"),
        ("PUT", &signing, json!({"SigningAttributesOrigin": "AWS_SES_MARS_1"}), 400, "BadRequestException"),
        ("POST", "/v2/email/list-identities", json!({"PageSize": 1001}), 400, "BadRequestException"),
        ("POST", "/v2/email/list-identities", json!({"NextToken": "x"}), 400, "BadRequestException"),
        ("POST", "/v2/email/nothing", json!({}), 404, "UnknownOperationException"),
        ("PATCH", IDENTITIES, json!({}), 404, "UnknownOperationException"),
    ] {
        let reply = world.call(method, path, body).await;
        assert_eq!((reply.status, reply.error.as_str()), (status, error), "{method} {path}: {}", reply.text);
        assert!(!reply.json()["message"].as_str().unwrap().is_empty());
    }
    let counters = world.ses.counters();
    assert_eq!(counters.errors["NotFoundException"], 3);
    assert_eq!(counters.identity("eu-west-1", "right.example.com").create_calls, 2);
    assert_eq!(counters.identity("eu-west-1", "right.example.com").creates, 1);
    assert_eq!(counters.calls_of(Operation::CreateEmailIdentity), 6);
}

#[tokio::test]
async fn calls_need_a_signature_for_this_service_and_readable_json() {
    let world = World::start().await;
    let read = async |mut stream: TcpStream| {
        let mut text = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
        Reply::read(&text)
    };
    let unsigned = read(world.send(None, "GET", "/v2/email/identities/a.example", "").await).await;
    assert_eq!((unsigned.status, unsigned.error.as_str()), (403, "MissingAuthenticationTokenException"));
    let malformed = read(world.send(Some("Mars"), "GET", "/v2/email/identities/a.example", "").await).await;
    assert_eq!((malformed.status, malformed.error.as_str()), (400, "IncompleteSignature"));
    let torn = read(world.send(Some("eu-west-1"), "POST", IDENTITIES, "{\"EmailIdentity\": ").await).await;
    assert_eq!((torn.status, torn.error.as_str()), (400, "SerializationException"));
}

#[tokio::test]
async fn identities_are_of_one_region_and_go_when_they_are_removed() {
    let world = World::start().await;
    world.create("right.example.com").await;
    let path = "/v2/email/identities/right.example.com";
    assert_eq!(world.call_in("eu-west-2", "GET", path, json!({})).await.status, 404);
    assert_eq!(world.call("DELETE", path, json!({})).await.json(), json!({}));
    assert_eq!(world.call("GET", path, json!({})).await.status, 404);
    world.create("right.example.com").await;
    let counters = world.ses.counters().identity("eu-west-1", "right.example.com");
    assert_eq!((counters.creates, counters.deletes), (2, 1));
}

/// Reads all pages of a list in one of its two forms, and returns the names and the number of pages.
async fn pages(world: &World, size: usize, is_new_form: bool) -> (Vec<String>, usize) {
    let (mut names, mut count, mut token) = (Vec::new(), 0, None::<String>);
    loop {
        let page = if is_new_form {
            let mut body = json!({"PageSize": size});
            if let Some(token) = &token {
                body["NextToken"] = json!(token);
            }
            world.call("POST", "/v2/email/list-identities", body).await
        } else {
            let next = token.as_ref().map_or(String::new(), |token| format!("&NextToken={token}"));
            world.call("GET", &format!("{IDENTITIES}?PageSize={size}{next}"), json!({})).await
        };
        let page = page.json();
        let listed = page["EmailIdentities"].as_array().unwrap();
        names.extend(listed.iter().map(|listed| listed["IdentityName"].as_str().unwrap().to_owned()));
        count += 1;
        match page.get("NextToken").and_then(Value::as_str) {
            Some(next) => token = Some(next.to_owned()),
            None => return (names, count),
        }
    }
}

#[tokio::test]
async fn pages_hold_every_identity_once() {
    let world = World::start().await;
    let names: BTreeSet<String> = (0..5).map(|number| format!("n{number}.example.com")).collect();
    for name in &names {
        world.create(name).await;
    }
    for is_new_form in [true, false] {
        for (size, expected) in [(1, 5), (2, 3), (5, 1), (1000, 1)] {
            let (listed, count) = pages(&world, size, is_new_form).await;
            assert_eq!((listed.len(), count), (5, expected));
            assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), names);
        }
    }
    let verified = Change { status: Some(Status::Success), ..Change::default() };
    assert!(world.ses.change("eu-west-1", "n3.example.com", &verified));
    for (filter, expected) in [
        (json!({"VERIFICATION_STATUS": "SUCCESS"}), json!(["n3.example.com"])),
        (json!({"IDENTITY_NAME_CONTAINS": "N1"}), json!(["n1.example.com"])),
        (json!({"IDENTITY_TYPE": "EMAIL_ADDRESS"}), json!([])),
    ] {
        let list = world.call("POST", "/v2/email/list-identities", json!({"Filter": filter})).await.json();
        let listed = list["EmailIdentities"].as_array().unwrap();
        let names: Vec<&Value> = listed.iter().map(|listed| &listed["IdentityName"]).collect();
        assert_eq!(json!(names), expected, "{filter}");
    }
}

#[tokio::test]
async fn faults_come_as_they_are_told_and_go_again() {
    let world = World::start().await;
    world.create("right.example.com").await;
    let path = "/v2/email/identities/right.example.com";
    for (kind, status, error) in [
        (FaultKind::Throttled, 429, "TooManyRequestsException"),
        (FaultKind::ServerError, 500, "InternalServiceErrorException"),
        (FaultKind::Unavailable, 503, "ServiceUnavailable"),
        (FaultKind::Denied, 403, "AccessDeniedException"),
        (FaultKind::QuotaReached, 400, "LimitExceededException"),
        (FaultKind::ConcurrentModification, 500, "ConcurrentModificationException"),
        (FaultKind::WrongRegion, 404, "NotFoundException"),
    ] {
        world.ses.set_faults(vec![Fault { times: Some(1), ..Fault::new(kind) }]);
        let reply = world.call("GET", path, json!({})).await;
        assert_eq!((reply.status, reply.error.as_str()), (status, error), "{kind:?}");
        assert_eq!(world.call("GET", path, json!({})).await.status, 200, "{kind:?} is over");
    }
    world.ses.set_faults(vec![Fault::new(FaultKind::Truncated)]);
    let torn = world.call("GET", path, json!({})).await;
    assert_eq!(torn.status, 200);
    assert!(serde_json::from_str::<Value>(&torn.text).is_err(), "{}", torn.text);
    world.ses.set_faults(vec![Fault::new(FaultKind::UnknownStatus)]);
    assert_eq!(world.get("right.example.com").await["DkimAttributes"]["Status"], "UNDER_REVIEW");
    world.ses.set_faults(Vec::new());
    let told = world.call("GET", "/_lab/faults", json!({})).await;
    assert_eq!(told.json(), json!([]));
    let spoilt = json!([{"kind": "slow", "delay_ms": 1}, {"kind": "repeated_page_token"}]);
    assert_eq!(world.call("PUT", "/_lab/faults", spoilt).await.status, 204);
    world.create("text.example.com").await;
    let first = world.call("POST", "/v2/email/list-identities", json!({"PageSize": 1})).await.json();
    let again = json!({"PageSize": 1, "NextToken": first["NextToken"]});
    let second = world.call("POST", "/v2/email/list-identities", again).await.json();
    assert_eq!(second["NextToken"], first["NextToken"]);
}

#[tokio::test]
async fn a_fault_after_the_call_loses_the_reply_and_not_the_work() {
    let world = World::start().await;
    let create = async |name: &str| world.call("POST", IDENTITIES, json!({"EmailIdentity": name})).await.status;
    world.ses.set_faults(vec![Fault { after: true, times: Some(1), ..Fault::new(FaultKind::ServerError) }]);
    assert_eq!(create("right.example.com").await, 500);
    assert_eq!(world.ses.counters().identity("eu-west-1", "right.example.com").creates, 1);
    world.ses.set_faults(vec![Fault { times: Some(1), ..Fault::new(FaultKind::ServerError) }]);
    assert_eq!(create("text.example.com").await, 500);
    assert_eq!(world.ses.counters().identity("eu-west-1", "text.example.com").creates, 0);
}

#[tokio::test]
async fn a_call_that_hangs_ends_with_the_lab_and_the_port_is_free_again() {
    let world = World::start().await;
    world.ses.set_faults(vec![Fault { after: true, ..Fault::new(FaultKind::Hang) }]);
    let body = json!({"EmailIdentity": "right.example.com"}).to_string();
    let mut hanging = world.send(Some("eu-west-1"), "POST", IDENTITIES, &body).await;
    while world.ses.counters().identity("eu-west-1", "right.example.com").creates == 0 {
        tokio::task::yield_now().await;
    }
    let port: u16 = world.ses.endpoint().rsplit(':').next().unwrap().parse().unwrap();
    let World { _dns: dns, ses } = world;
    drop(ses);
    let mut text = String::new();
    timeout(PATIENCE, hanging.read_to_string(&mut text)).await.unwrap().unwrap();
    assert_eq!(Reply::read(&text).status, 503);
    let again = async {
        loop {
            let settings = SesSettings { port, ..SesSettings::default() };
            match zoneproof::lab::ses::SesLab::start(&settings, dns.root_hints(), dns.port()).await {
                Ok(ses) => return ses,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn mail_is_taken_from_verified_senders_and_counted() {
    let world = World::start().await;
    world.create("right.example.com").await;
    let message = |from: &str, to: &str| {
        json!({"FromEmailAddress": from, "Destination": {"ToAddresses": [to]},
               "Content": {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello."}}}}})
    };
    let send = async |from: &str, to: &str| world.call("POST", "/v2/email/outbound-emails", message(from, to)).await;
    world.create("nowhere.example.com").await;
    let unverified = send("a@nowhere.example.com", "b@example.org").await;
    assert_eq!((unverified.status, unverified.error.as_str()), (400, "MessageRejected"));
    world.ses.look_now().await;
    for (from, to) in [
        ("a@right.example.com", "b@example.org"),
        ("Somebody <A@Below.Right.Example.com>", "bounce@simulator.amazonses.com"),
        ("a@right.example.com", "complaint@simulator.amazonses.com"),
    ] {
        let sent = send(from, to).await;
        assert_eq!(sent.status, 200, "{}", sent.text);
        assert!(!sent.json()["MessageId"].as_str().unwrap().is_empty());
    }
    assert_eq!(send("a@example.com", "b@example.org").await.error, "MessageRejected");
    let query = |id: &str, metric: &str, identity: &str| {
        json!({"Id": id, "Namespace": "VDM", "Metric": metric, "Dimensions": {"EMAIL_IDENTITY": identity},
               "StartDate": 1_795_435_200, "EndDate": 1_795_564_800})
    };
    let own = "right.example.com";
    let queries = [
        query("sent", "SEND", own),
        query("bounced", "PERMANENT_BOUNCE", own),
        query("arrived", "DELIVERY", own),
        query("disliked", "COMPLAINT", own),
        query("foreign", "SEND", "example.org"),
    ];
    let told = world.call("POST", "/v2/email/metrics/batch", json!({"Queries": queries})).await.json();
    let values: Vec<&Value> = told["Results"].as_array().unwrap().iter().map(|series| &series["Values"]).collect();
    assert_eq!(json!(values), json!([[0, 3], [0, 1], [0, 2], [0, 1]]), "{told}");
    assert_eq!(told["Errors"][0]["Code"], "ACCESS_DENIED");
    let mail_from = json!({"MailFromDomain": "none.right.example.com", "BehaviorOnMxFailure": "REJECT_MESSAGE"});
    world.call("PUT", "/v2/email/identities/right.example.com/mail-from", mail_from).await;
    assert_eq!(send("a@right.example.com", "b@example.org").await.error, "MailFromDomainNotVerifiedException");
    world.call("PUT", "/_lab/account", json!({"sending_paused": true})).await;
    assert_eq!(send("a@right.example.com", "b@example.org").await.error, "SendingPausedException");
}

#[tokio::test]
async fn the_clock_is_moved_and_identities_are_changed_over_http() {
    let world = World::start().await;
    world.create("nowhere.example.com").await;
    let before = world.ses.now();
    let moved = world.call("POST", "/_lab/clock", json!({"advance_seconds": 72 * 3600})).await.json();
    assert_eq!(moved["looked_at"], 1);
    assert_eq!(world.ses.now().duration_since(before).as_hours(), 72);
    assert_eq!(world.get("nowhere.example.com").await["DkimAttributes"]["Status"], "FAILED");
    let change = json!({"status": "SUCCESS", "sees": "DNS_SERVER_ERROR"});
    assert_eq!(world.call("PUT", "/_lab/identities/eu-west-1/nowhere.example.com", change).await.status, 204);
    let looked = world.call("POST", "/_lab/look", json!({"identity": "nowhere.example.com"})).await.json();
    assert_eq!(looked["looked_at"], 1);
    let told = world.get("nowhere.example.com").await;
    assert_eq!(told["DkimAttributes"]["Status"], "TEMPORARY_FAILURE");
    assert_eq!(told["VerificationInfo"]["ErrorType"], "DNS_SERVER_ERROR");
    assert_eq!(world.call("PUT", "/_lab/identities/eu-west-1/a.example", json!({})).await.status, 404);
    let counters = world.call("GET", "/_lab/counters", json!({})).await.json();
    assert_eq!(counters["calls"]["CreateEmailIdentity"], 1);
    assert_eq!(counters["identities"]["eu-west-1/nowhere.example.com"]["creates"], 1);
}
