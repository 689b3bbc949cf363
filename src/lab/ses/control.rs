//! What whoever runs the lab may do to its SES, over HTTP under `/_lab/` and from Rust.
//!
//! ```text
//! GET  /_lab/counters                        what was asked so far
//! GET  /_lab/clock                           {"now": SECONDS, "speed": N}
//! POST /_lab/clock                           {"advance_seconds": N} and {"speed": N}; looks at what is due then
//! POST /_lab/look                            {"identity": NAME}, or {} for all; looks now
//! GET  /_lab/faults                          the faults that are about
//! PUT  /_lab/faults                          [{"kind": ..., "operation": ..., "percent": N, "times": N, "after": true, "delay_ms": N}]
//! PUT  /_lab/account                         {"sending_paused": true} and {"calls_per_second": N}; 0 slows nobody
//! PUT  /_lab/identities/{region}/{identity}  {"status": ..., "sees": ..., "verified_otherwise": true}
//! ```

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::account::Account;
use super::counters::Counters;
use super::fault::Fault;
use super::looking::look_after;
use super::track::{DKIM_GRACE, Seen, Track};
use super::words::{Status, VerificationError};
use super::{Shared, pause};

/// The furthest that the clock is moved at once: a year, so that the looks on the way can be counted through.
const MAX_ADVANCE: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A change of an identity by hand; what is not told stays.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// How its DKIM verification stands from now on, until a look says otherwise.
    pub status: Option<Status>,
    /// What every look comes to.
    pub sees: Option<Sees>,
    /// Whether it was verified in another way, such as the TXT record of former times.
    pub verified_otherwise: Option<bool>,
}

/// What a look comes to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub enum Sees {
    /// What the DNS says.
    Dns,
    /// All is right, whatever the DNS says.
    Right,
    /// This is wrong, whatever the DNS says.
    Wrong(VerificationError),
}

impl TryFrom<String> for Sees {
    type Error = serde_json::Error;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        match word.as_str() {
            "DNS" => Ok(Self::Dns),
            "RIGHT" => Ok(Self::Right),
            _ => serde_json::from_value(Value::String(word)).map(Self::Wrong),
        }
    }
}

/// How an identity stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// Its DKIM verification.
    pub dkim: Status,
    /// Its verification as a whole.
    pub verification: Status,
    /// Whether mail may be sent from it.
    pub can_send: bool,
    /// What was not right at the last look.
    pub error: Option<VerificationError>,
    /// Its tokens, or the selector of a key that was brought.
    pub tokens: Vec<String>,
    /// The verification of its MAIL FROM name.
    pub mail_from: Option<Status>,
}

impl Account {
    /// Changes an identity by hand; returns whether there is one.
    pub(super) fn change(&mut self, region: &str, name: &str, change: &Change) -> bool {
        let now = self.clock.at(Instant::now());
        let Ok(identity) = self.identity_mut(region, name) else { return false };
        if let Some(status) = change.status {
            identity.dkim = Track::at(status, now, DKIM_GRACE);
            identity.due_at = identity.dkim.next_look(now);
            identity.revision += 1;
        }
        if let Some(sees) = change.sees {
            identity.pretence = match sees {
                Sees::Dns => None,
                Sees::Right => Some(Seen::Right),
                Sees::Wrong(error) => Some(Seen::Wrong(error)),
            };
        }
        if let Some(is_verified) = change.verified_otherwise {
            identity.is_verified_otherwise = is_verified;
        }
        true
    }

    /// Returns how an identity stands.
    pub(super) fn standing(&self, region: &str, name: &str) -> Option<Standing> {
        let identity = self.identity(region, name).ok()?;
        Some(Standing {
            dkim: identity.dkim.status,
            verification: identity.verification_status(),
            can_send: identity.can_send(),
            error: identity.error,
            tokens: self.dkim_output(region, identity).tokens,
            mail_from: identity.mail_from.as_ref().map(|mail_from| mail_from.track.status),
        })
    }
}

/// Puts the routes together.
pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_lab/counters", get(counters))
        .route("/_lab/clock", get(clock).post(move_clock))
        .route("/_lab/look", post(look))
        .route("/_lab/faults", get(faults).put(set_faults))
        .route("/_lab/account", put(set_account))
        .route("/_lab/identities/{region}/{identity}", put(change))
}

/// Tells what was asked.
async fn counters(State(shared): State<Arc<Shared>>) -> Json<Counters> {
    Json(shared.lock().counters.clone())
}

/// Tells the time.
async fn clock(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let clock = shared.lock().clock;
    Json(json!({"now": clock.at(Instant::now()).as_second(), "speed": clock.speed()}))
}

/// How the clock is to be moved.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Move {
    /// How far.
    advance_seconds: u64,
    /// How fast it is to go from now on.
    speed: Option<u32>,
}

/// Moves the clock and looks.
async fn move_clock(State(shared): State<Arc<Shared>>, Json(told): Json<Move>) -> Json<Value> {
    let looked_at = look_after(&shared, |account| {
        let real = Instant::now();
        account.clock.advance(Duration::from_secs(told.advance_seconds).min(MAX_ADVANCE), real);
        if let Some(speed) = told.speed {
            account.clock.set_speed(speed, real);
        }
    })
    .await;
    shared.woken.notify_one();
    Json(json!({"looked_at": looked_at}))
}

/// What is to be looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Look {
    /// The one domain; all, where none is told.
    identity: Option<String>,
}

/// Looks now.
async fn look(State(shared): State<Arc<Shared>>, Json(told): Json<Look>) -> Json<Value> {
    let looked_at = look_after(&shared, |account| account.look_soon(told.identity.as_deref())).await;
    shared.woken.notify_one();
    Json(json!({"looked_at": looked_at}))
}

/// Tells the faults.
async fn faults(State(shared): State<Arc<Shared>>) -> Json<Vec<Fault>> {
    Json(shared.lock().faults.rules().to_vec())
}

/// Sets the faults.
async fn set_faults(State(shared): State<Arc<Shared>>, Json(told): Json<Vec<Fault>>) -> StatusCode {
    shared.lock().faults.set(told);
    StatusCode::NO_CONTENT
}

/// What is to be changed of the account.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AccountChange {
    /// Whether sending is paused.
    sending_paused: Option<bool>,
    /// How many calls a second there may be; 0 slows nobody.
    calls_per_second: Option<u32>,
}

/// Changes the account.
async fn set_account(State(shared): State<Arc<Shared>>, Json(told): Json<AccountChange>) -> StatusCode {
    let mut account = shared.lock();
    if let Some(is_paused) = told.sending_paused {
        account.is_paused = is_paused;
    }
    if let Some(rate) = told.calls_per_second {
        account.pause = NonZeroU32::new(rate).map(pause);
        account.next_call = None;
    }
    StatusCode::NO_CONTENT
}

/// Changes an identity.
async fn change(
    State(shared): State<Arc<Shared>>,
    Path((region, identity)): Path<(String, String)>,
    Json(told): Json<Change>,
) -> StatusCode {
    let is_there = shared.lock().change(&region, &identity, &told);
    shared.woken.notify_one();
    if is_there { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}
