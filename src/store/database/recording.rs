//! Recording what checks came to: verdict, report, history, event, deliveries and next due time in one transaction.
//!
//! An outcome counts if its shard has the epoch under which the domain was claimed, the domain is still claimed under
//! it, and a run that it is for has no result yet. Everything is looked at under locks that last until the commit.

use std::collections::{HashMap, HashSet};

use super::compact::deflate;
use super::domains::json_text;
use super::leases::hold;
use super::webhooks::owe;
use crate::store::engine::{Engine, Statement, Turn, Tx};
use crate::store::{DomainState, EventId, MAX_BATCH, Outcome, Recorded, ShardLease, StoreError};

/// How many reports are deflated before other tasks get a turn.
const REPORTS_AT_ONCE: usize = 16;

/// What is known of a domain before an outcome is written.
struct Before {
    /// Its name.
    name: String,
    /// Whose it is; '' for nobody's.
    tenant: String,
    /// Its state.
    state: DomainState,
    /// Its shard.
    shard: u16,
    /// The epoch of its claim.
    claim_epoch: Option<i64>,
    /// Its last check.
    last_check: Option<String>,
}

/// One outcome that counts, with what it needs.
struct Counted<'a> {
    /// The outcome.
    outcome: &'a Outcome,
    /// Its report, deflated.
    body: &'a [u8],
    /// The domain before it.
    before: &'a Before,
}

/// An event that was written, as far as deliveries need to know it.
pub(super) struct Told {
    /// The event.
    pub(super) id: EventId,
    /// Its kind.
    pub(super) kind: crate::store::EventKind,
    /// Whose the domain is; '' for nobody's.
    pub(super) tenant: String,
}

/// Records outcomes, a batch a transaction.
pub(super) async fn record(engine: &Engine, outcomes: &[Outcome]) -> Result<Vec<Recorded>, StoreError> {
    let mut answers = Vec::with_capacity(outcomes.len());
    for chunk in outcomes.chunks(MAX_BATCH) {
        let mut bodies = Vec::with_capacity(chunk.len());
        for (number, outcome) in chunk.iter().enumerate() {
            bodies.push(deflate(&outcome.report)?);
            if number % REPORTS_AT_ONCE == REPORTS_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
        }
        answers.extend(record_chunk(engine, chunk, &bodies).await?);
    }
    Ok(answers)
}

/// Records outcomes in one transaction.
async fn record_chunk(engine: &Engine, chunk: &[Outcome], bodies: &[Vec<u8>]) -> Result<Vec<Recorded>, StoreError> {
    let mut tx = engine.begin().await?;
    let leases: Vec<ShardLease> =
        chunk.iter().map(|outcome| outcome.lease).collect::<HashSet<_>>().into_iter().collect();
    let held: HashSet<ShardLease> = hold(&mut tx, &leases).await?.into_iter().collect();
    let before = look(&mut tx, chunk).await?;
    let open = open_results(&mut tx, chunk).await?;
    let mut written = HashSet::new();
    let (mut answers, mut counted) = (Vec::with_capacity(chunk.len()), Vec::with_capacity(chunk.len()));
    for (outcome, body) in chunk.iter().zip(bodies) {
        let known = before.get(outcome.domain.as_str()).filter(|_| !written.contains(outcome.domain.as_str()));
        let answer = known.map_or(Recorded::Fenced, |before| judge(outcome, before, &held, &open));
        if let (Recorded::Written, Some(before)) = (answer, known) {
            written.insert(outcome.domain.as_str());
            counted.push(Counted { outcome, body, before });
        }
        answers.push(answer);
    }
    if !counted.is_empty() {
        // By id, the order in which the rows were locked.
        counted.sort_unstable_by_key(|each| each.outcome.domain.as_str());
        write(&mut tx, &counted).await?;
        tx.commit().await?;
    }
    Ok(answers)
}

/// Says whether an outcome counts.
fn judge(
    outcome: &Outcome,
    before: &Before,
    held: &HashSet<ShardLease>,
    open: &HashMap<(&str, String), bool>,
) -> Recorded {
    let is_open = outcome.run.as_ref().map(|run| open.get(&(run.as_str(), outcome.domain.to_string())));
    if before.last_check.as_deref() == Some(outcome.check.as_str()) || is_open == Some(Some(&false)) {
        Recorded::Repeated
    } else if held.contains(&outcome.lease)
        && before.shard == outcome.lease.shard
        && before.claim_epoch == Some(outcome.lease.epoch)
        && is_open != Some(None)
    {
        Recorded::Written
    } else {
        Recorded::Fenced
    }
}

