//! PostgreSQL: one server, many machines.

use std::io;
use std::str::FromStr;
use std::time::Duration;

use futures::TryFutureExt as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Column as _, Connection as _, Row as _, TypeInfo as _};

use super::statement::{Batch, Kind, Statement};
use super::value::{Row, Value};
use super::without_password;
use crate::store::{SHARDS, StoreError};

/// How many connections one process takes at most; a server takes a hundred unless told otherwise.
const CONNECTIONS: u32 = 8;
/// How long to wait for a connection; whoever can wait longer asks again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the server keeps a transaction whose process says nothing: one that is stopped, or gone with its machine,
/// must not hold its locks for longer than others wait for them.
const IDLE_LIMIT: &str = "5s";
/// How long a statement waits for a lock: longer than that, so that it gets it.
const LOCK_LIMIT: &str = "15s";
/// How long a statement may go without an answer before the server counts as away: longer than it may wait for a lock.
/// A server that is stopped, or a machine that is gone without a word, would hold up a worker for ever.
const STATEMENT_LIMIT: Duration = Duration::from_secs(20);
/// The same for one that goes over the whole fleet.
const WHOLE_FLEET_LIMIT: Duration = Duration::from_secs(15 * 60);
/// How long a connection that is given back may take to say that it still works.
const RELEASE_LIMIT: Duration = Duration::from_secs(5);

/// A pool of connections to a server.
pub(in crate::store) struct Postgres {
    /// The connections.
    pool: PgPool,
}

