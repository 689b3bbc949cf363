//! Adding, finding and listing domains.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::dns::name::Name;
use crate::findings::Code;
use crate::report::Verdict;
use crate::store::engine::{Engine, Row, Statement, Tx, Value, unreadable};
use crate::store::{
    Added, CheckId, Domain, DomainFilter, DomainId, DomainState, IdentityUpdate, IfKnown, MAX_BATCH, NewDomain,
    RecheckAnswer, SHARDS, StoreError,
};

/// What [`read_domain`] reads, in its order.
pub(super) const COLUMNS: &str = "d.id, d.tenant, d.name, d.asked, q.shard, d.state, d.created_at, \
    d.verified_at, q.due_at, q.recheck_at, d.last_checked_at, d.last_check, d.last_verdict, d.root_cause, d.provider, \
    d.zone_digest, d.identity, d.negatives";

/// Where [`COLUMNS`] come from.
const TABLES: &str = "domains d JOIN schedule q ON q.domain = d.id";

/// Locks the domains whose ids are `$1`, each with its schedule, in the one order that all keep to who change many.
const LOCK: &str = "SELECT d.id FROM domains d JOIN schedule q ON q.domain = d.id WHERE d.id {in $1} ORDER BY d.id \
    {update d, q}";

/// All verdicts, to be found by their words.
const VERDICTS: [Verdict; 5] =
    [Verdict::Ready, Verdict::Propagating, Verdict::Partial, Verdict::Failing, Verdict::Indeterminate];

/// Finds a verdict by its word.
pub(super) fn verdict(word: &str) -> Option<Verdict> {
    VERDICTS.into_iter().find(|verdict| verdict.as_str() == word)
}

/// Writes a tenant as the tables do: none is ''.
pub(super) fn tenant_text(tenant: Option<&str>) -> String {
    tenant.unwrap_or_default().to_owned()
}

/// Reads a tenant.
pub(super) fn read_tenant(row: &mut Row, column: &'static str) -> Result<Option<String>, StoreError> {
    Ok(Some(row.text(column)?).filter(|tenant| !tenant.is_empty()))
}

/// Reads a domain from a row that begins with [`COLUMNS`].
pub(super) fn read_domain(row: &mut Row) -> Result<Domain, StoreError> {
    Ok(Domain {
        id: DomainId::from_text(row.text("domains.id")?),
        tenant: read_tenant(row, "domains.tenant")?,
        name: Name::parse(&row.text("domains.name")?)
            .map_err(|error| unreadable("domains.name", &error.to_string()))?,
        asked: row.json("domains.asked")?,
        operator_shard: row.small("schedule.shard")?,
        state: row.word("domains.state", DomainState::from_word)?,
        created_at: row.time("domains.created_at")?,
        verified_at: row.opt_time("domains.verified_at")?,
        due_at: row.opt_time("schedule.due_at")?,
        recheck_requested_at: row.opt_time("schedule.recheck_at")?,
        last_checked_at: row.opt_time("domains.last_checked_at")?,
        last_check: row.opt_text("domains.last_check")?.map(CheckId::from_text),
        last_verdict: row.opt_word("domains.last_verdict", verdict)?,
        // A code that a later version finds is not known here, and is left out.
        root_cause: row.opt_text("domains.root_cause")?.and_then(|word| Code::from_word(&word)),
        provider: row.opt_text("domains.provider")?,
        zone_digest: row.opt_text("domains.zone_digest")?,
        identity: row.opt_json("domains.identity")?,
        negatives: row.json("domains.negatives")?,
    })
}

/// Writes JSON as text.
pub(super) fn json_text<T: serde::Serialize>(value: &T, column: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| unreadable(column, &error.to_string()))
}

/// Writes a name as the tables do.
fn name_text(name: &Name) -> String {
    name.to_lowercase().to_text_without_dot()
}

/// Adds domains, a batch a transaction.
pub(super) async fn add(
    engine: &Engine,
    domains: &[NewDomain],
    known: IfKnown,
    now: Timestamp,
) -> Result<Vec<Added>, StoreError> {
    let mut answers = Vec::with_capacity(domains.len());
    for chunk in domains.chunks(MAX_BATCH) {
        answers.extend(add_chunk(engine, chunk, known, now).await?);
    }
    Ok(answers)
}

