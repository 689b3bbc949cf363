//! Webhook endpoints and what they are owed.

use std::time::Duration;

use super::history::{EVENT_COLUMNS, read_event};
use super::leases::millis;
use super::recording::Told;
use crate::store::engine::{Engine, Row, Statement, Tx, Value, unreadable};
use crate::store::{
    Delivery, DeliveryEnd, DeliveryFilter, DeliveryId, DeliveryState, Endpoint, EndpointId, EventKind, MAX_BATCH,
    StoreError,
};

/// What [`read_endpoint`] reads, in its order.
const ENDPOINT_COLUMNS: &str = "p.id, p.url, p.secret, p.tenant, p.kinds, p.is_enabled, p.created_at";

/// How much of an error is kept: what fits a line.
const MAX_ERROR_CHARS: usize = 500;

/// Reads an endpoint from a row that goes on with [`ENDPOINT_COLUMNS`].
fn read_endpoint(row: &mut Row) -> Result<Endpoint, StoreError> {
    Ok(Endpoint {
        id: EndpointId::from_text(row.text("endpoints.id")?),
        url: row.text("endpoints.url")?,
        secret: row.text("endpoints.secret")?,
        tenant: row.opt_text("endpoints.tenant")?,
        kinds: read_kinds(&row.text("endpoints.kinds")?)?,
        is_enabled: row.int("endpoints.is_enabled")? != 0,
        created_at: row.time("endpoints.created_at")?,
    })
}

/// Reads words with commas between.
fn read_kinds(text: &str) -> Result<Vec<EventKind>, StoreError> {
    let words = text.split(',').filter(|word| !word.is_empty());
    words
        .map(|word| {
            EventKind::from_word(word).ok_or_else(|| unreadable("endpoints.kinds", &format!("{word:?} is no event")))
        })
        .collect()
}

/// Finds the state of a delivery by its word.
fn delivery_state(word: &str) -> Option<DeliveryState> {
    DeliveryState::ALL.iter().copied().find(|state| state.as_str() == word)
}

/// Writes down which endpoints are owed the events.
pub(super) async fn owe(tx: &mut Tx, told: &[Told]) -> Result<(), StoreError> {
    if told.is_empty() {
        return Ok(());
    }
    // The lock keeps an endpoint from going away before what it is owed is written.
    let text = format!("SELECT {ENDPOINT_COLUMNS} FROM endpoints p WHERE p.is_enabled = 1 ORDER BY p.id {{share}}");
    let mut rows = Vec::new();
    for mut row in tx.fetch(Statement::new(text)).await? {
        let endpoint = read_endpoint(&mut row)?;
        let is_owed = |event: &&Told| {
            (endpoint.kinds.is_empty() || endpoint.kinds.contains(&event.kind))
                && endpoint.tenant.as_ref().is_none_or(|tenant| *tenant == event.tenant)
        };
        rows.extend(told.iter().filter(is_owed).map(|event| -> Vec<Value> {
            vec![DeliveryId::random().as_str().into(), endpoint.id.as_str().into(), event.id.as_str().into()]
        }));
    }
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(MAX_BATCH));
        let statement = Statement::new(
            "WITH {batch} INSERT INTO deliveries (id, endpoint, event, state, attempts, next_at) SELECT id, endpoint, \
             event, 'pending', 0, {now} FROM batch",
        );
        tx.execute(statement.batch(&["id", "endpoint", "event"], rows)).await?;
        rows = rest;
    }
    Ok(())
}

/// Adds or changes an endpoint.
pub(super) async fn put_endpoint(engine: &Engine, endpoint: &Endpoint) -> Result<(), StoreError> {
    let kinds: Vec<&str> = endpoint.kinds.iter().map(|kind| kind.as_str()).collect();
    let statement = Statement::new(
        "INSERT INTO endpoints (id, url, secret, tenant, kinds, is_enabled, created_at) VALUES ($1, $2, $3, $4, $5, $6, \
         $7) ON CONFLICT (id) DO UPDATE SET url = excluded.url, secret = excluded.secret, tenant = excluded.tenant, \
         kinds = excluded.kinds, is_enabled = excluded.is_enabled",
    );
    let statement = statement.bind(endpoint.id.as_str()).bind(endpoint.url.as_str()).bind(endpoint.secret.as_str());
    let statement = statement.bind(endpoint.tenant.as_deref()).bind(kinds.join(","));
    engine.write(statement.bind(endpoint.is_enabled).bind(endpoint.created_at)).await.map(drop)
}

/// Lists the endpoints.
pub(super) async fn endpoints(engine: &Engine) -> Result<Vec<Endpoint>, StoreError> {
    let text = format!("SELECT {ENDPOINT_COLUMNS} FROM endpoints p ORDER BY p.id");
    engine.read(Statement::new(text)).await?.iter_mut().map(read_endpoint).collect()
}

/// Takes an endpoint away.
pub(super) async fn remove_endpoint(engine: &Engine, id: &EndpointId) -> Result<bool, StoreError> {
    Ok(engine.write(Statement::new("DELETE FROM endpoints WHERE id = $1").bind(id.as_str())).await? > 0)
}

