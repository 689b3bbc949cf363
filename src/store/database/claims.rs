//! Claims: which domains a worker is to check next, fair over tenants.
//!
//! A domain that is due gets a turn: the place behind those of its tenant that have one, and not before the turns that
//! are being served. Claims go by turn, so that a tenant with a hundred thousand domains and one with ten move on side
//! by side, domain by domain (start-time fair queueing, Goyal et al. 1996, with every domain of the same weight).

use std::collections::HashMap;

use jiff::Timestamp;

use super::domains::{COLUMNS, read_domain};
use super::leases::hold;
use crate::store::engine::{Engine, Statement, Tx, Value};
use crate::store::{Claim, DomainId, Lane, ShardLease, StoreError};

/// How many due domains get their turn in one transaction: a fraction of a second of work on either engine.
const TURNS_AT_ONCE: u32 = 10_000;

/// Says that a domain is not claimed under the epoch that its shard has now.
const UNCLAIMED: &str = "(q.claim_epoch IS NULL OR q.claim_epoch <> s.epoch)";

/// Claims domains of the shards that are still held.
pub(super) async fn claim(
    engine: &Engine,
    lane: &Lane,
    leases: &[ShardLease],
    limit: u32,
) -> Result<Vec<Claim>, StoreError> {
    let mut tx = engine.begin().await?;
    let held = hold(&mut tx, leases).await?;
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let shards: Vec<u16> = held.iter().map(|lease| lease.shard).collect();
    if let Lane::Due(now) = lane {
        deal_turns(&mut tx, &shards, *now).await?;
    }
    let epochs: HashMap<u16, i64> = held.iter().map(|lease| (lease.shard, lease.epoch)).collect();
    let mut claims = Vec::new();
    for mut row in tx.fetch(candidates(lane, shards, limit)).await? {
        let domain = read_domain(&mut row)?;
        if let Some(&epoch) = epochs.get(&domain.operator_shard) {
            let lease = ShardLease { shard: domain.operator_shard, epoch };
            claims.push(Claim { domain, lease });
        }
    }
    if !claims.is_empty() {
        let rows = claims.iter().map(|claim| vec![claim.domain.id.as_str().into(), claim.lease.epoch.into()]).collect();
        let mark = "WITH {batch} UPDATE schedule SET claim_epoch = b.epoch FROM batch b WHERE schedule.domain = b.id";
        tx.execute(Statement::new(mark).batch(&["id", "epoch"], rows)).await?;
    }
    tx.commit().await?;
    Ok(claims)
}

/// Gives those that have become due their turns; those that somebody writes at the moment get it the next time.
async fn deal_turns(tx: &mut Tx, shards: &[u16], now: Timestamp) -> Result<(), StoreError> {
    let statement = Statement::new(
        "WITH fresh AS MATERIALIZED (SELECT q.domain, q.tenant, q.due_at FROM schedule q WHERE q.due_at <= $1 AND \
         q.due_at IS NOT NULL AND q.turn IS NULL AND {held q.shard $2} ORDER BY q.due_at LIMIT $3 {skip q}), \
         served AS MATERIALIZED (SELECT coalesce(min(q.turn) - 1, 0) AS turn FROM schedule q WHERE q.turn IS NOT NULL), \
         tenants AS MATERIALIZED (SELECT f.tenant, coalesce((SELECT max(t.turn) FROM schedule t WHERE t.tenant = \
         f.tenant AND t.turn IS NOT NULL), 0) AS turn FROM (SELECT DISTINCT tenant FROM fresh) f), \
         dealt AS (SELECT f.domain, row_number() OVER (PARTITION BY f.tenant ORDER BY f.due_at, f.domain) + \
         {greatest}(t.turn, s.turn) AS turn FROM fresh f JOIN tenants t ON t.tenant = f.tenant CROSS JOIN served s) \
         UPDATE schedule SET turn = dealt.turn FROM dealt WHERE schedule.domain = dealt.domain",
    );
    tx.execute(statement.bind(now).bind(shards.to_vec()).bind(TURNS_AT_ONCE)).await.map(drop)
}

/// Asks for the first domains of a lane that are not claimed.
fn candidates(lane: &Lane, shards: Vec<u16>, limit: u32) -> Statement {
    let (from, which, turn, run): (_, _, _, Option<Value>) = match lane {
        Lane::Rechecks => ("schedule q", "q.recheck_turn IS NOT NULL", "q.recheck_turn", None),
        Lane::Due(_) => ("schedule q", "q.turn IS NOT NULL", "q.turn", None),
        Lane::Run(run) => (
            "run_domains r CROSS JOIN schedule q",
            "r.run = $3 AND r.check_seq IS NULL AND q.domain = r.domain",
            "r.turn",
            Some(run.as_str().into()),
        ),
    };
    // CROSS JOIN has SQLite read in this order, which is that of the turns.
    let statement = Statement::new(format!(
        "SELECT {COLUMNS} FROM {from} CROSS JOIN shards s CROSS JOIN domains d WHERE {which} AND {{held q.shard $1}} AND \
         s.shard = q.shard AND {UNCLAIMED} AND d.id = q.domain ORDER BY {turn} LIMIT $2 {{skip q}}"
    ));
    run.into_iter().fold(statement.bind(shards).bind(limit), Statement::bind)
}

