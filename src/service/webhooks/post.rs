//! Posts what the outbox owes: takes what is due, tries it once, and writes down what came of it.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{StreamExt, iter};
use jiff::Timestamp;
use serde_json::json;

use super::courier::{Courier, Message, Undelivered};
use super::retry::wait_after;
use super::signature::Secret;
use crate::store::{Delivery, DeliveryEnd, Endpoint, Store, StoreError};

/// For how long a delivery is ours while it is tried: well above what one attempt may take.
pub const ATTEMPT_TERM: Duration = Duration::from_secs(60);
/// How many deliveries are taken at a time.
const TAKEN_AT_ONCE: u32 = 64;
/// How many are tried at the same time: a receiver that hangs holds up few others.
const TRIED_AT_ONCE: usize = 16;
/// How long to wait where nothing is owed.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// The most octets of an error that are kept.
const MAX_ERROR_OCTETS: usize = 300;

/// Posts for ever; `trouble` is told where the database is away, which is waited for.
///
/// May be dropped at any time: what was being tried is tried again after [`ATTEMPT_TERM`].
///
/// # Errors
/// A [`StoreError`] that trying again does not mend.
pub async fn post_for_ever(
    store: Arc<dyn Store>,
    courier: Courier,
    trouble: impl Fn(String),
) -> Result<(), StoreError> {
    loop {
        let wait = match post_due(store.as_ref(), &courier).await {
            Ok(0) => POLL_EVERY,
            Ok(_) => Duration::ZERO,
            Err(error) if error.is_transient() => {
                trouble(error.to_string());
                POLL_EVERY
            }
            Err(error) => return Err(error),
        };
        tokio::time::sleep(wait).await;
    }
}

/// Takes what is due, up to a few dozen, and tries each once; returns how many those were.
///
/// # Errors
/// Any [`StoreError`]; what was tried and could not be written down is tried again.
pub async fn post_due(store: &dyn Store, courier: &Courier) -> Result<usize, StoreError> {
    let taken = store.lease_deliveries(ATTEMPT_TERM, TAKEN_AT_ONCE).await?;
    let count = taken.len();
    let mut settled = iter(taken).map(|delivery| post(store, courier, delivery)).buffer_unordered(TRIED_AT_ONCE);
    let mut outcome = Ok(count);
    while let Some(result) = settled.next().await {
        if let Err(error) = result {
            outcome = Err(error);
        }
    }
    outcome
}

/// Tries one delivery and writes down what came of it.
async fn post(store: &dyn Store, courier: &Courier, delivery: Delivery) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let tried = match Secret::parse(&delivery.endpoint.secret) {
        Ok(secret) => courier.deliver(&delivery.endpoint.url, &message(&delivery, &secret, now)).await,
        Err(error) => Err(Undelivered::Unreachable(error.to_string())),
    };
    if tried == Err(Undelivered::Gone) {
        let endpoint = Endpoint { is_enabled: false, ..delivery.endpoint.clone() };
        store.put_endpoint(&endpoint).await?;
    }
    let clock = store.now().await?;
    let end = end_of(tried, delivery.attempts, clock, rand::random_range(0.0..1.0));
    store.settle_delivery(&delivery.id, delivery.attempts, &end).await.map(drop)
}

/// Says what follows from an attempt, the `attempts`th.
fn end_of(tried: Result<(), Undelivered>, attempts: u32, now: Timestamp, jitter: f64) -> DeliveryEnd {
    let Err(error) = tried else { return DeliveryEnd::Delivered };
    let text: String = error.to_string().chars().take(MAX_ERROR_OCTETS).collect();
    let asked = match &error {
        // Nothing that trying again would mend.
        Undelivered::Gone | Undelivered::Target(_) => return DeliveryEnd::Dead { error: text },
        Undelivered::Status { retry_after, .. } => *retry_after,
        Undelivered::Unreachable(_) | Undelivered::TimedOut => None,
    };
    match wait_after(attempts, asked, jitter).and_then(|wait| now.checked_add(wait).ok()) {
        Some(at) => DeliveryEnd::Retry { at, error: text },
        None => DeliveryEnd::Dead { error: text },
    }
}

