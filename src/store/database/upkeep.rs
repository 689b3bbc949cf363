//! Tokens, retention, and the fleet in numbers.

use std::time::Duration;

use jiff::Timestamp;

use super::domains::tenant_text;
use crate::store::engine::{Engine, Statement};
use crate::store::{FleetSummary, Retention, StoreError, Swept, TokenRate};

/// How many rows a sweep looks at in one transaction.
const SWEEP_ROWS: u32 = 5_000;
/// How long a worker that went is remembered.
const WORKERS: i64 = 24 * 3600 * 1000;

/// Writes a duration in whole microseconds.
fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

/// Takes tokens, and says when they may be spent.
///
/// The generic cell rate algorithm keeps one time a key: when all tokens are back. What is taken moves it on by the time
/// that it takes to come back, and may be spent once that is no further off than a burst (ITU-T I.371, annex A).
pub(super) async fn reserve(engine: &Engine, key: &str, rate: TokenRate, tokens: u32) -> Result<Duration, StoreError> {
    let statement = Statement::new(
        "INSERT INTO tokens (key, back_at) VALUES ($1, {now_us} + $2) ON CONFLICT (key) DO UPDATE SET back_at = \
         {greatest}(tokens.back_at, {now_us}) + $2 RETURNING back_at - {now_us}",
    );
    let per_token = micros(rate.per_token);
    let statement = statement.bind(key).bind(per_token.saturating_mul(tokens.into()));
    let mut rows = engine.change(statement).await?;
    let row = rows.first_mut().ok_or_else(|| StoreError::NotFound(format!("tokens of {key}")))?;
    let wait = row.int("tokens.back_at")?.saturating_sub(per_token.saturating_mul(rate.burst.into()));
    Ok(Duration::from_micros(u64::try_from(wait).unwrap_or(0)))
}

/// Takes away what is old.
pub(super) async fn sweep(engine: &Engine, retention: &Retention, now: Timestamp) -> Result<Swept, StoreError> {
    let before = |kept: Duration| now.as_millisecond().saturating_sub(super::leases::millis(kept));
    let checks = sweep_by_time(engine, CHECKS, before(retention.history)).await?;
    let events = sweep_by_time(engine, EVENTS, before(retention.events)).await?;
    let runs = sweep_runs(engine, before(retention.runs)).await?;
    let gone = Statement::new(
        "DELETE FROM workers WHERE alive_until < {now} - $1 AND NOT EXISTS (SELECT 1 FROM shards s WHERE s.owner = \
         workers.name)",
    );
    let workers = engine.write(gone.bind(WORKERS)).await?;
    Ok(Swept { checks, events, runs, workers })
}

/// The old lines of history, and which of them may go: not what a domain was last, and not the result of a run.
const CHECKS: (&str, &str) = (
    "SELECT at, seq FROM checks WHERE at < $1 AND (at, seq) > ($2, $3) ORDER BY at, seq LIMIT $4",
    "DELETE FROM checks WHERE seq {in $1} AND NOT EXISTS (SELECT 1 FROM domains d WHERE d.id = checks.domain AND \
     d.last_check = checks.id) AND NOT EXISTS (SELECT 1 FROM runs u WHERE u.id = checks.run)",
);

/// The old events, and which of them may go: not what is still owed to somebody.
const EVENTS: (&str, &str) = (
    "SELECT at, seq FROM events WHERE at < $1 AND (at, seq) > ($2, $3) ORDER BY at, seq LIMIT $4",
    "DELETE FROM events WHERE seq {in $1} AND NOT EXISTS (SELECT 1 FROM deliveries y WHERE y.event = events.id AND \
     y.state = 'pending')",
);

/// Goes through the old rows of a table by time, and deletes those that may go.
async fn sweep_by_time(
    engine: &Engine,
    (look, delete): (&'static str, &'static str),
    before: i64,
) -> Result<u64, StoreError> {
    let (mut at, mut seq, mut swept) = (i64::MIN, i64::MIN, 0);
    loop {
        let window = Statement::new(look).bind(before).bind(at).bind(seq).bind(SWEEP_ROWS);
        let mut places = Vec::new();
        for mut row in engine.read(window).await? {
            at = row.int("at")?;
            seq = row.int("seq")?;
            places.push(seq);
        }
        if places.is_empty() {
            return Ok(swept);
        }
        swept += engine.write(Statement::new(delete).bind(places)).await?;
    }
}

/// Deletes old runs, their lists first.
async fn sweep_runs(engine: &Engine, before: i64) -> Result<u64, StoreError> {
    let mut rows = engine.read(Statement::new("SELECT id FROM runs WHERE finished_at < $1").bind(before)).await?;
    let mut swept = 0;
    for row in &mut rows {
        let run = row.text("runs.id")?;
        let some = "DELETE FROM run_domains WHERE run = $1 AND domain IN (SELECT r.domain FROM run_domains r WHERE r.run \
                    = $1 ORDER BY r.domain LIMIT $2)";
        while engine.write(Statement::new(some).bind(run.as_str()).bind(SWEEP_ROWS)).await? > 0 {}
        swept += engine.write(Statement::new("DELETE FROM runs WHERE id = $1").bind(run)).await?;
    }
    Ok(swept)
}

/// Counts the fleet in one pass over it.
pub(super) async fn summary(engine: &Engine, tenant: Option<&str>, now: Timestamp) -> Result<FleetSummary, StoreError> {
    let of_tenant = if tenant.is_some() { "WHERE d.tenant = $2" } else { "" };
    let statement = Statement::new(format!(
        "SELECT d.state, d.last_verdict, d.root_cause, d.provider, CASE WHEN d.last_checked_at IS NULL THEN 'never' WHEN \
         d.last_checked_at > $1 - 3600000 THEN 'hour' WHEN d.last_checked_at > $1 - 86400000 THEN 'day' WHEN \
         d.last_checked_at > $1 - 604800000 THEN 'week' ELSE 'older' END, count(*) FROM domains d {of_tenant} \
         GROUP BY 1, 2, 3, 4, 5"
    ));
    let statement = statement.long().bind(now);
    let statement = tenant.into_iter().fold(statement, |statement, tenant| statement.bind(tenant_text(Some(tenant))));
    let mut summary = FleetSummary::default();
    for mut row in engine.read(statement).await? {
        let state = row.text("domains.state")?;
        let verdict = row.opt_text("domains.last_verdict")?.unwrap_or_else(|| "unchecked".to_owned());
        let (cause, provider) = (row.opt_text("domains.root_cause")?, row.opt_text("domains.provider")?);
        let age = row.text("domains.age")?;
        let count: u64 = row.small("domains.count")?;
        summary.domains += count;
        let single = [(&mut summary.states, state), (&mut summary.verdicts, verdict), (&mut summary.ages, age)];
        for (counts, word) in single {
            *counts.entry(word).or_default() += count;
        }
        for (counts, word) in [(&mut summary.root_causes, cause), (&mut summary.providers, provider)] {
            if let Some(word) = word {
                *counts.entry(word).or_default() += count;
            }
        }
    }
    Ok(summary)
}

/// Reads the database's clock.
pub(super) async fn now(engine: &Engine) -> Result<Timestamp, StoreError> {
    let mut rows = engine.read(Statement::new("SELECT {now}")).await?;
    rows.first_mut().ok_or_else(|| StoreError::NotFound("clock".to_owned()))?.time("now")
}