/// Adds domains in one transaction.
async fn add_chunk(
    engine: &Engine,
    chunk: &[NewDomain],
    known: IfKnown,
    now: Timestamp,
) -> Result<Vec<Added>, StoreError> {
    let key = |domain: &NewDomain| (tenant_text(domain.tenant.as_deref()), name_text(&domain.name));
    // Sorted by key, so that two who add the same names do not wait for each other in a circle.
    let last: BTreeMap<(String, String), &NewDomain> = chunk.iter().map(|domain| (key(domain), domain)).collect();
    let mut rows = Vec::with_capacity(last.len());
    let mut new_ids = BTreeMap::new();
    for ((tenant, name), domain) in &last {
        let id = DomainId::random();
        new_ids.insert((tenant.clone(), name.clone()), id.to_string());
        let asked = json_text(&domain.asked, "domains.asked")?;
        rows.push(vec![id.as_str().into(), tenant.as_str().into(), name.as_str().into(), asked.into()]);
    }
    let keys = || last.keys().map(|(tenant, name)| vec![tenant.as_str().into(), name.as_str().into()]).collect();
    let mut tx = engine.begin().await?;
    let lock = "WITH {batch} SELECT d.id FROM batch b JOIN domains d ON d.tenant = b.tenant AND d.name = b.name \
                JOIN schedule q ON q.domain = d.id ORDER BY d.id {update d, q}";
    tx.fetch(Statement::new(lock).batch(&["tenant", "name"], keys())).await?;
    let insert = "WITH {batch} INSERT INTO domains (id, tenant, name, asked, state, created_at, negatives) \
                  SELECT id, tenant, name, asked, $2, $1, 'null' FROM batch WHERE true";
    let conflict = match known {
        IfKnown::Keep => "ON CONFLICT (tenant, name) DO NOTHING",
        IfKnown::Update => {
            "ON CONFLICT (tenant, name) DO UPDATE SET asked = excluded.asked WHERE domains.asked <> excluded.asked"
        }
    };
    let statement = Statement::new(format!("{insert} {conflict} RETURNING id, tenant, name"));
    let statement = statement.batch(&["id", "tenant", "name", "asked"], rows);
    let mut times = Vec::new();
    for mut row in tx.fetch(statement.bind(now).bind(DomainState::Pending.as_str())).await? {
        let id = row.text("domains.id")?;
        let key = (row.text("domains.tenant")?, row.text("domains.name")?);
        if let Some(domain) = last.get(&key) {
            let shard = domain.operator_shard % SHARDS;
            times.push(vec![id.into(), key.0.into(), shard.into(), domain.due_at.into()]);
        }
    }
    schedule(&mut tx, times).await?;
    let find = Statement::new(
        "WITH {batch} SELECT d.tenant, d.name, d.id FROM batch b JOIN domains d ON d.tenant = b.tenant \
         AND d.name = b.name",
    );
    let mut found = BTreeMap::new();
    for mut row in tx.fetch(find.batch(&["tenant", "name"], keys())).await? {
        let key = (row.text("domains.tenant")?, row.text("domains.name")?);
        found.insert(key, row.text("domains.id")?);
    }
    tx.commit().await?;
    answer_adds(chunk, key, &found, &new_ids)
}

/// Sets when new and changed domains are due; a known one that is due sooner stays so.
async fn schedule(tx: &mut Tx, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = Statement::new(
        "WITH {batch} INSERT INTO schedule (domain, tenant, shard, due_at) SELECT id, tenant, shard, due_at FROM batch \
         WHERE true ON CONFLICT (domain) DO UPDATE SET due_at = CASE WHEN schedule.due_at IS NULL OR excluded.due_at < \
         schedule.due_at THEN excluded.due_at ELSE schedule.due_at END",
    );
    tx.execute(statement.batch(&["id", "tenant", "shard", "due_at"], rows)).await.map(drop)
}

/// Puts the answers in the order of the questions.
fn answer_adds(
    chunk: &[NewDomain],
    key: impl Fn(&NewDomain) -> (String, String),
    found: &BTreeMap<(String, String), String>,
    new_ids: &BTreeMap<(String, String), String>,
) -> Result<Vec<Added>, StoreError> {
    let mut answers = Vec::with_capacity(chunk.len());
    for domain in chunk {
        let key = key(domain);
        let id = found.get(&key).ok_or_else(|| StoreError::NotFound(format!("domain {}", key.1)))?;
        let is_new = new_ids.get(&key) == Some(id);
        answers.push(Added { id: DomainId::from_text(id.as_str()), is_new });
    }
    Ok(answers)
}

/// Finds a domain by its id.
pub(super) async fn find(engine: &Engine, id: &DomainId) -> Result<Option<Domain>, StoreError> {
    let statement = Statement::new(format!("SELECT {COLUMNS} FROM {TABLES} WHERE d.id = $1")).bind(id.as_str());
    let mut rows = engine.read(statement).await?;
    rows.first_mut().map(read_domain).transpose()
}

/// Finds domains by their names.
pub(super) async fn named(engine: &Engine, names: &[Name]) -> Result<Vec<Domain>, StoreError> {
    let names: Vec<String> = names.iter().map(name_text).collect();
    let text = format!("SELECT {COLUMNS} FROM {TABLES} WHERE d.name {{in $1}} ORDER BY d.id");
    let mut rows = engine.read(Statement::new(text).bind(names)).await?;
    rows.iter_mut().map(read_domain).collect()
}