/// Locks the domains and reads what they are.
async fn look(tx: &mut Tx, chunk: &[Outcome]) -> Result<HashMap<String, Before>, StoreError> {
    let ids: Vec<String> = chunk.iter().map(|outcome| outcome.domain.to_string()).collect();
    let statement = Statement::new(
        "SELECT d.id, d.name, d.tenant, d.state, q.shard, q.claim_epoch, d.last_check FROM domains d JOIN schedule q \
         ON q.domain = d.id WHERE d.id {in $1} ORDER BY d.id {update d, q}",
    );
    let mut before = HashMap::with_capacity(ids.len());
    for mut row in tx.fetch(statement.bind(ids)).await? {
        let id = row.text("domains.id")?;
        let known = Before {
            name: row.text("domains.name")?,
            tenant: row.text("domains.tenant")?,
            state: row.word("domains.state", DomainState::from_word)?,
            shard: row.small("schedule.shard")?,
            claim_epoch: row.opt_int("schedule.claim_epoch")?,
            last_check: row.opt_text("domains.last_check")?,
        };
        before.insert(id, known);
    }
    Ok(before)
}

/// Reads which domains of which runs have no result yet; the locks on the domains keep it so.
async fn open_results<'a>(tx: &mut Tx, chunk: &'a [Outcome]) -> Result<HashMap<(&'a str, String), bool>, StoreError> {
    let runs: HashSet<&str> = chunk.iter().filter_map(|outcome| outcome.run.as_ref().map(|run| run.as_str())).collect();
    let mut open = HashMap::new();
    for run in runs {
        let is_of_run = |outcome: &&Outcome| outcome.run.as_ref().is_some_and(|each| each.as_str() == run);
        let ids: Vec<String> = chunk.iter().filter(is_of_run).map(|outcome| outcome.domain.to_string()).collect();
        let statement =
            Statement::new("SELECT r.domain, r.check_seq FROM run_domains r WHERE r.run = $1 AND r.domain {in $2}");
        for mut row in tx.fetch(statement.bind(run).bind(ids)).await? {
            let domain = row.text("run_domains.domain")?;
            open.insert((run, domain), row.opt_int("run_domains.check_seq")?.is_none());
        }
    }
    Ok(open)
}

