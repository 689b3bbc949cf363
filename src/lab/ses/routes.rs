//! The HTTP side: paths as the service model has them, who is called, and how a reply or an error is written.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::{get, post, put};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::Shared;
use super::account::Account;
use super::error::ApiError;
use super::fault::{FaultKind, delay, has};
use super::operation::Operation;
use super::signature;
use super::wire::ListInput;

/// The largest body that is read: a message of 40 MB (Amazon SES developer guide, service quotas).
const MAX_BODY_OCTETS: usize = 40 * 1024 * 1024;
/// The region that calls go to which are taken as ones to another region; nobody keeps identities there.
const ELSEWHERE: &str = "us-west-2";
/// Where an error says its name.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// Puts the routes of the API together.
pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v2/email/identities", post(create).get(list_by_query))
        .route("/v2/email/list-identities", post(list))
        .route("/v2/email/identities/{identity}", get(tell).delete(remove))
        .route("/v2/email/identities/{identity}/dkim", put(enable))
        .route("/v2/email/identities/{identity}/dkim/signing", put(sign))
        .route("/v2/email/identities/{identity}/mail-from", put(send_from))
        .route("/v2/email/outbound-emails", post(send))
        .route("/v2/email/metrics/batch", post(tell_metrics))
        .fallback(async || write_error(&ApiError::UnknownOperation))
        .method_not_allowed_fallback(async || write_error(&ApiError::UnknownOperation))
        .layer(DefaultBodyLimit::max(MAX_BODY_OCTETS))
}

/// `CreateEmailIdentity`.
async fn create(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let call = Call::new(Operation::CreateEmailIdentity, &headers);
    call.answer(&shared, |account, region, now| account.create(region, read(&body)?, now)).await
}

/// `GetEmailIdentity`.
async fn tell(State(shared): State<Arc<Shared>>, Path(identity): Path<String>, headers: HeaderMap) -> Response<Body> {
    let call = Call::new(Operation::GetEmailIdentity, &headers);
    call.answer(&shared, |account, region, _| account.get(region, &identity)).await
}

/// `ListEmailIdentities`.
async fn list(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let input = read::<ListInput>(&body);
    list_by(&shared, &headers, input).await
}

/// What the old form of `ListEmailIdentities` carries in its query string.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListQuery {
    /// Where the page begins.
    next_token: Option<String>,
    /// How many there may be on it.
    page_size: Option<u32>,
}

/// `ListEmailIdentities`, as it was called before it had filters.
async fn list_by_query(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Response<Body> {
    let ListQuery { next_token, page_size } = query;
    list_by(&shared, &headers, Ok(ListInput { next_token, page_size, ..ListInput::default() })).await
}

/// `ListEmailIdentities` in both forms.
async fn list_by(shared: &Shared, headers: &HeaderMap, input: Result<ListInput, ApiError>) -> Response<Body> {
    let mut call = Call::new(Operation::ListEmailIdentities, headers);
    call.page = input.as_ref().ok().and_then(|input| input.next_token.clone());
    call.answer(shared, |account, region, _| account.list(region, &input?)).await
}

/// `DeleteEmailIdentity`.
async fn remove(State(shared): State<Arc<Shared>>, Path(identity): Path<String>, headers: HeaderMap) -> Response<Body> {
    let call = Call::new(Operation::DeleteEmailIdentity, &headers);
    call.answer(&shared, |account, region, _| account.delete(region, &identity)).await
}

/// `PutEmailIdentityDkimSigningAttributes`.
async fn sign(
    State(shared): State<Arc<Shared>>,
    Path(identity): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let call = Call::new(Operation::PutEmailIdentityDkimSigningAttributes, &headers);
    call.answer(&shared, |account, region, now| account.sign(region, &identity, &read(&body)?, now)).await
}

/// `PutEmailIdentityDkimAttributes`.
async fn enable(
    State(shared): State<Arc<Shared>>,
    Path(identity): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let call = Call::new(Operation::PutEmailIdentityDkimAttributes, &headers);
    call.answer(&shared, |account, region, _| account.enable(region, &identity, &read(&body)?)).await
}

/// `PutEmailIdentityMailFromAttributes`.
async fn send_from(
    State(shared): State<Arc<Shared>>,
    Path(identity): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let call = Call::new(Operation::PutEmailIdentityMailFromAttributes, &headers);
    call.answer(&shared, |account, region, now| account.send_from(region, &identity, &read(&body)?, now)).await
}

/// `SendEmail`.
async fn send(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let call = Call::new(Operation::SendEmail, &headers);
    call.answer(&shared, |account, region, now| account.send(region, &read(&body)?, now)).await
}

/// `BatchGetMetricData`.
async fn tell_metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let call = Call::new(Operation::BatchGetMetricData, &headers);
    call.answer(&shared, |account, region, _| account.tell_metrics(region, read(&body)?)).await
}