/// Asks for deliveries that meet a condition.
fn select(condition: &str) -> Statement {
    Statement::new(format!(
        "SELECT y.id, y.state, y.attempts, y.next_at, y.last_error, {ENDPOINT_COLUMNS}, {EVENT_COLUMNS} FROM deliveries y \
         JOIN endpoints p ON p.id = y.endpoint JOIN events e ON e.id = y.event WHERE {condition}"
    ))
}

/// Reads a delivery from a row of [`select`].
fn read_delivery(row: &mut Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: DeliveryId::from_text(row.text("deliveries.id")?),
        state: row.word("deliveries.state", delivery_state)?,
        attempts: row.small("deliveries.attempts")?,
        next_at: row.time("deliveries.next_at")?,
        last_error: row.opt_text("deliveries.last_error")?,
        endpoint: read_endpoint(row)?,
        event: read_event(row)?,
    })
}

/// Leases deliveries that are due.
pub(super) async fn lease(engine: &Engine, term: Duration, limit: u32) -> Result<Vec<Delivery>, StoreError> {
    let mut tx = engine.begin().await?;
    let due = Statement::new(
        "SELECT y.id FROM deliveries y JOIN endpoints p ON p.id = y.endpoint WHERE y.state = 'pending' AND \
         y.next_at <= {now} AND p.is_enabled = 1 ORDER BY y.next_at LIMIT $1 {skip y}",
    );
    let mut rows = tx.fetch(due.bind(limit)).await?;
    let ids = rows.iter_mut().map(|row| row.text("deliveries.id")).collect::<Result<Vec<_>, _>>()?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let take = "UPDATE deliveries SET attempts = attempts + 1, next_at = {now} + $1 WHERE id {in $2}";
    tx.execute(Statement::new(take).bind(millis(term)).bind(ids.clone())).await?;
    let mut rows = tx.fetch(select("y.id {in $1} ORDER BY y.id").bind(ids)).await?;
    tx.commit().await?;
    rows.iter_mut().map(read_delivery).collect()
}

/// Writes down what came of an attempt, if it is the last one.
pub(super) async fn settle(
    engine: &Engine,
    id: &DeliveryId,
    attempt: u32,
    end: &DeliveryEnd,
) -> Result<bool, StoreError> {
    let (state, at, error) = match end {
        DeliveryEnd::Delivered => (DeliveryState::Delivered, None, None),
        DeliveryEnd::Retry { at, error } => (DeliveryState::Pending, Some(*at), Some(error)),
        DeliveryEnd::Dead { error } => (DeliveryState::Dead, None, Some(error)),
    };
    let error: Option<String> = error.map(|error| error.chars().take(MAX_ERROR_CHARS).collect());
    let statement = Statement::new(
        "UPDATE deliveries SET state = $3, next_at = coalesce($4, next_at), last_error = $5 WHERE id = $1 AND \
         attempts = $2 AND state = 'pending'",
    );
    let statement = statement.bind(id.as_str()).bind(attempt).bind(state.as_str()).bind(at).bind(error);
    Ok(engine.write(statement).await? > 0)
}

/// Writes a filter as conditions, each with ` AND ` in front, whose values take the places from `$first` on.
fn conditions(filter: &DeliveryFilter, first: usize) -> (String, Vec<Value>) {
    let state = filter.state.map(|state| ("y.state", state.as_str()));
    let endpoint = filter.endpoint.as_ref().map(|endpoint| ("y.endpoint", endpoint.as_str()));
    let id = filter.id.as_ref().map(|id| ("y.id", id.as_str()));
    let (mut text, mut values) = (String::new(), Vec::new());
    for (column, value) in [state, endpoint, id].into_iter().flatten() {
        text.push_str(&format!(" AND {column} = ${}", first + values.len()));
        values.push(value.into());
    }
    (text, values)
}

/// Lists deliveries by id.
pub(super) async fn list(
    engine: &Engine,
    filter: &DeliveryFilter,
    after: Option<&DeliveryId>,
    limit: u32,
) -> Result<Vec<Delivery>, StoreError> {
    let (conditions, values) = conditions(filter, 3);
    let statement = select(&format!("y.id > $1{conditions} ORDER BY y.id LIMIT $2"));
    let statement = statement.bind(after.map_or("", DeliveryId::as_str)).bind(limit);
    let mut rows = engine.read(values.into_iter().fold(statement, Statement::bind)).await?;
    rows.iter_mut().map(read_delivery).collect()
}

/// Makes dead deliveries due again.
pub(super) async fn replay(engine: &Engine, filter: &DeliveryFilter) -> Result<u64, StoreError> {
    let (conditions, values) = conditions(filter, 1);
    let statement = Statement::new(format!(
        "UPDATE deliveries SET state = 'pending', attempts = 0, next_at = {{now}} WHERE id IN (SELECT y.id FROM \
         deliveries y WHERE y.state = 'dead'{conditions})"
    ));
    engine.write(values.into_iter().fold(statement.long(), Statement::bind)).await
}
