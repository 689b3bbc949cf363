//! Leases of shards. A worker's row and its shards' rows are locked in one order: the worker's first.

use std::time::Duration;

use crate::store::engine::{Engine, Row, Statement, Tx};
use crate::store::{Heartbeat, ShardLease, StoreError, Taken};

/// Reads a lease.
fn read_lease(row: &mut Row) -> Result<ShardLease, StoreError> {
    Ok(ShardLease { shard: row.small("shards.shard")?, epoch: row.int("shards.epoch")? })
}

/// Writes leases as rows of a batch.
fn lease_rows(leases: &[ShardLease]) -> Vec<Vec<crate::store::engine::Value>> {
    leases.iter().map(|lease| vec![lease.shard.into(), lease.epoch.into()]).collect()
}

/// Writes a duration in whole milliseconds.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

/// Says that a worker is alive, and reads what it holds.
///
/// A taker locks the row of a worker that seems gone: the heartbeat comes either before, and the shards stay, or
/// after, and sees that they went.
pub(super) async fn heartbeat(engine: &Engine, worker: &str, term: Duration) -> Result<Heartbeat, StoreError> {
    let mut tx = engine.begin().await?;
    let alive = Statement::new(
        "INSERT INTO workers (name, alive_until) VALUES ($1, {now} + $2) ON CONFLICT (name) DO UPDATE SET \
         alive_until = excluded.alive_until",
    );
    tx.execute(alive.bind(worker).bind(millis(term))).await?;
    let held = Statement::new("SELECT shard, epoch FROM shards WHERE owner = $1 ORDER BY shard").bind(worker);
    let leases = tx.fetch(held).await?.iter_mut().map(read_lease).collect::<Result<_, _>>()?;
    let count = Statement::new("SELECT {now}, count(*) FROM workers WHERE alive_until > {now}");
    let mut rows = tx.fetch(count).await?;
    tx.commit().await?;
    let row = rows.first_mut().ok_or_else(|| StoreError::NotFound("answer to a count".to_owned()))?;
    Ok(Heartbeat { now: row.time("workers.now")?, live_workers: row.small("workers.count")?, leases })
}

/// Leases shards that nobody alive holds.
pub(super) async fn take(engine: &Engine, worker: &str, limit: u16) -> Result<Taken, StoreError> {
    let mut tx = engine.begin().await?;
    let own = Statement::new("SELECT w.name FROM workers w WHERE w.name = $1 AND w.alive_until > {now} {update w}");
    if tx.fetch(own.bind(worker)).await?.is_empty() {
        return Ok(Taken::default());
    }
    let gone = Statement::new("SELECT w.name FROM workers w WHERE w.alive_until <= {now} ORDER BY w.name {skip w}");
    let mut rows = tx.fetch(gone).await?;
    let gone = rows.iter_mut().map(|row| row.text("workers.name")).collect::<Result<Vec<_>, _>>()?;
    let free = Statement::new(
        "SELECT s.shard, s.owner FROM shards s WHERE s.owner IS NULL OR s.owner {in $1} ORDER BY s.shard LIMIT $2 \
         {skip s}",
    );
    let (mut shards, mut rescued) = (Vec::new(), 0);
    for mut row in tx.fetch(free.bind(gone).bind(limit)).await? {
        shards.push(row.int("shards.shard")?);
        rescued += u32::from(row.opt_text("shards.owner")?.is_some());
    }
    let take =
        Statement::new("UPDATE shards SET owner = $1, epoch = epoch + 1 WHERE shard {in $2} RETURNING shard, epoch");
    let mut rows = tx.fetch(take.bind(worker).bind(shards)).await?;
    tx.commit().await?;
    let mut leases = rows.iter_mut().map(read_lease).collect::<Result<Vec<_>, _>>()?;
    leases.sort_unstable();
    Ok(Taken { leases, rescued })
}

/// Gives shards back.
pub(super) async fn give_up(engine: &Engine, worker: &str, leases: &[ShardLease]) -> Result<(), StoreError> {
    if leases.is_empty() {
        return Ok(());
    }
    let mut sorted = leases.to_vec();
    sorted.sort_unstable();
    let mut tx = engine.begin().await?;
    let shards: Vec<i64> = sorted.iter().map(|lease| lease.shard.into()).collect();
    tx.fetch(
        Statement::new("SELECT s.shard FROM shards s WHERE s.shard {in $1} ORDER BY s.shard {update s}").bind(shards),
    )
    .await?;
    let statement = Statement::new(
        "WITH {batch} UPDATE shards SET owner = NULL FROM batch b WHERE shards.shard = b.shard AND \
         shards.epoch = b.epoch AND shards.owner = $1",
    );
    tx.execute(statement.bind(worker).batch(&["shard", "epoch"], lease_rows(&sorted))).await?;
    tx.commit().await
}

/// Gives everything back.
pub(super) async fn retire(engine: &Engine, worker: &str) -> Result<(), StoreError> {
    let mut tx = engine.begin().await?;
    tx.execute(Statement::new("DELETE FROM workers WHERE name = $1").bind(worker)).await?;
    let lock = Statement::new("SELECT s.shard FROM shards s WHERE s.owner = $1 ORDER BY s.shard {update s}");
    tx.fetch(lock.bind(worker)).await?;
    tx.execute(Statement::new("UPDATE shards SET owner = NULL WHERE owner = $1").bind(worker)).await?;
    tx.commit().await
}

/// Holds the leases that are still what they seem until the transaction ends, and returns them.
///
/// A shared lock on the shards makes a taker pass them by for the moment.
pub(super) async fn hold(tx: &mut Tx, leases: &[ShardLease]) -> Result<Vec<ShardLease>, StoreError> {
    let shards: Vec<i64> = leases.iter().map(|lease| lease.shard.into()).collect();
    let look = Statement::new("SELECT s.shard, s.epoch FROM shards s WHERE s.shard {in $1} ORDER BY s.shard {share}");
    let rows = tx.fetch(look.bind(shards)).await?.iter_mut().map(read_lease).collect::<Result<Vec<_>, _>>()?;
    let asked: std::collections::HashSet<&ShardLease> = leases.iter().collect();
    Ok(rows.into_iter().filter(|lease| asked.contains(lease)).collect())
}