/// One call.
struct Call<'a> {
    /// What is to be done.
    operation: Operation,
    /// The Authorization header.
    authorization: Option<&'a str>,
    /// The page that is asked for.
    page: Option<String>,
}

/// What becomes of a call.
struct Reply {
    /// The output or the error.
    result: Result<Value, ApiError>,
    /// How late it goes out.
    delay: Duration,
    /// Whether it never does.
    is_lost: bool,
    /// Whether half of it does.
    is_truncated: bool,
}

impl<'a> Call<'a> {
    /// Takes a call in.
    fn new(operation: Operation, headers: &'a HeaderMap) -> Self {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        Self { operation, authorization, page: None }
    }

    /// Does what was called for, unless a fault comes in between, and answers.
    async fn answer(
        self,
        shared: &Shared,
        run: impl FnOnce(&mut Account, &str, Timestamp) -> Result<Value, ApiError>,
    ) -> Response<Body> {
        let reply = self.decide(&mut shared.lock(), run);
        if self.operation.asks_for_looks() {
            shared.woken.notify_one();
        }
        if reply.is_lost {
            shared.stopped().await;
            return write_error(&ApiError::ServiceUnavailable);
        }
        if !reply.delay.is_zero() {
            tokio::time::sleep(reply.delay).await;
        }
        match reply.result {
            Ok(output) => write_output(&output, reply.is_truncated),
            Err(error) => write_error(&error),
        }
    }

    /// Decides what becomes of it.
    fn decide(
        &self,
        account: &mut Account,
        run: impl FnOnce(&mut Account, &str, Timestamp) -> Result<Value, ApiError>,
    ) -> Reply {
        let real = Instant::now();
        let admitted = account.admit(self.operation, real).and_then(|()| signature::region(self.authorization));
        let region = match admitted {
            Ok(region) => region,
            Err(error) => {
                account.counters.count_error(error.name());
                return Reply { result: Err(error), delay: Duration::ZERO, is_lost: false, is_truncated: false };
            }
        };
        let drawn = account.faults.draw(self.operation);
        let region = if has(&drawn, FaultKind::WrongRegion) { ELSEWHERE } else { region };
        let mut errors =
            drawn.iter().filter_map(|fault| Some((fault.after, fault.error(self.operation, account.max_identities)?)));
        let fault = errors.next();
        let hangs = drawn.iter().find(|fault| fault.kind == FaultKind::Hang);
        let is_kept_back = matches!(fault, Some((false, _))) || hangs.is_some_and(|hang| !hang.after);
        let done = if is_kept_back { None } else { Some(run(account, region, account.clock.at(real))) };
        let mut result = match (fault, done) {
            (Some((_, error)), _) => Err(error),
            (None, Some(result)) => result,
            (None, None) => Err(ApiError::ServiceUnavailable),
        };
        match &mut result {
            Ok(output) => account.faults.spoil(&drawn, self.page.as_deref(), output),
            Err(error) => account.counters.count_error(error.name()),
        }
        Reply {
            result,
            delay: delay(&drawn),
            is_lost: hangs.is_some(),
            is_truncated: has(&drawn, FaultKind::Truncated),
        }
    }
}

/// Reads a body; an empty one is an input without members.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        // Members of the wrong kind are bad input; what is no JSON is not even that.
        if error.is_data() {
            ApiError::BadRequest(error.to_string())
        } else {
            ApiError::Serialization(error.to_string())
        }
    })
}

/// Writes an output.
fn write_output(output: &Value, is_truncated: bool) -> Response<Body> {
    let mut text = output.to_string();
    if is_truncated {
        let half = text.len() / 2;
        text = text.chars().take(half).collect();
    }
    write(StatusCode::OK, text)
}

/// Writes an error.
fn write_error(error: &ApiError) -> Response<Body> {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = write(status, serde_json::json!({"message": error.to_string()}).to_string());
    response.headers_mut().insert(ERROR_TYPE, header::HeaderValue::from_static(error.name()));
    response
}

/// Writes a reply.
fn write(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