/// Writes the message of a delivery: what happened to which domain, and what changed.
fn message(delivery: &Delivery, secret: &Secret, now: Timestamp) -> Message {
    let event = &delivery.event;
    let body = json!({
        "type": format!("domain.{}", event.kind.as_str()),
        "timestamp": event.at,
        "data": {
            "event": event.id, "domain": { "id": event.domain, "name": event.name, "tenant": event.tenant },
            "state": { "from": event.from, "to": event.to }, "check": event.check, "changed": event.diff,
        },
    })
    .to_string();
    let id = delivery.id.to_string();
    let signature = secret.sign(&id, now, body.as_bytes());
    Message { id, sent_at_seconds: now.as_second(), signature, body: body.into() }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::service::webhooks::target::TargetError;
    use crate::store::{
        CheckId, DeliveryId, DeliveryState, DomainId, DomainState, EndpointId, Event, EventId, EventKind,
    };
    use crate::transport::guard::AddressPolicy;

    /// The time of every attempt.
    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    /// A delivery to a port of this host.
    fn delivery(port: u16) -> Delivery {
        Delivery {
            id: DeliveryId::from_text("dlv_1"),
            endpoint: Endpoint {
                id: EndpointId::from_text("whk_1"),
                url: format!("http://127.0.0.1:{port}/"),
                secret: Secret::generate().reveal(),
                tenant: None,
                kinds: Vec::new(),
                is_enabled: true,
                created_at: NOW,
            },
            event: Event {
                seq: 1,
                id: EventId::from_text("evt_1"),
                domain: DomainId::from_text("dom_1"),
                name: "mail.example.com".to_owned(),
                tenant: Some("acme".to_owned()),
                kind: EventKind::Degraded,
                from: DomainState::Verified,
                to: DomainState::Degraded,
                at: NOW,
                check: CheckId::from_text("chk_1"),
                diff: json!({ "verdict": { "from": "ready", "to": "failing" } }),
            },
            state: DeliveryState::Pending,
            attempts: 1,
            next_at: NOW,
            last_error: None,
        }
    }

    #[test]
    fn a_message_tells_what_happened_and_its_signature_holds() {
        let delivery = delivery(1);
        let secret = Secret::parse(&delivery.endpoint.secret).unwrap();
        let message = message(&delivery, &secret, NOW);
        let body: serde_json::Value = serde_json::from_slice(&message.body).unwrap();
        let expected = json!({
            "type": "domain.degraded",
            "timestamp": "2027-01-15T08:00:00Z",
            "data": {
                "event": "evt_1", "check": "chk_1",
                "domain": { "id": "dom_1", "name": "mail.example.com", "tenant": "acme" },
                "state": { "from": "verified", "to": "degraded" },
                "changed": { "verdict": { "from": "ready", "to": "failing" } },
            },
        });
        assert_eq!(body, expected);
        assert_eq!(message.signature, secret.sign("dlv_1", NOW, &message.body));
        assert_eq!((message.id.as_str(), message.sent_at_seconds), ("dlv_1", 1_800_000_000));
    }

    #[test]
    fn a_failure_is_tried_again_until_the_schedule_ends() {
        let failed = || Err(Undelivered::TimedOut);
        let after = |seconds| NOW + SignedDuration::from_secs(seconds);
        let error = || "no answer within 15 seconds".to_owned();
        assert_eq!(end_of(Ok(()), 1, NOW, 0.0), DeliveryEnd::Delivered);
        assert_eq!(end_of(failed(), 1, NOW, 0.0), DeliveryEnd::Retry { at: after(5), error: error() });
        assert_eq!(end_of(failed(), 9, NOW, 0.0), DeliveryEnd::Retry { at: after(86_400), error: error() });
        assert_eq!(end_of(failed(), 10, NOW, 0.0), DeliveryEnd::Dead { error: error() });
        let slow = Undelivered::Status { status: 503, retry_after: Some(SignedDuration::from_secs(90)) };
        assert_eq!(
            end_of(Err(slow), 1, NOW, 0.0),
            DeliveryEnd::Retry { at: after(90), error: "HTTP status 503".to_owned() }
        );
        for hopeless in [Undelivered::Gone, Undelivered::Target(TargetError::NotHttps)] {
            assert!(matches!(end_of(Err(hopeless), 1, NOW, 0.0), DeliveryEnd::Dead { .. }));
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_receiver_that_is_gone_is_asked_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let delivery = delivery(listener.local_addr().unwrap().port());
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open(&format!("sqlite:{}", folder.path().join("fleet.db").display())).await.unwrap();
        store.put_endpoint(&delivery.endpoint).await.unwrap();
        let courier = Courier::new(AddressPolicy::allowing_special()).unwrap();
        let receive = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 65_536];
            assert_ne!(stream.read(&mut request).await.unwrap(), 0);
            stream.write_all(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        };
        let (posted, ()) = tokio::join!(post(store.as_ref(), &courier, delivery), receive);
        posted.unwrap();
        assert!(!store.endpoints().await.unwrap()[0].is_enabled);
    }
}
