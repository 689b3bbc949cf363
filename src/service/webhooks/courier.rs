//! Carries one message to one target: a POST over HTTP/1.1, and what came of it.
//!
//! No redirect is followed and no proxy is used; one reply's head and a bounded part of its body are read. The host is
//! resolved by the operating system, and only addresses that the policy allows are connected to, so that a name that
//! leads to a private address, at once or later, reaches nothing.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use jiff::SignedDuration;
use tower_service::Service;

use super::target::{Target, TargetError};
use crate::transport::guard::AddressPolicy;

/// How long one attempt may take: Standard Webhooks 1.0 asks for 15 to 30 seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is kept for the next message.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// How much of a reply's body is read, so that its connection can be used again; more ends the connection.
const MAX_REPLY_OCTETS: usize = 16 * 1024;
/// What we call ourselves.
const AGENT: &str = concat!("zoneproof/", env!("CARGO_PKG_VERSION"));

/// A message, signed.
#[derive(Clone, Debug)]
pub struct Message {
    /// What tells it from others, the same at every attempt: `webhook-id`.
    pub id: String,
    /// When this attempt is made, in seconds since 1970: `webhook-timestamp`.
    pub sent_at_seconds: i64,
    /// The signature: `webhook-signature`.
    pub signature: String,
    /// The body, JSON.
    pub body: Bytes,
}

/// Why a message was not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Undelivered {
    /// The receiver answered with something else than 2xx.
    #[error("HTTP status {status}")]
    Status {
        /// The status.
        status: u16,
        /// How long the receiver asks to be left alone.
        retry_after: Option<SignedDuration>,
    },
    /// The receiver wants no messages any more (410).
    #[error("HTTP status 410: the receiver wants no messages any more")]
    Gone,
    /// There is no way to the receiver.
    #[error("{0}")]
    Unreachable(String),
    /// No answer came in time.
    #[error("no answer within {} seconds", ATTEMPT_TIMEOUT.as_secs())]
    TimedOut,
    /// The target may not be asked.
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// Carries messages. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Courier {
    /// The client.
    client: Client<HttpsConnector<HttpConnector<CheckedResolver>>, Full<Bytes>>,
    /// Who may be asked.
    policy: AddressPolicy,
}

impl Courier {
    /// Makes a courier that trusts the certificates of the operating system. Must be used inside a tokio runtime.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn new(policy: AddressPolicy) -> io::Result<Self> {
        let mut http = HttpConnector::new_with_resolver(CheckedResolver { policy });
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let https = HttpsConnectorBuilder::new().with_native_roots()?;
        // A target that is not encrypted is refused before it comes here, unless the policy lets labs in.
        let connector = https.https_or_http().enable_http1().wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(hyper_util::rt::TokioTimer::new())
            .pool_max_idle_per_host(1)
            .build(connector);
        Ok(Self { client, policy })
    }

    /// Makes one attempt to deliver a message.
    ///
    /// # Errors
    /// [`Undelivered`], where the receiver did not say 2xx within 15 seconds.
    pub async fn deliver(&self, url: &str, message: &Message) -> Result<(), Undelivered> {
        // The policy may have changed since the URL was taken in.
        let target = Target::parse(url, self.policy)?;
        let request = Request::post(target.uri().clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, AGENT)
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", message.sent_at_seconds)
            .header("webhook-signature", &message.signature)
            .body(Full::new(message.body.clone()))
            .map_err(|error| Undelivered::Unreachable(error.to_string()))?;
        let attempt = tokio::time::timeout(ATTEMPT_TIMEOUT, self.post(request));
        attempt.await.unwrap_or(Err(Undelivered::TimedOut))
    }

    /// Sends a request and reads what comes back.
    async fn post(&self, request: Request<Full<Bytes>>) -> Result<(), Undelivered> {
        let answer = self.client.request(request).await.map_err(|error| Undelivered::Unreachable(innermost(&error)))?;
        let (status, retry_after) = (answer.status(), retry_after(answer.headers()));
        // What it says is not looked at.
        drop(Limited::new(answer.into_body(), MAX_REPLY_OCTETS).collect().await);
        match status {
            _ if status.is_success() => Ok(()),
            StatusCode::GONE => Err(Undelivered::Gone),
            _ => Err(Undelivered::Status { status: status.as_u16(), retry_after }),
        }
    }
}

/// Reads `Retry-After` in seconds (RFC 9110 §10.2.3); a date is not read: the schedule is slow enough.
fn retry_after(headers: &HeaderMap) -> Option<SignedDuration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse::<u32>().ok()?;
    Some(SignedDuration::from_secs(seconds.into()))
}

/// Tells the cause at the bottom of an error, which is the one that people can do something about.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The operating system's resolver, less what may not be asked.
#[derive(Clone, Copy, Debug)]
struct CheckedResolver {
    /// Who may be asked.
    policy: AddressPolicy,
}

impl Service<Name> for CheckedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let policy = self.policy;
        async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.iter().filter(|address| policy.allows(address.ip())).copied().collect();
            match found.first() {
                Some(first) if allowed.is_empty() => {
                    let text = format!("{name} is at {}, which is not an address of the Internet", first.ip());
                    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
                }
                _ => Ok(allowed.into_iter()),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests;
