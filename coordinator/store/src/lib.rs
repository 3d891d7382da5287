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

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
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
pub use event::{Alarm, Event, EventQuery, NewEvent};
pub use lease::Lease;
pub use node::{Node, NodeState};
pub use operation::{NewOperation, Operation, OperationKind, OperationState};
pub use operator::{Operator, OperatorRecord};
pub use pause::Pause;
pub use plan::{Plan, PlanTask};
pub use pool::{Leg, Pool};
pub use revision::Revision;
pub use secret::Secret;
pub use task::{NewTask, Outcome, Task, TaskState};
pub use token::Token;
pub use trust::{Authority, NodeTrust, Stage};

/// A SHA-256, as 32 bytes.
pub type Digest = [u8; 32];

/// SQLite's default page size, in bytes.
const PAGE_BYTES: u64 = 4096;
/// What `PRAGMA auto_vacuum` returns for INCREMENTAL (sqlite.org/pragma.html#pragma_auto_vacuum).
const INCREMENTAL: i64 = 2;
/// How long SQLite waits for a lock of another connection.
const BUSY: Duration = Duration::from_secs(10);

/// The open database. A clone shares its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    durable: Arc<Durable>,
}

impl Store {
    /// Opens the database, creates it when the file is missing, and migrates it to this version's schema.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when SQLite's quick check finds a fault; [`StoreError::Later`] when a newer version
    /// has used it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_within(path, None).await
    }

    /// The same, for a database of at most `most_bytes` bytes: a write beyond that fails as on a full disk.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_within(path: &Path, most_bytes: Option<u64>) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let options = match most_bytes {
            Some(bytes) => options.pragma("max_page_count", bytes.div_ceil(PAGE_BYTES).to_string()),
            None => options,
        };
        let pool = SqlitePoolOptions::new()
            .max_connections(8)
            .test_before_acquire(false)
            .after_release(|connection, _| Box::pin(is_free(connection)))
            .connect_with(options);
        let pool = pool.await.map_err(corrupt)?;
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
        let durable = Arc::new(Durable::new(path));
        Ok(Self { pool, durable })
    }

    /// A consistent view. Nothing that is written over it is kept.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(Tx {
            tx: self.pool.begin().await?,
            writer: None,
            added: 0,
        })
    }

    /// A transaction that writes; waits until the one before has ended. Nothing is kept unless [`Tx::save`] is
    /// called.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let turn = self.durable.turn().await;
        Ok(Tx {
            tx: self.pool.begin_with("BEGIN IMMEDIATE").await?,
            writer: Some((turn, self.clone())),
            added: 0,
        })
    }

    /// The number of transactions saved so far. It grows before [`Tx::save`] returns.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.durable.committed()
    }

    /// Waits until all connections are idle, and closes them.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Whether the connection can be used again. On a full disk SQLite rolls back by itself; sqlx's own ROLLBACK then
/// fails, and sqlx believes for ever that the connection is in a transaction. Such a connection is closed.
async fn is_free(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
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

impl Tx {
    /// Commits. When it returns, the commit is on the disk; other connections may see it a moment earlier.
    ///
    /// # Errors
    /// After an error the commit may be kept or not.
    pub async fn save(self) -> Result<(), StoreError> {
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
fn sound(check: Option<String>) -> Result<(), StoreError> {
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

fn digest(column: &'static str, bytes: Vec<u8>) -> Result<Digest, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Row {
        column,
        found: "not 32 bytes".into(),
    })
}