/// Writes a filter as conditions, each with ` AND ` in front; their values take the places from `$first` on.
pub(super) fn conditions(filter: &DomainFilter, first: usize) -> (String, Vec<Value>) {
    let mut text = String::new();
    let mut values = Vec::new();
    let mut add = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            text.push_str(&format!(" AND {condition} ${}", first + values.len()));
            values.push(value);
        }
    };
    add("d.tenant =", filter.tenant.as_ref().map(|tenant| tenant_text(tenant.as_deref()).into()));
    add("d.state =", filter.state.map(|state| state.as_str().into()));
    add("d.last_verdict =", filter.verdict.map(|verdict| verdict.as_str().into()));
    add("d.root_cause =", filter.root_cause.map(|code| code.as_str().into()));
    add("d.provider =", filter.provider.as_deref().map(Value::from));
    add("q.due_at <=", filter.due_by.map(Value::from));
    (text, values)
}

/// Lists domains by id.
pub(super) async fn page(
    engine: &Engine,
    filter: &DomainFilter,
    after: Option<&DomainId>,
    limit: u32,
) -> Result<Vec<Domain>, StoreError> {
    let (conditions, values) = conditions(filter, 3);
    // Said of both tables: where PostgreSQL merges them it reads the other one from its beginning otherwise, page by page.
    let text =
        format!("SELECT {COLUMNS} FROM {TABLES} WHERE d.id > $1 AND q.domain > $1{conditions} ORDER BY d.id LIMIT $2");
    let statement = Statement::new(text).bind(after.map_or("", DomainId::as_str)).bind(limit);
    let statement = values.into_iter().fold(statement, Statement::bind);
    let mut rows = engine.read(statement).await?;
    rows.iter_mut().map(read_domain).collect()
}

/// Takes a domain away.
pub(super) async fn remove(engine: &Engine, id: &DomainId) -> Result<bool, StoreError> {
    let statement = Statement::new("DELETE FROM domains WHERE id = $1").bind(id.as_str());
    Ok(engine.write(statement).await? > 0)
}

/// Keeps what SES said.
pub(super) async fn update_identities(engine: &Engine, updates: &[IdentityUpdate]) -> Result<(), StoreError> {
    for chunk in updates.chunks(MAX_BATCH) {
        let last: BTreeMap<&str, &IdentityUpdate> =
            chunk.iter().map(|update| (update.domain.as_str(), update)).collect();
        let mut rows = Vec::with_capacity(last.len());
        for (id, update) in &last {
            let identity = update.identity.as_ref().map(Json::to_string);
            rows.push(vec![(*id).into(), identity.into()]);
        }
        let ids: Vec<String> = last.keys().map(|id| (*id).to_owned()).collect();
        let times = last.iter().filter_map(|(id, update)| Some(vec![(*id).into(), update.due_at?.into()])).collect();
        let mut tx = engine.begin().await?;
        tx.fetch(Statement::new(LOCK).bind(ids)).await?;
        let keep = "WITH {batch} UPDATE domains SET identity = b.identity FROM batch b WHERE domains.id = b.id";
        tx.execute(Statement::new(keep).batch(&["id", "identity"], rows)).await?;
        bring_forward(&mut tx, times).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Has domains checked at a time, unless they are due sooner.
async fn bring_forward(tx: &mut Tx, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = Statement::new(
        "WITH {batch} UPDATE schedule SET due_at = b.due_at FROM batch b WHERE schedule.domain = b.id AND \
         (schedule.due_at IS NULL OR schedule.due_at > b.due_at)",
    );
    tx.execute(statement.batch(&["id", "due_at"], rows)).await.map(drop)
}

/// Puts a domain into the interactive lane, behind what its tenant has there and not before what waits already.
pub(super) async fn request_recheck(
    engine: &Engine,
    id: &DomainId,
    freshness: Duration,
    now: Timestamp,
) -> Result<RecheckAnswer, StoreError> {
    let mut tx = engine.begin().await?;
    let look = "SELECT q.recheck_at, d.last_checked_at, d.tenant FROM domains d JOIN schedule q ON q.domain = d.id WHERE \
                d.id = $1 {update d, q}";
    let mut rows = tx.fetch(Statement::new(look).bind(id.as_str())).await?;
    let row = rows.first_mut().ok_or_else(|| StoreError::NotFound(format!("domain {id}")))?;
    if let Some(since) = row.opt_time("schedule.recheck_at")? {
        return Ok(RecheckAnswer::Joined(since));
    }
    let last = row.opt_time("domains.last_checked_at")?;
    if let Some(last) = last.filter(|last| now.duration_since(*last).unsigned_abs() < freshness) {
        return Ok(RecheckAnswer::Fresh(last));
    }
    let tenant = row.text("domains.tenant")?;
    let queue = Statement::new(
        "UPDATE schedule SET recheck_at = $2, recheck_turn = 1 + {greatest}(coalesce((SELECT max(t.recheck_turn) FROM \
         schedule t WHERE t.tenant = $3 AND t.recheck_turn IS NOT NULL), 0), coalesce((SELECT min(t.recheck_turn) - 1 \
         FROM schedule t WHERE t.recheck_turn IS NOT NULL), 0)) WHERE domain = $1",
    );
    tx.execute(queue.bind(id.as_str()).bind(now).bind(tenant)).await?;
    tx.commit().await?;
    Ok(RecheckAnswer::Queued)
}
