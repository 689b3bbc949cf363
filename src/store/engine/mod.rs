//! The two databases behind one face: statements in, rows out, transactions.
//!
//! What the store does is written once, over [`Engine`]; only what the engines say differently is in `sqlite.rs` and
//! `postgres.rs`, and in the marks of a [`Statement`]. Errors become [`StoreError`] here.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod value;

pub(super) use self::statement::{Kind, Statement};
pub(super) use self::value::{Row, Value, unreadable};
use super::StoreError;

/// A database.
pub(super) enum Engine {
    /// A file, or memory.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::Sqlite),
    /// A server.
    #[cfg(feature = "postgres")]
    Postgres(postgres::Postgres),
}

/// A transaction; dropped without [`Tx::commit`] it has changed nothing.
pub(super) enum Tx {
    /// Of SQLite; it holds the one right to write.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    /// Of PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// Calls the same method of whichever engine it is.
macro_rules! either {
    ($self:expr, $engine:ident => $call:expr) => {
        match $self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite($engine) => {
                use sqlite as door;
                $call
            }
            #[cfg(feature = "postgres")]
            Self::Postgres($engine) => {
                use postgres as door;
                $call
            }
        }
    };
}

impl Engine {
    /// Opens the database at an address, whose scheme says which engine it is.
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        let scheme = url.split(':').next().unwrap_or_default();
        match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => Ok(Self::Sqlite(sqlite::Sqlite::open(url).await?)),
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => Ok(Self::Postgres(postgres::Postgres::open(url).await?)),
            _ => {
                let reason = "expected sqlite:PATH, sqlite::memory: or postgres://USER@HOST/DATABASE".to_owned();
                Err(StoreError::Url { url: without_password(url), reason })
            }
        }
    }

    /// Says which engine it is.
    pub(super) fn kind(&self) -> Kind {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Kind::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Kind::Postgres,
        }
    }

    /// Reads rows, outside of a transaction.
    pub(super) async fn read(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        either!(self, engine => {
            let mut connection = engine.reader().await?;
            door::fetch(&mut connection, statement).await
        })
    }

    /// Begins a transaction that may write.
    pub(super) async fn begin(&self) -> Result<Tx, StoreError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(engine) => Ok(Tx::Sqlite(engine.begin().await?)),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Ok(Tx::Postgres(engine.begin().await?)),
        }
    }

    /// Ends all connections.
    pub(super) async fn close(&self) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(engine) => engine.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => engine.close().await,
        }
    }

    /// Runs one statement, which is a transaction of its own, and returns how many rows it changed.
    pub(super) async fn write(&self, statement: Statement) -> Result<u64, StoreError> {
        either!(self, engine => {
            let mut connection = engine.writer().await?;
            door::execute(&mut connection, statement).await
        })
    }

    /// Runs one statement, which is a transaction of its own, and returns the rows that it tells of.
    pub(super) async fn change(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        either!(self, engine => {
            let mut connection = engine.writer().await?;
            door::fetch(&mut connection, statement).await
        })
    }
}

impl Tx {
    /// Runs a statement and returns its rows.
    pub(super) async fn fetch(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        either!(self, tx => door::fetch(tx, statement).await)
    }

    /// Runs a statement and returns how many rows it changed.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        either!(self, tx => door::execute(tx, statement).await)
    }

    /// Runs a text of several statements, without values.
    pub(super) async fn script(&mut self, text: &'static str) -> Result<(), StoreError> {
        either!(self, tx => sqlx::raw_sql(text).execute(&mut **tx).await.map(drop).map_err(door::read_error))
    }

    /// Makes transactions that hold the same lock take turns; in SQLite all writers do.
    pub(super) async fn take_turn(&mut self, lock: Turn) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => {
                tracing::trace!(?lock, "all writers take turns");
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => {
                let statement = Statement::new("SELECT pg_advisory_xact_lock($1)").bind(lock as i64);
                postgres::execute(tx, statement).await.map(drop)
            }
        }
    }

    /// Makes it so; where this fails with [`StoreError::Unavailable`], it may be so or not.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        either!(self, tx => door::commit(tx).await)
    }
}

/// What transactions take turns at; each number is the key of an advisory lock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    /// Changing the tables.
    Migrate = 0x7a70_0001,
    /// Adding events, so that a later place is never seen before an earlier one.
    Events = 0x7a70_0002,
}

/// Takes the password out of an address.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        None => url.to_owned(),
    }
}
