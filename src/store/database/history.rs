//! What was: reports, lines of history, events.

use super::compact::inflate;
use super::domains::{read_tenant, verdict};
use crate::findings::Code;
use crate::report::Report;
use crate::store::engine::{Engine, Row, Statement};
use crate::store::{CheckId, CheckSummary, DomainId, DomainState, Event, EventId, EventKind, RunId, StoreError};

/// What [`read_event`] reads, in its order.
pub(super) const EVENT_COLUMNS: &str =
    "e.seq, e.id, e.domain, e.name, e.tenant, e.kind, e.from_state, e.to_state, e.at, e.check_id, e.diff";

/// What [`read_check`] reads, in its order.
pub(super) const CHECK_COLUMNS: &str =
    "c.seq, c.id, c.domain, c.at, c.verdict, c.root_cause, c.state, c.questions, c.run";

/// Reads an event from a row that goes on with [`EVENT_COLUMNS`].
pub(super) fn read_event(row: &mut Row) -> Result<Event, StoreError> {
    Ok(Event {
        seq: row.int("events.seq")?,
        id: EventId::from_text(row.text("events.id")?),
        domain: DomainId::from_text(row.text("events.domain")?),
        name: row.text("events.name")?,
        tenant: read_tenant(row, "events.tenant")?,
        kind: row.word("events.kind", EventKind::from_word)?,
        from: row.word("events.from_state", DomainState::from_word)?,
        to: row.word("events.to_state", DomainState::from_word)?,
        at: row.time("events.at")?,
        check: CheckId::from_text(row.text("events.check_id")?),
        diff: row.json("events.diff")?,
    })
}

/// Reads a line of history from a row that goes on with [`CHECK_COLUMNS`].
pub(super) fn read_check(row: &mut Row) -> Result<CheckSummary, StoreError> {
    Ok(CheckSummary {
        seq: row.int("checks.seq")?,
        check: CheckId::from_text(row.text("checks.id")?),
        domain: DomainId::from_text(row.text("checks.domain")?),
        at: row.time("checks.at")?,
        verdict: row.word("checks.verdict", verdict)?,
        root_cause: row.opt_text("checks.root_cause")?.and_then(|word| Code::from_word(&word)),
        state: row.word("checks.state", DomainState::from_word)?,
        questions: row.small("checks.questions")?,
        run: row.opt_text("checks.run")?.map(RunId::from_text),
    })
}

/// Reads the one report that a statement finds.
async fn one_report(engine: &Engine, statement: Statement) -> Result<Option<Report>, StoreError> {
    let mut rows = engine.read(statement).await?;
    let Some(row) = rows.first_mut() else { return Ok(None) };
    row.opt_octets("reports.body")?.as_deref().map(inflate).transpose()
}

/// Reads the last report of a domain.
pub(super) async fn report(engine: &Engine, id: &DomainId) -> Result<Option<Report>, StoreError> {
    one_report(engine, Statement::new("SELECT body FROM reports WHERE domain = $1").bind(id.as_str())).await
}

/// Reads the report of an event.
pub(super) async fn event_report(engine: &Engine, id: &EventId) -> Result<Option<Report>, StoreError> {
    one_report(engine, Statement::new("SELECT report FROM events WHERE id = $1").bind(id.as_str())).await
}

/// Lists the checks of a domain, the latest first.
pub(super) async fn history(
    engine: &Engine,
    id: &DomainId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<CheckSummary>, StoreError> {
    let text =
        format!("SELECT {CHECK_COLUMNS} FROM checks c WHERE c.domain = $1 AND c.seq < $2 ORDER BY c.seq DESC LIMIT $3");
    let statement = Statement::new(text).bind(id.as_str()).bind(before.unwrap_or(i64::MAX)).bind(limit);
    engine.read(statement).await?.iter_mut().map(read_check).collect()
}

/// Lists events in their order.
pub(super) async fn events(
    engine: &Engine,
    domain: Option<&DomainId>,
    after: i64,
    limit: u32,
) -> Result<Vec<Event>, StoreError> {
    let of_domain = if domain.is_some() { " AND e.domain = $3" } else { "" };
    let text = format!("SELECT {EVENT_COLUMNS} FROM events e WHERE e.seq > $1{of_domain} ORDER BY e.seq LIMIT $2");
    let statement = Statement::new(text).bind(after).bind(limit);
    let statement = domain.into_iter().fold(statement, |statement, domain| statement.bind(domain.as_str()));
    engine.read(statement).await?.iter_mut().map(read_event).collect()
}
