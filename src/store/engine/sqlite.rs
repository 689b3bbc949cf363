//! SQLite: one file, many readers, one writer.
//!
//! WAL with `synchronous=FULL`: what is committed survives a power cut. All writing goes through one connection, so
//! that writers of this process queue instead of failing, and takes the write lock at once, so that it waits for
//! other processes at a point where waiting works.

use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, TypeInfo as _, ValueRef as _};

use super::statement::{Kind, Statement};
use super::value::{Row, Value};
use crate::store::StoreError;
use crate::store::outcome::MAX_BATCH;

/// How long to wait for another process that writes (SECURITY.md, limits).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for a turn among this process' own writers: many batches fit in.
const TURN_TIMEOUT: Duration = Duration::from_secs(60);
/// How many connections read at once.
const READERS: u32 = 4;
/// The page cache of a connection, in KiB as SQLite counts it.
const CACHE: &str = "-16384";

/// An open file.
pub(in crate::store) struct Sqlite {
    /// The connections that read.
    readers: SqlitePool,
    /// The connection that writes.
    writer: SqlitePool,
}

impl Sqlite {
    /// Opens a file, and makes it where there is none.
    pub(in crate::store) async fn open(url: &str) -> Result<Self, StoreError> {
        let bad_url = |error: sqlx::Error| StoreError::Url { url: url.to_owned(), reason: error.to_string() };
        let options = SqliteConnectOptions::from_str(url).map_err(bad_url)?;
        let in_memory = options.get_filename().to_str().is_some_and(|name| name.starts_with("file:sqlx-in-memory"));
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("cache_size", CACHE)
            .pragma("temp_store", "memory");
        let pool = |size: u32| {
            SqlitePoolOptions::new()
                .max_connections(size)
                .acquire_timeout(TURN_TIMEOUT)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                // SQLite itself takes back a transaction that a full disk broke; the driver does not see it, and takes
                // no new one. Such a connection is thrown away, unless the database would go with it.
                .before_acquire(move |connection, _| {
                    let is_usable = in_memory || !connection.is_in_transaction();
                    Box::pin(async move { Ok(is_usable) })
                })
        };
        // A database in memory belongs to its one connection, which must stay.
        let writer = pool(1).min_connections(1).connect_with(options.clone()).await.map_err(|error| match error {
            sqlx::Error::Database(_) => match read_error(error) {
                StoreError::Refused(reason) => StoreError::Url { url: url.to_owned(), reason },
                other => other,
            },
            other => read_error(other),
        })?;
        let readers =
            if in_memory { writer.clone() } else { pool(READERS).min_connections(0).connect_lazy_with(options) };
        Ok(Self { readers, writer })
    }

    /// Returns a connection that reads.
    pub(super) async fn reader(&self) -> Result<PoolConnection<sqlx::Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(read_error)
    }

    /// Returns the connection that writes, when it is its turn.
    pub(super) async fn writer(&self) -> Result<PoolConnection<sqlx::Sqlite>, StoreError> {
        self.writer.acquire().await.map_err(read_error)
    }

    /// Begins a transaction that has the right to write from the start.
    pub(super) async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(read_error)
    }

    /// Ends the connections; the last one brings the write-ahead log into the file.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A statement with its values bound.
type Query = sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// Binds the values: those of the batch first.
fn bind(statement: Statement) -> Query {
    let text = statement.text_for(Kind::Sqlite);
    // Batches of an odd size come once: they would push what comes again out of the cache.
    let is_common = statement.batch.as_ref().is_none_or(|batch| batch.rows.len() == MAX_BATCH);
    let query = sqlx::query(AssertSqlSafe(text)).persistent(is_common);
    let rows = statement.batch.into_iter().flat_map(|batch| batch.rows).flatten();
    rows.chain(statement.values).fold(query, |query, value| match value {
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Octets(octets) => query.bind(octets),
        Value::Ints(numbers) => query.bind(serde_json::Value::from(numbers).to_string()),
        Value::Shards(shards) => query.bind(serde_json::Value::from(shards).to_string()),
        Value::Texts(texts) => query.bind(serde_json::Value::from(texts).to_string()),
    })
}

/// Runs a statement and reads its rows.
pub(super) async fn fetch(connection: &mut SqliteConnection, statement: Statement) -> Result<Vec<Row>, StoreError> {
    let rows = bind(statement).fetch_all(connection).await.map_err(read_error)?;
    rows.iter().map(read_row).collect()
}

/// Runs a statement and counts the rows it changed.
pub(super) async fn execute(connection: &mut SqliteConnection, statement: Statement) -> Result<u64, StoreError> {
    bind(statement).execute(connection).await.map(|done| done.rows_affected()).map_err(read_error)
}

/// Makes a transaction so.
pub(super) async fn commit(tx: sqlx::Transaction<'static, sqlx::Sqlite>) -> Result<(), StoreError> {
    tx.commit().await.map_err(read_error)
}

/// Reads a row by what its values are.
fn read_row(row: &SqliteRow) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(row.len());
    for index in 0..row.len() {
        let kind = row.try_get_raw(index).map_err(read_error)?.type_info().name().to_owned();
        values.push(match kind.as_str() {
            "NULL" => Value::Int(None),
            "TEXT" => Value::Text(row.try_get(index).map_err(read_error)?),
            "BLOB" => Value::Octets(row.try_get(index).map_err(read_error)?),
            _ => Value::Int(row.try_get_unchecked(index).map_err(read_error)?),
        });
    }
    Ok(Row::new(values))
}

/// Says in our words what went wrong. The numbers are SQLite's result codes (sqlite.org/rescode.html).
pub(super) fn read_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) => {
            let code: i64 = error.code().and_then(|code| code.parse().ok()).unwrap_or_default();
            let reason = error.message().to_owned();
            match code & 0xff {
                5 | 6 => StoreError::Busy(reason),
                8 => StoreError::ReadOnly(reason),
                11 | 26 => StoreError::Corrupted(reason),
                13 => StoreError::Full(reason),
                _ => StoreError::Refused(reason),
            }
        }
        sqlx::Error::PoolTimedOut => StoreError::Busy("other work of this process holds it".to_owned()),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => StoreError::Unavailable(error.to_string()),
        other => StoreError::Refused(other.to_string()),
    }
}
