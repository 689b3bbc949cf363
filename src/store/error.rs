//! Why the store could not do its work, each in one line.

/// Why the store could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The address of the database cannot be read, or names an engine that this build does not have.
    #[error("database {url:?}: {reason}")]
    Url {
        /// The address as it was given, without a password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database cannot be reached now, or broke off; the same call may work later.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// Another process holds the database for longer than a call waits.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The database was written by a newer version of this program.
    #[error("the database has schema version {found}, and this program knows {known}: use a newer zoneproof")]
    NewerSchema {
        /// The version of the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The database is damaged, or the file is none.
    #[error("the database is damaged: {0}")]
    Corrupted(String),
    /// The database may not be written.
    #[error("the database cannot be written: {0}")]
    ReadOnly(String),
    /// There is no room left for the database.
    #[error("no room is left for the database: {0}")]
    Full(String),
    /// A row that the call names is not there.
    #[error("there is no {0}")]
    NotFound(String),
    /// A row holds what this version cannot read.
    #[error("{column} cannot be read: {reason}")]
    Row {
        /// The table and its column.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The database refused a statement for a reason of its own.
    #[error("the database refused: {0}")]
    Refused(String),
}

impl StoreError {
    /// Says whether the same call may work later, with nothing else changed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Busy(_))
    }
}
