//! The coordinator's memory: one SQLite file, one source file per aggregate.
//!
//! A lookup returns an `Option`; times and ids are passed in; a write that touches another number of rows than it must
//! is an error. Bodies are opaque here: the coordinator encodes and decodes them.

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
mod meta;
mod node;
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
pub use node::{Node, NodeState};
pub use operator::{Operator, OperatorRecord};
pub use pause::Pause;
pub use plan::{Plan, PlanTask};
pub use pool::{Leg, Pool};
pub use revision::Revision;
pub use secret::Secret;
pub use task::{NewTask, Outcome, Task, TaskState};
pub use token::Token;
pub use trust::{Authority, NodeTrust, Stage};

/// SHA-256.
pub type Digest = [u8; 32];

/// SQLite's usual page.
const PAGE_BYTES: u64 = 4096;
/// SQLite's number for the kind of vacuum that goes in small steps.
const INCREMENTAL: i64 = 2;
/// How long a writer waits for another one.
const BUSY: Duration = Duration::from_secs(10);

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    durable: Arc<Durable>,
}

impl Store {
    /// Opens the database, makes it when it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when SQLite's quick check finds a fault.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_within(path, None).await
    }

    /// The same, for a database that never grows beyond so many bytes: a write that would is refused as one to a full
    /// disk is.
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

    /// A consistent view. Dropped without a word.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(Tx {
            tx: self.pool.begin().await?,
            writer: None,
        })
    }

    /// The one writer: waits for the one before. Nothing is kept unless [`Tx::save`] is called.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let turn = self.durable.turn().await;
        Ok(Tx {
            tx: self.pool.begin_with("BEGIN IMMEDIATE").await?,
            writer: Some((turn, self.clone())),
        })
    }

    /// Waits until all connections are given back, and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// SQLite itself takes a transaction back when the disk is full, and sqlx, whose own ROLLBACK finds none, then holds the
/// connection for being in one for ever: such a connection is closed.
async fn is_free(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // Behind what is still to be taken back.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// A transaction; the aggregates' files give it its methods.
#[derive(Debug)]
pub struct Tx {
    tx: Transaction<'static, Sqlite>,
    writer: Option<(OwnedMutexGuard<()>, Store)>,
}

impl Tx {
    /// Keeps what was written: when it returns it is on the disk. Others may have read it a moment before.
    ///
    /// # Errors
    /// Then it may be kept or not, as with an answer that is lost.
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

/// What SQLite found in a file.
fn sound(check: Option<String>) -> Result<(), StoreError> {
    match check.as_deref() {
        Some("ok") => Ok(()),
        _ => Err(StoreError::Corrupt {
            found: check.unwrap_or_default(),
        }),
    }
}

/// SQLITE_CORRUPT and SQLITE_NOTADB, whatever their extended codes.
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

/// SQLite's integers are signed; what does not fit is beyond every time and size that is.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn digest(column: &'static str, bytes: Vec<u8>) -> Result<Digest, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Row {
        column,
        found: "not 32 bytes".into(),
    })
}