impl Postgres {
    /// Connects to a server.
    pub(in crate::store) async fn open(url: &str) -> Result<Self, StoreError> {
        let bad_url = |error: sqlx::Error| StoreError::Url { url: without_password(url), reason: error.to_string() };
        let options = PgConnectOptions::from_str(url).map_err(bad_url)?.application_name("zoneproof").options([
            ("idle_in_transaction_session_timeout", IDLE_LIMIT),
            ("lock_timeout", LOCK_LIMIT),
            // A plan that does not know how many rows are wanted takes it to be a tenth of the table.
            ("plan_cache_mode", "force_custom_plan"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT_TIMEOUT)
            // One whose statement was given up is in the middle of it: without this it would be waited for without end.
            .after_release(|connection, _| Box::pin(within(RELEASE_LIMIT, connection.ping()).map_ok(|()| true)));
        let pool = pool.connect_with(options).await.map_err(read_error)?;
        Ok(Self { pool })
    }

    /// Returns a connection.
    pub(super) async fn reader(&self) -> Result<PoolConnection<sqlx::Postgres>, StoreError> {
        self.pool.acquire().await.map_err(read_error)
    }

    /// Returns a connection: here all of them write.
    pub(super) async fn writer(&self) -> Result<PoolConnection<sqlx::Postgres>, StoreError> {
        self.reader().await
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, StoreError> {
        within(STATEMENT_LIMIT, self.pool.begin()).await.map_err(read_error)
    }

    /// Ends the connections.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Waits for an answer of the server, but not for ever.
pub(super) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let silent =
        || sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", limit.as_secs())));
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| Err(silent()))
}

/// Returns how long a statement may go without an answer.
fn limit(statement: &Statement) -> Duration {
    if statement.is_long { WHOLE_FLEET_LIMIT } else { STATEMENT_LIMIT }
}

/// A statement with its values bound.
type Query = sqlx::query::Query<'static, sqlx::Postgres, PgArguments>;

/// Binds the values, then the columns of the batch.
fn bind(statement: Statement) -> Query {
    let query = sqlx::query(AssertSqlSafe(statement.text_for(Kind::Postgres)));
    let query = statement.values.into_iter().fold(query, |query, value| match value {
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Octets(octets) => query.bind(octets),
        Value::Ints(numbers) => query.bind(numbers),
        Value::Texts(texts) => query.bind(texts),
        Value::Shards(shards) => query.bind(bitmap(&shards)),
    });
    statement.batch.into_iter().flat_map(columns).fold(query, |query, column| match column {
        Array::Ints(numbers) => query.bind(numbers),
        Array::Texts(texts) => query.bind(texts),
        Array::Octets(octets) => query.bind(octets),
    })
}

/// Writes shards as a map of bits, as `get_bit` reads it: the lowest bit of an octet first.
fn bitmap(shards: &[u16]) -> Vec<u8> {
    let mut map = vec![0_u8; usize::from(SHARDS).div_ceil(8)];
    for shard in shards {
        if let Some(octet) = map.get_mut(usize::from(shard / 8)) {
            *octet |= 1 << (shard % 8);
        }
    }
    map
}

/// One column of a batch.
enum Array {
    /// Numbers.
    Ints(Vec<Option<i64>>),
    /// Texts.
    Texts(Vec<Option<String>>),
    /// Octets.
    Octets(Vec<Option<Vec<u8>>>),
}

/// Turns rows into columns. A value of another kind than its column's first is NULL.
fn columns(batch: Batch) -> Vec<Array> {
    let mut columns: Vec<Array> = Vec::with_capacity(batch.columns.len());
    for (number, row) in batch.rows.into_iter().enumerate() {
        if number == 0 {
            columns.extend(row.iter().map(|value| match value {
                Value::Int(_) | Value::Ints(_) => Array::Ints(Vec::new()),
                Value::Text(_) | Value::Texts(_) => Array::Texts(Vec::new()),
                Value::Octets(_) | Value::Shards(_) => Array::Octets(Vec::new()),
            }));
        }
        for (column, value) in columns.iter_mut().zip(row) {
            match (column, value) {
                (Array::Ints(column), Value::Int(number)) => column.push(number),
                (Array::Ints(column), _) => column.push(None),
                (Array::Texts(column), Value::Text(text)) => column.push(text),
                (Array::Texts(column), _) => column.push(None),
                (Array::Octets(column), Value::Octets(octets)) => column.push(octets),
                (Array::Octets(column), _) => column.push(None),
            }
        }
    }
    columns
}

/// Runs a statement and reads its rows.
pub(super) async fn fetch(connection: &mut PgConnection, statement: Statement) -> Result<Vec<Row>, StoreError> {
    let limit = limit(&statement);
    let rows = within(limit, bind(statement).fetch_all(connection)).await.map_err(read_error)?;
    rows.iter().map(read_row).collect()
}

/// Runs a statement and counts the rows it changed.
pub(super) async fn execute(connection: &mut PgConnection, statement: Statement) -> Result<u64, StoreError> {
    let limit = limit(&statement);
    within(limit, bind(statement).execute(connection)).await.map(|done| done.rows_affected()).map_err(read_error)
}

/// Makes a transaction so.
pub(super) async fn commit(tx: sqlx::Transaction<'static, sqlx::Postgres>) -> Result<(), StoreError> {
    within(STATEMENT_LIMIT, tx.commit()).await.map_err(read_error)
}

/// Reads a row by the types of its columns.
fn read_row(row: &PgRow) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        values.push(match column.type_info().name() {
            "TEXT" => Value::Text(row.try_get(index).map_err(read_error)?),
            "BYTEA" => Value::Octets(row.try_get(index).map_err(read_error)?),
            "BOOL" => {
                let truth: Option<bool> = row.try_get(index).map_err(read_error)?;
                Value::Int(truth.map(i64::from))
            }
            _ => Value::Int(row.try_get(index).map_err(read_error)?),
        });
    }
    Ok(Row::new(values))
}

/// Says in our words what went wrong. The words are SQLSTATE codes (PostgreSQL, appendix A).
pub(super) fn read_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default().into_owned();
            let reason = error.message().to_owned();
            match code.as_str() {
                // Serialization failure, deadlock, lock not available.
                "40001" | "40P01" | "55P03" => StoreError::Busy(reason),
                // Shutting down, starting up, silent for too long, too many connections, connection failures.
                "25P03" | "57P01" | "57P02" | "57P03" | "57P05" | "53300" => StoreError::Unavailable(reason),
                code if code.starts_with("08") => StoreError::Unavailable(reason),
                "25006" => StoreError::ReadOnly(reason),
                "53100" => StoreError::Full(reason),
                "XX001" | "XX002" => StoreError::Corrupted(reason),
                _ => StoreError::Refused(format!("{reason} (SQLSTATE {code})")),
            }
        }
        sqlx::Error::Io(error) => StoreError::Unavailable(error.to_string()),
        sqlx::Error::PoolTimedOut => StoreError::Unavailable("no connection within 5 s".to_owned()),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::BeginFailed => {
            StoreError::Unavailable(error.to_string())
        }
        // The other side went away in the middle of a message.
        sqlx::Error::Protocol(reason) => StoreError::Unavailable(reason),
        other => StoreError::Refused(other.to_string()),
    }
}
