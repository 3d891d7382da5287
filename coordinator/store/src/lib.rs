//! The coordinator's database: one SQLite file, one source file for each kind of record.
//!
//! A lookup returns an `Option`. Times and ids are passed in. A write that changes the wrong number of rows is an
//! error. Encoded messages are opaque here: the coordinator encodes and decodes them. Every method fails when SQLite
//! fails ([`StoreError::Database`], [`StoreError::Full`]); further errors are stated at the method.

mod applied;
mod audit;
mod certificate;
mod copy;
mod copying;
mod disk;
mod drift;
mod durable;
mod error;
mod event;
mod lease;
mod meta;
mod node;
mod operation;
mod operator;
mod pause;
mod plan;
mod pool;
mod removed;
mod retention;
mod revision;
mod secret;
mod task;
mod token;
mod trust;
mod version;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous, SqliteTypeInfo,
    SqliteValueRef,
};
use sqlx::{Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::OwnedMutexGuard;

use durable::Durable;

pub use applied::Applied;
pub use audit::AuditEntry;
pub use certificate::Certificate;
pub use copy::Copy;
pub use disk::Disk;
pub use drift::Drift;
pub use error::StoreError;
pub use event::{Alarm, Event, EventQuery};
pub use lease::Lease;
pub use node::{Node, NodeState};
pub use operation::{NewOperation, Operation, OperationKind, OperationState};
pub use operator::{Operator, OperatorRecord};
pub use pause::Pause;
pub use plan::{Plan, PlanTask};
pub use pool::{Leg, Pool};
pub use removed::SeenAlarm;
pub use revision::Revision;
pub use secret::Secret;
pub use task::{NewTask, Outcome, Task, TaskState};
pub use token::Token;
pub use trust::{Authority, NodeTrust, Stage};

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A SHA-256, as 32 bytes.
pub type Digest = [u8; 32];

/// SQLite's default page size, in bytes.
const PAGE_BYTES: u64 = 4096;
/// What `PRAGMA auto_vacuum` returns for INCREMENTAL (sqlite.org/pragma.html#pragma_auto_vacuum).
const INCREMENTAL: i64 = 2;
/// Rows that a connection's thread reads ahead; each wait for it costs more than some rows.
const ROWS: usize = 512;
/// Page cache of a connection: 512 KiB (sqlite.org/pragma.html#pragma_cache_size). The kernel caches the file too.
const CACHE: &str = "-512";
/// How long SQLite waits for a lock of another connection.
const BUSY: Duration = Duration::from_secs(10);

/// The open database. A clone shares its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    /// One connection, so that no number of long reads delays a write.
    writer: SqlitePool,
    durable: Arc<Durable>,
}

impl Store {
    /// Opens the database, creates it when the file is missing, and migrates it to this version's schema. Fails with
    /// [`StoreError::Corrupt`] when SQLite's quick check finds a fault; [`StoreError::Later`] when a newer version has
    /// used it.
    pub async fn open(path: &Path) -> Result<Self> {
        Self::open_within(path, None).await
    }

    /// The same, for a database of at most `most_bytes` bytes: a write beyond that fails as on a full disk. Fails as
    /// [`Self::open`].
    pub async fn open_within(path: &Path, most_bytes: Option<u64>) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .row_buffer_size(ROWS)
            .pragma("cache_size", CACHE)
            .busy_timeout(BUSY);
        let options = match most_bytes {
            Some(bytes) => options.pragma("max_page_count", bytes.div_ceil(PAGE_BYTES).to_string()),
            None => options,
        };
        // Each has a thread, a page cache and prepared statements, about 3 MB.
        let connections = |most| {
            SqlitePoolOptions::new()
                .max_connections(most)
                .test_before_acquire(false)
                .after_release(|connection, _| Box::pin(is_free(connection)))
        };
        let pool = connections(3).connect_with(options.clone()).await.map_err(corrupt)?;
        let check = sqlx::query_scalar!("PRAGMA quick_check(1)").fetch_one(&pool);
        sound(check.await.map_err(corrupt)?)?;
        let kind: i64 = sqlx::query_scalar("PRAGMA auto_vacuum").fetch_one(&pool).await?;
        if kind != INCREMENTAL {
            let mut alone = pool.acquire().await?;
            sqlx::raw_sql("PRAGMA auto_vacuum = INCREMENTAL")
                .execute(&mut *alone)
                .await?;
            sqlx::raw_sql("VACUUM").execute(&mut *alone).await?;
        }
        version::bring_up_to_date(&pool).await?;
        Ok(Self {
            writer: connections(1).connect_lazy_with(options),
            durable: Arc::new(Durable::new(path)),
            pool,
        })
    }

    /// A consistent view. Nothing that is written over it is kept.
    pub async fn read(&self) -> Result<Tx> {
        Ok(Tx {
            tx: self.pool.begin().await?,
            writer: None,
            added: 0,
        })
    }

    /// A transaction that writes; waits until the one before has ended. Nothing is kept unless [`Tx::save`] is
    /// called.
    pub async fn write(&self) -> Result<Tx> {
        let turn = self.durable.turn().await;
        Ok(Tx {
            tx: self.writer.begin_with("BEGIN IMMEDIATE").await?,
            writer: Some((turn, self.clone())),
            added: 0,
        })
    }

    /// The number of transactions saved so far. It grows before [`Tx::save`] returns.
    pub fn changes(&self) -> u64 {
        self.durable.committed()
    }

    /// Waits until all connections are idle, and closes them.
    pub async fn close(&self) {
        self.writer.close().await;
        self.pool.close().await;
    }
}

