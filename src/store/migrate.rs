//! Brings a database to the tables that this program knows; forward only, and never half.

use super::StoreError;
use super::engine::{Engine, Kind, Statement, Turn, Tx};

/// One step: its version, its text for SQLite and for PostgreSQL. A step that was released is never changed.
struct Migration {
    /// The version that it leads to.
    version: i64,
    /// What SQLite is told.
    #[cfg(feature = "sqlite")]
    sqlite: &'static str,
    /// What PostgreSQL is told.
    #[cfg(feature = "postgres")]
    postgres: &'static str,
}

/// All steps in their order.
const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    #[cfg(feature = "sqlite")]
    sqlite: include_str!("migrations/sqlite/0001_fleet.sql"),
    #[cfg(feature = "postgres")]
    postgres: include_str!("migrations/postgres/0001_fleet.sql"),
}];

/// The table that tells which steps were taken.
const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)";

impl Migration {
    /// Returns the text for an engine.
    fn text(&self, kind: Kind) -> &'static str {
        match kind {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite => self.sqlite,
            #[cfg(feature = "postgres")]
            Kind::Postgres => self.postgres,
        }
    }
}

/// Takes the steps that are missing, all in one transaction; who comes at the same time waits and finds them taken.
///
/// # Errors
/// [`StoreError::NewerSchema`] where the database has steps that this program does not know; it is not touched then.
pub(super) async fn migrate(engine: &Engine) -> Result<(), StoreError> {
    let mut tx = engine.begin().await?;
    tx.take_turn(Turn::Migrate).await?;
    tx.script(VERSIONS).await?;
    let found = version(&mut tx).await?;
    let known = MIGRATIONS.last().map_or(0, |migration| migration.version);
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > found) {
        tx.script(migration.text(engine.kind())).await?;
        let done = Statement::new("INSERT INTO schema_versions (version, applied_at) VALUES ($1, {now})");
        tx.execute(done.bind(migration.version)).await?;
    }
    tx.commit().await
}

/// Reads the version that the tables have.
async fn version(tx: &mut Tx) -> Result<i64, StoreError> {
    let rows = tx.fetch(Statement::new("SELECT max(version) FROM schema_versions")).await?;
    let mut found = 0;
    for mut row in rows {
        found = row.opt_int("schema_versions.version")?.unwrap_or(0);
    }
    Ok(found)
}