/// Lets claims go.
pub(super) async fn unclaim(engine: &Engine, claims: &[(DomainId, ShardLease)]) -> Result<(), StoreError> {
    if claims.is_empty() {
        return Ok(());
    }
    let mut sorted = claims.to_vec();
    sorted.sort_unstable();
    let ids: Vec<String> = sorted.iter().map(|(id, _)| id.to_string()).collect();
    let rows = sorted.iter().map(|(id, lease)| vec![id.as_str().into(), lease.shard.into(), lease.epoch.into()]);
    let mut tx = engine.begin().await?;
    tx.fetch(
        Statement::new("SELECT q.domain FROM schedule q WHERE q.domain {in $1} ORDER BY q.domain {update q}").bind(ids),
    )
    .await?;
    let statement = Statement::new(
        "WITH {batch} UPDATE schedule SET claim_epoch = NULL FROM batch b WHERE schedule.domain = b.id AND \
         schedule.shard = b.shard AND schedule.claim_epoch = b.epoch",
    );
    tx.execute(statement.batch(&["id", "shard", "epoch"], rows.collect())).await?;
    tx.commit().await
}

/// Lets all claims under leases go, but those of some domains.
pub(super) async fn unclaim_others(
    engine: &Engine,
    leases: &[ShardLease],
    kept: &[DomainId],
) -> Result<u64, StoreError> {
    if leases.is_empty() {
        return Ok(0);
    }
    let kept: Vec<String> = kept.iter().map(DomainId::to_string).collect();
    let rows = leases.iter().map(|lease| vec![lease.shard.into(), lease.epoch.into()]).collect();
    let statement = Statement::new(
        "WITH {batch} UPDATE schedule SET claim_epoch = NULL FROM batch b WHERE schedule.shard = b.shard AND \
         schedule.claim_epoch = b.epoch AND NOT (schedule.domain {in $1})",
    );
    // It looks at every domain of the shards, as claims are in no index.
    engine.write(statement.long().bind(kept).batch(&["shard", "epoch"], rows)).await
}

/// Moves claimed domains to other shards, where they can be claimed at once.
pub(super) async fn move_domains(engine: &Engine, moves: &[(DomainId, ShardLease, u16)]) -> Result<(), StoreError> {
    if moves.is_empty() {
        return Ok(());
    }
    let mut sorted = moves.to_vec();
    sorted.sort_unstable();
    let ids: Vec<String> = sorted.iter().map(|(id, ..)| id.to_string()).collect();
    let row = |(id, lease, shard): &(DomainId, ShardLease, u16)| {
        vec![id.as_str().into(), lease.shard.into(), lease.epoch.into(), (*shard).into()]
    };
    let mut tx = engine.begin().await?;
    tx.fetch(
        Statement::new("SELECT q.domain FROM schedule q WHERE q.domain {in $1} ORDER BY q.domain {update q}").bind(ids),
    )
    .await?;
    let statement = Statement::new(
        "WITH {batch} UPDATE schedule SET shard = b.target, claim_epoch = NULL FROM batch b WHERE \
         schedule.domain = b.id AND schedule.shard = b.shard AND schedule.claim_epoch = b.epoch",
    );
    tx.execute(statement.batch(&["id", "shard", "epoch", "target"], sorted.iter().map(row).collect())).await?;
    tx.commit().await
}

/// Says when there is next something to claim.
pub(super) async fn next_due(engine: &Engine, leases: &[ShardLease]) -> Result<Option<Timestamp>, StoreError> {
    let shards: Vec<u16> = leases.iter().map(|lease| lease.shard).collect();
    let mut soonest = None;
    let lanes = [
        ("q.recheck_at", "q.recheck_turn IS NOT NULL", "q.recheck_turn"),
        ("q.due_at", "q.turn IS NOT NULL", "q.turn"),
        ("q.due_at", "q.due_at IS NOT NULL AND q.turn IS NULL", "q.due_at"),
    ];
    for (time, which, order) in lanes {
        let statement = Statement::new(format!(
            "SELECT {time} FROM schedule q CROSS JOIN shards s WHERE {which} AND {{held q.shard $1}} AND s.shard = \
             q.shard AND {UNCLAIMED} ORDER BY {order} LIMIT 1"
        ));
        for mut row in engine.read(statement.bind(shards.clone())).await? {
            let time = row.opt_time("schedule.due_at")?;
            soonest = [soonest, time].into_iter().flatten().min();
        }
    }
    Ok(soonest)
}
