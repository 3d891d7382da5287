/// Why the database could not be asked, or what it answered that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the database could not be used")]
    Database(#[source] sqlx::Error),
    /// There is no room for it.
    #[error("there is no room for the database: make room on the disk of the state folder (df -h), then do it again")]
    Full(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A later version has brought it to a schema that this one does not know.
    #[error(
        "the database was last used by {by}, and this is heeler {own}, which cannot read all of it. Nothing was \
         changed. Install that version or a later one; or restore a backup that this version made: heeler backup \
         restore FILE --replace (the existing state is kept in a folder beside it)",
        own = env!("CARGO_PKG_VERSION")
    )]
    Later {
        /// Which version, as far as it says.
        by: String,
    },
    /// SQLite's own check found a fault.
    #[error(
        "the database is damaged ({found}). Nothing was changed. Restore the last good backup: heeler backup restore \
         FILE --replace (the existing state is kept in a folder beside it); without a backup, use the copy on a node: \
         heeler init --recover --from NODE"
    )]
    Corrupt {
        /// SQLite's words.
        found: String,
    },
    /// What was committed could not be brought to the disk.
    #[error("could not write to the disk. Check whether the disk fails: journalctl -k")]
    NotOnDisk,
    /// A row holds what it must not.
    #[error("the database holds a value that cannot be: {column} is {found}")]
    Row {
        /// Table and column.
        column: &'static str,
        /// What it holds.
        found: String,
    },
    /// A write touched another number of rows than it must.
    #[error("{what}: {rows} rows were touched, 1 was expected")]
    Rows {
        /// What was written.
        what: &'static str,
        /// How many.
        rows: u64,
    },
}

impl StoreError {
    /// There is no room, or the disk does not take it: SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        let error = match self {
            Self::NotOnDisk | Self::Full(_) => return true,
            Self::Database(error) => error,
            _ => return false,
        };
        matches!(code(error).map(|code| code & 0xff), Some(8 | 10))
    }

    /// The same thing was stored before.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match code(&error) {
            // SQLITE_FULL, and SQLITE_IOERR_SHMSIZE: what a database that is opened needs beside itself does not fit.
            Some(13 | 4874) => Self::Full(error),
            _ => Self::Database(error),
        }
    }
}

/// SQLite's number for what went wrong, extended.
fn code(error: &sqlx::Error) -> Option<u32> {
    match error {
        sqlx::Error::Database(error) => error.code().and_then(|code| code.parse().ok()),
        _ => None,
    }
}

/// Exactly one row was to be written.
pub(crate) fn one(what: &'static str, result: &sqlx::sqlite::SqliteQueryResult) -> Result<(), StoreError> {
    match result.rows_affected() {
        1 => Ok(()),
        rows => Err(StoreError::Rows { what, rows }),
    }
}