/// Whether the connection can be used again. On a full disk SQLite rolls back by itself; sqlx's own ROLLBACK then
/// fails, and sqlx believes for ever that the connection is in a transaction. Such a connection is closed.
async fn is_free(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if !connection.is_in_transaction() {
        return Ok(true);
    }
    // Runs a rollback that is still queued.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// A transaction. Each kind of record adds its methods in its own file.
#[derive(Debug)]
pub struct Tx {
    tx: Transaction<'static, Sqlite>,
    writer: Option<(OwnedMutexGuard<()>, Store)>,
    added: u64,
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

impl Tx {
    /// Runs a write; returns how many rows it changed.
    async fn run(&mut self, query: Query<'_>) -> Result<u64> {
        Ok(query.execute(&mut *self.tx).await?.rows_affected())
    }

    /// Runs a write of exactly one row; returns the number of the row that was inserted last. `what` names the record
    /// in the error.
    async fn insert(&mut self, what: &'static str, query: Query<'_>) -> Result<u64> {
        let result = query.execute(&mut *self.tx).await?;
        match result.rows_affected() {
            1 => Ok(result.last_insert_rowid().unsigned_abs()),
            rows => Err(StoreError::Rows { what, rows }),
        }
    }

    async fn one(&mut self, what: &'static str, query: Query<'_>) -> Result<()> {
        self.insert(what, query).await.map(drop)
    }

    /// Commits. When it returns, the commit is on the disk; other connections may see it a moment earlier. After an
    /// error the commit may be kept or not.
    pub async fn save(self) -> Result<()> {
        self.tx.commit().await?;
        match self.writer {
            Some((turn, store)) => {
                drop(turn);
                store.durable.sync(&store.pool).await
            }
            None => Ok(()),
        }
    }
}

/// Fails when SQLite's check found a fault; `check` is its first message.
fn sound(check: Option<String>) -> Result<()> {
    match check.as_deref() {
        Some("ok") => Ok(()),
        _ => Err(StoreError::Corrupt {
            found: check.unwrap_or_default(),
        }),
    }
}

/// SQLITE_CORRUPT (11) and SQLITE_NOTADB (26), with any extended code, become [`StoreError::Corrupt`].
fn corrupt(error: sqlx::Error) -> StoreError {
    let code = |error: &dyn sqlx::error::DatabaseError| error.code().and_then(|code| code.parse::<u32>().ok());
    match &error {
        sqlx::Error::Database(found) if matches!(code(found.as_ref()).map(|code| code & 0xff), Some(11 | 26)) => {
            StoreError::Corrupt {
                found: found.message().to_owned(),
            }
        }
        _ => error.into(),
    }
}

/// SQLite's integers are signed. A larger value is beyond every real time and size, so it is cut to the maximum.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A SHA-256 in a column.
#[derive(Debug)]
struct Sha256(Digest);

impl sqlx::Type<Sqlite> for Sha256 {
    fn type_info() -> SqliteTypeInfo {
        <[u8] as sqlx::Type<Sqlite>>::type_info()
    }
}

impl<'r> sqlx::Decode<'r, Sqlite> for Sha256 {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        let bytes = <&[u8] as sqlx::Decode<Sqlite>>::decode(value)?;
        Ok(Self(bytes.try_into().map_err(|_| "not 32 bytes")?))
    }
}

impl From<Sha256> for Digest {
    fn from(sha256: Sha256) -> Self {
        sha256.0
    }
}
