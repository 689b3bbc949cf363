//! Runs, and the intents to create identities.

use jiff::Timestamp;

use super::compact::inflate;
use super::domains::conditions;
use super::history::{CHECK_COLUMNS, read_check};
use crate::store::engine::{Engine, Row, Statement, Value};
use crate::store::{
    DomainFilter, DomainId, Enlist, IdentityIntent, IntentEnd, MAX_BATCH, Run, RunId, RunResult, StoreError,
};

/// Asks for the runs that meet a condition.
fn select(condition: &str) -> Statement {
    let text = format!(
        "SELECT u.id, u.digest, u.started_at, u.finished_at, count(r.domain), count(r.check_seq) FROM runs u LEFT JOIN \
         run_domains r ON r.run = u.id WHERE {condition} GROUP BY u.id, u.digest, u.started_at, u.finished_at"
    );
    Statement::new(text).long()
}

/// Reads a run from a row of [`select`].
fn read_run(row: &mut Row) -> Result<Run, StoreError> {
    Ok(Run {
        id: RunId::from_text(row.text("runs.id")?),
        digest: row.text("runs.digest")?,
        started_at: row.time("runs.started_at")?,
        finished_at: row.opt_time("runs.finished_at")?,
        domains: row.small("runs.domains")?,
        done: row.small("runs.done")?,
    })
}

/// Begins a run, or finds the open one over the same.
pub(super) async fn begin(engine: &Engine, digest: &str, now: Timestamp) -> Result<Run, StoreError> {
    let mut tx = engine.begin().await?;
    let insert = Statement::new(
        "INSERT INTO runs (id, digest, started_at) VALUES ($1, $2, $3) ON CONFLICT (digest) WHERE finished_at IS NULL \
         DO NOTHING",
    );
    tx.execute(insert.bind(RunId::random().as_str()).bind(digest).bind(now)).await?;
    let mut rows = tx.fetch(select("u.digest = $1 AND u.finished_at IS NULL").bind(digest)).await?;
    tx.commit().await?;
    let row = rows.first_mut().ok_or_else(|| StoreError::NotFound(format!("run over {digest}")))?;
    read_run(row)
}

/// Adds domains to a run. Each gets its turn behind those of its tenant.
pub(super) async fn enlist(engine: &Engine, run: &RunId, domains: &Enlist) -> Result<u64, StoreError> {
    match domains {
        Enlist::These(ids) => {
            let mut new = 0;
            for chunk in ids.chunks(MAX_BATCH) {
                let ids: Vec<String> = chunk.iter().map(DomainId::to_string).collect();
                new += enlist_where(engine, run, " AND d.id {in $2}", vec![ids.into()]).await?;
            }
            Ok(new)
        }
        Enlist::Matching(filter) => enlist_matching(engine, run, filter).await,
    }
}

/// Adds all domains that match.
async fn enlist_matching(engine: &Engine, run: &RunId, filter: &DomainFilter) -> Result<u64, StoreError> {
    let (conditions, values) = conditions(filter, 2);
    enlist_where(engine, run, &conditions, values).await
}

/// Adds the domains that meet conditions, whose values take the places from `$2` on.
async fn enlist_where(engine: &Engine, run: &RunId, conditions: &str, values: Vec<Value>) -> Result<u64, StoreError> {
    let statement = Statement::new(format!(
        "WITH fresh AS MATERIALIZED (SELECT d.id, d.tenant FROM domains d JOIN schedule q ON q.domain = d.id WHERE NOT EXISTS (SELECT 1 FROM run_domains r WHERE r.run = \
         $1 AND r.domain = d.id){conditions}), tenants AS MATERIALIZED (SELECT f.tenant, coalesce((SELECT max(r.turn) FROM \
         run_domains r WHERE r.run = $1 AND r.tenant = f.tenant), 0) AS turn FROM (SELECT DISTINCT tenant FROM fresh) f) \
         INSERT INTO run_domains (run, domain, tenant, turn) SELECT $1, f.id, f.tenant, t.turn + row_number() OVER \
         (PARTITION BY f.tenant ORDER BY f.id) FROM fresh f JOIN tenants t ON t.tenant = f.tenant WHERE true \
         ON CONFLICT (run, domain) DO NOTHING"
    ));
    engine.write(values.into_iter().fold(statement.long().bind(run.as_str()), Statement::bind)).await
}