/// Writes the outcomes that count.
async fn write(tx: &mut Tx, counted: &[Counted<'_>]) -> Result<(), StoreError> {
    update_domains(tx, counted).await?;
    reschedule(tx, counted).await?;
    let places = insert_checks(tx, counted).await?;
    upsert_reports(tx, counted).await?;
    settle_runs(tx, counted, &places).await?;
    let told = insert_events(tx, counted).await?;
    owe(tx, &told).await
}

/// Moves the domains on.
async fn update_domains(tx: &mut Tx, counted: &[Counted<'_>]) -> Result<(), StoreError> {
    const BATCH: &[&str] = &[
        "id",
        "state",
        "verified_at",
        "checked_at",
        "check_id",
        "verdict",
        "root_cause",
        "provider",
        "zone_digest",
        "identity",
        "negatives",
    ];
    let mut rows = Vec::with_capacity(counted.len());
    for Counted { outcome, .. } in counted {
        let report = &outcome.report;
        rows.push(vec![
            outcome.domain.as_str().into(),
            outcome.state.as_str().into(),
            outcome.verified_at.into(),
            report.checked_at.into(),
            outcome.check.as_str().into(),
            report.verdict.as_str().into(),
            report.root_cause.map(|code| code.as_str()).into(),
            report.provider.as_ref().map(|provider| provider.id.as_str()).into(),
            outcome.zone_digest.as_deref().into(),
            outcome.identity.as_ref().map(serde_json::Value::to_string).into(),
            json_text(&outcome.negatives, "domains.negatives")?.into(),
        ]);
    }
    let statement = Statement::new(
        "WITH {batch} UPDATE domains SET state = b.state, verified_at = coalesce(domains.verified_at, b.verified_at), \
         last_checked_at = b.checked_at, last_check = b.check_id, last_verdict = b.verdict, root_cause = b.root_cause, \
         provider = b.provider, zone_digest = b.zone_digest, identity = coalesce(b.identity, domains.identity), \
         negatives = b.negatives FROM batch b WHERE domains.id = b.id",
    );
    tx.execute(statement.batch(BATCH, rows)).await.map(drop)
}

/// Sets when they are due next. A wish for a check that is younger than the check stays.
async fn reschedule(tx: &mut Tx, counted: &[Counted<'_>]) -> Result<(), StoreError> {
    let rows = counted.iter().map(|Counted { outcome, .. }| {
        let shard = outcome.operator_shard % crate::store::SHARDS;
        vec![outcome.domain.as_str().into(), outcome.due_at.into(), outcome.started_at.into(), shard.into()]
    });
    let statement = Statement::new(
        "WITH {batch} UPDATE schedule SET due_at = b.due_at, turn = NULL, claim_epoch = NULL, shard = b.shard, \
         recheck_turn = CASE WHEN schedule.recheck_at > b.started_at THEN schedule.recheck_turn END, \
         recheck_at = CASE WHEN schedule.recheck_at > b.started_at THEN schedule.recheck_at END \
         FROM batch b WHERE schedule.domain = b.id",
    );
    tx.execute(statement.batch(&["id", "due_at", "started_at", "shard"], rows.collect())).await.map(drop)
}

/// Writes the lines of history, and returns their places by domain.
async fn insert_checks(tx: &mut Tx, counted: &[Counted<'_>]) -> Result<HashMap<String, i64>, StoreError> {
    const BATCH: &[&str] = &["id", "domain", "at", "verdict", "root_cause", "state", "questions", "run"];
    let rows = counted.iter().map(|Counted { outcome, .. }| {
        let report = &outcome.report;
        vec![
            outcome.check.as_str().into(),
            outcome.domain.as_str().into(),
            report.checked_at.into(),
            report.verdict.as_str().into(),
            report.root_cause.map(|code| code.as_str()).into(),
            outcome.state.as_str().into(),
            report.cost.questions.into(),
            outcome.run.as_ref().map(|run| run.as_str()).into(),
        ]
    });
    let statement = Statement::new(
        "WITH {batch} INSERT INTO checks (id, domain, at, verdict, root_cause, state, questions, run) SELECT id, domain, \
         at, verdict, root_cause, state, questions, run FROM batch RETURNING domain, seq",
    );
    let mut places = HashMap::with_capacity(counted.len());
    for mut row in tx.fetch(statement.batch(BATCH, rows.collect())).await? {
        places.insert(row.text("checks.domain")?, row.int("checks.seq")?);
    }
    Ok(places)
}

/// Puts the reports in the place of the ones before.
async fn upsert_reports(tx: &mut Tx, counted: &[Counted<'_>]) -> Result<(), StoreError> {
    let rows = counted.iter().map(|each| {
        vec![each.outcome.domain.as_str().into(), each.outcome.check.as_str().into(), each.body.to_vec().into()]
    });
    let statement = Statement::new(
        "WITH {batch} INSERT INTO reports (domain, check_id, body) SELECT domain, check_id, body FROM batch WHERE true \
         ON CONFLICT (domain) DO UPDATE SET check_id = excluded.check_id, body = excluded.body",
    );
    tx.execute(statement.batch(&["domain", "check_id", "body"], rows.collect())).await.map(drop)
}

/// Gives the runs their results.
async fn settle_runs(tx: &mut Tx, counted: &[Counted<'_>], places: &HashMap<String, i64>) -> Result<(), StoreError> {
    let rows: Vec<_> = counted
        .iter()
        .filter_map(|Counted { outcome, .. }| {
            let place = places.get(outcome.domain.as_str()).copied()?;
            Some(vec![outcome.run.as_ref()?.as_str().into(), outcome.domain.as_str().into(), place.into()])
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let statement = Statement::new(
        "WITH {batch} UPDATE run_domains SET check_seq = b.seq FROM batch b WHERE run_domains.run = b.run AND \
         run_domains.domain = b.domain AND run_domains.check_seq IS NULL",
    );
    tx.execute(statement.batch(&["run", "domain", "seq"], rows)).await.map(drop)
}

/// Writes the events.
async fn insert_events(tx: &mut Tx, counted: &[Counted<'_>]) -> Result<Vec<Told>, StoreError> {
    const BATCH: &[&str] =
        &["id", "domain", "name", "tenant", "kind", "from_state", "to_state", "at", "check_id", "diff", "report"];
    let (mut told, mut rows) = (Vec::new(), Vec::new());
    for Counted { outcome, body, before } in counted {
        let Some(event) = &outcome.event else { continue };
        let id = EventId::random();
        rows.push(vec![
            id.as_str().into(),
            outcome.domain.as_str().into(),
            before.name.as_str().into(),
            before.tenant.as_str().into(),
            event.kind.as_str().into(),
            before.state.as_str().into(),
            outcome.state.as_str().into(),
            outcome.report.checked_at.into(),
            outcome.check.as_str().into(),
            event.diff.to_string().into(),
            body.to_vec().into(),
        ]);
        told.push(Told { id, kind: event.kind, tenant: before.tenant.clone() });
    }
    if !rows.is_empty() {
        tx.take_turn(Turn::Events).await?;
        let statement = Statement::new(
            "WITH {batch} INSERT INTO events (id, domain, name, tenant, kind, from_state, to_state, at, check_id, diff, \
             report) SELECT id, domain, name, tenant, kind, from_state, to_state, at, check_id, diff, report FROM batch",
        );
        tx.execute(statement.batch(BATCH, rows)).await?;
    }
    Ok(told)
}
