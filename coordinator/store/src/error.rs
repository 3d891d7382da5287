/// Why the database cannot be used, or what invalid value it holds.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database could not be used")]
    Database(#[source] sqlx::Error),
    /// SQLITE_FULL, or no room for the shared-memory file.
    #[error("there is no room for the database: make room on the disk of the state folder (df -h), then do it again")]
    Full(#[source] sqlx::Error),
    #[error("the database's schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A newer version has changed the schema, and this version does not know that schema.
    #[error(
        "the database was last used by {by}, and this is heeler {own}, which cannot read all of it. Nothing was \
         changed. Install that version or a later one; or restore a backup that this version made: heeler backup \
         restore FILE --replace (the existing state is kept in a folder beside it)",
        own = env!("CARGO_PKG_VERSION")
    )]
    Later {
        /// "heeler VERSION", or "a later version" when the database does not name it.
        by: String,
    },
    /// The schema is from before the first release.
    #[error(
        "the database was made by an unreleased version of heeler, which stored it in another form. Heeler {own} cannot \
         read this state folder, and no later version will. Nothing was changed. Keep the folder while that version still \
         uses it; for this one, start with an empty one: heeler init --state OTHER-FOLDER",
        own = env!("CARGO_PKG_VERSION")
    )]
    Unreleased,
    #[error(
        "the database is damaged ({found}). Nothing was changed. Restore the last good backup: heeler backup restore \
         FILE --replace (the existing state is kept in a folder beside it); without a backup, use the copy on a node: \
         heeler init --recover --from NODE"
    )]
    Corrupt { found: String },
    #[error("could not write to the disk. Check whether the disk fails: journalctl -k")]
    NotOnDisk,
    #[error("the database holds an impossible value: column {column} of a query is {found}")]
    Row {
        /// Its place in the query, from 0, or its name.
        column: String,
        found: String,
    },
    /// A write changed a number of rows other than one.
    #[error("{what}: {rows} rows were touched, 1 was expected")]
    Rows {
        /// The kind of record: "new certificate".
        what: &'static str,
        rows: u64,
    },
}

impl StoreError {
    /// Whether the disk is full or fails: SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY (sqlite.org/rescode.html).
    pub fn is_no_room(&self) -> bool {
        let error = match self {
            Self::NotOnDisk | Self::Full(_) => return true,
            Self::Database(error) => error,
            _ => return false,
        };
        matches!(code(error).map(|code| code & 0xff), Some(8 | 10))
    }

    /// Whether a UNIQUE or PRIMARY KEY constraint refused the row.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::ColumnDecode { index, source } = &error {
            let (column, found) = (index.clone(), source.to_string());
            return Self::Row { column, found };
        }
        match code(&error) {
            // SQLITE_FULL, and SQLITE_IOERR_SHMSIZE: no room for the `-shm` file, which opening the database creates.
            Some(13 | 4874) => Self::Full(error),
            _ => Self::Database(error),
        }
    }
}

/// SQLite's extended result code.
fn code(error: &sqlx::Error) -> Option<u32> {
    match error {
        sqlx::Error::Database(error) => error.code().and_then(|code| code.parse().ok()),
        _ => None,
    }
}