/// Finds a run.
pub(super) async fn find(engine: &Engine, run: &RunId) -> Result<Option<Run>, StoreError> {
    let mut rows = engine.read(select("u.id = $1").bind(run.as_str())).await?;
    rows.first_mut().map(read_run).transpose()
}

/// Lists the runs that are not finished.
pub(super) async fn open(engine: &Engine) -> Result<Vec<RunId>, StoreError> {
    let statement = Statement::new("SELECT u.id FROM runs u WHERE u.finished_at IS NULL ORDER BY u.started_at, u.id");
    let mut rows = engine.read(statement).await?;
    rows.iter_mut().map(|row| row.text("runs.id").map(RunId::from_text)).collect()
}

/// Lists results by domain.
pub(super) async fn results(
    engine: &Engine,
    run: &RunId,
    after: Option<&DomainId>,
    limit: u32,
) -> Result<Vec<RunResult>, StoreError> {
    // Said of the reports too: where PostgreSQL merges them it reads them from the beginning otherwise, page by page.
    let statement = Statement::new(format!(
        "SELECT p.body, {CHECK_COLUMNS} FROM run_domains r JOIN checks c ON c.seq = r.check_seq LEFT JOIN reports p ON \
         p.domain = r.domain AND p.domain > $2 AND p.check_id = c.id WHERE r.run = $1 AND r.domain > $2 ORDER BY r.domain LIMIT $3"
    ));
    let after = after.map_or("", DomainId::as_str);
    let mut rows = engine.read(statement.bind(run.as_str()).bind(after).bind(limit)).await?;
    let mut results = Vec::with_capacity(rows.len());
    for row in &mut rows {
        let report = row.opt_octets("reports.body")?.as_deref().map(inflate).transpose()?;
        let summary = read_check(row)?;
        results.push(RunResult { domain: summary.domain.clone(), summary, report });
    }
    Ok(results)
}

/// Ends a run that has all its results.
pub(super) async fn finish(engine: &Engine, run: &RunId, now: Timestamp) -> Result<bool, StoreError> {
    let statement = Statement::new(
        "UPDATE runs SET finished_at = $2 WHERE id = $1 AND finished_at IS NULL AND NOT EXISTS (SELECT 1 FROM \
         run_domains r WHERE r.run = $1 AND r.check_seq IS NULL)",
    );
    engine.write(statement.long().bind(run.as_str()).bind(now)).await?;
    Ok(find(engine, run).await?.is_some_and(|run| run.finished_at.is_some()))
}

/// Reads what was intended for a domain.
pub(super) async fn intent(engine: &Engine, domain: &DomainId) -> Result<Option<IdentityIntent>, StoreError> {
    let text = "SELECT attempt, intended_at, outcome FROM identity_intents WHERE domain = $1";
    let mut rows = engine.read(Statement::new(text).bind(domain.as_str())).await?;
    let Some(row) = rows.first_mut() else { return Ok(None) };
    Ok(Some(IdentityIntent {
        attempt: row.small("identity_intents.attempt")?,
        intended_at: row.time("identity_intents.intended_at")?,
        end: row
            .word("identity_intents.outcome", |word| IntentEnd::ALL.iter().copied().find(|end| end.as_str() == word))?,
    }))
}

/// Writes down the intent that comes after `attempts_before` others, if nobody was faster.
pub(super) async fn intend(
    engine: &Engine,
    domain: &DomainId,
    attempts_before: u32,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let statement = if attempts_before == 0 {
        Statement::new(
            "INSERT INTO identity_intents (domain, attempt, intended_at, outcome) SELECT d.id, $2 + 1, $3, $4 FROM \
             domains d WHERE d.id = $1 ON CONFLICT (domain) DO NOTHING",
        )
    } else {
        Statement::new(
            "UPDATE identity_intents SET attempt = $2 + 1, intended_at = $3, outcome = $4 WHERE domain = $1 AND attempt = $2",
        )
    };
    let statement = statement.bind(domain.as_str()).bind(attempts_before).bind(now).bind(IntentEnd::Open.as_str());
    Ok(engine.write(statement).await? > 0)
}

/// Writes down what came of an attempt.
pub(super) async fn settle(engine: &Engine, domain: &DomainId, attempt: u32, end: IntentEnd) -> Result<(), StoreError> {
    let statement = Statement::new("UPDATE identity_intents SET outcome = $3 WHERE domain = $1 AND attempt = $2");
    engine.write(statement.bind(domain.as_str()).bind(attempt).bind(end.as_str())).await.map(drop)
}
