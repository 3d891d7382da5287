use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::SqlitePool;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;

use crate::{Result, StoreError};

/// Writers take turns; one sync brings the commits of many of them to the disk.
///
/// A thousand agents that reconnect at once make two thousand transactions. With `synchronous = NORMAL` SQLite does
/// not wait for the disk at a commit, so one fdatasync of the write-ahead log covers every commit before it. SQLite
/// itself syncs the log before a checkpoint and when it restarts the log (sqlite.org/pragma.html#pragma_synchronous).
#[derive(Debug)]
pub(crate) struct Durable {
    turn: Arc<Mutex<()>>,
    log: PathBuf,
    committed: AtomicU64,
    synced: Mutex<u64>,
}

impl Durable {
    /// `database` is the path of the database file; the log lies beside it, as `-wal`.
    pub(crate) fn new(database: &Path) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Self {
            turn: Arc::default(),
            log: log.into(),
            committed: AtomicU64::new(0),
            synced: Mutex::new(0),
        }
    }

    /// Waits until no other writer has a transaction open.
    pub(crate) async fn turn(&self) -> OwnedMutexGuard<()> {
        self.turn.clone().lock_owned().await
    }

    /// The number of commits so far.
    pub(crate) fn committed(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    /// Returns when everything that was committed before the call is on the disk.
    pub(crate) async fn sync(&self, pool: &SqlitePool) -> Result<()> {
        let mine = self.committed.fetch_add(1, Ordering::AcqRel) + 1;
        let mut synced = self.synced.lock().await;
        if *synced >= mine {
            return Ok(());
        }
        let all = self.committed.load(Ordering::Acquire);
        if sync_file(self.log.clone()).await.is_err() {
            checkpoint(pool).await?;
        }
        *synced = all;
        Ok(())
    }
}

/// Opened for each sync: SQLite deletes the log when the last connection closes, after it copied all of it into the
/// database. A missing log is therefore synced.
async fn sync_file(log: PathBuf) -> io::Result<()> {
    let synced = spawn_blocking(move || match File::open(log) {
        Ok(log) => log.sync_data(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    });
    synced.await.map_err(io::Error::other)?
}

/// After a failed fsync the kernel marks the pages as clean, so a second fsync proves nothing. A checkpoint writes
/// them to the database file instead.
async fn checkpoint(pool: &SqlitePool) -> Result<()> {
    let busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(pool)
        .await?;
    match busy {
        0 => Ok(()),
        _ => Err(StoreError::NotOnDisk),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn a_full_write_ahead_log_is_checkpointed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heeler.db");
        let mut store = Store::open(&path).await.unwrap();
        // The log can be opened but not synced.
        store.durable = Arc::new(Durable {
            log: "/dev/null".into(),
            ..Durable::new(&path)
        });
        let mut tx = store.write().await.unwrap();
        tx.set_meta("cluster", "c").await.unwrap();
        tx.save().await.unwrap();
        let log = folder.path().join("heeler.db-wal");
        assert_eq!(std::fs::metadata(log).unwrap().len(), 0);
        let copy = folder.path().join("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        let copied = Store::open(&copy).await.unwrap();
        let cluster = copied.read().await.unwrap().meta("cluster").await.unwrap();
        assert_eq!(cluster.as_deref(), Some("c"));
    }

    #[tokio::test]
    async fn long_reads_never_delay_a_write() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("heeler.db")).await.unwrap();
        let mut reads = tokio::task::JoinSet::new();
        let (begun, mut reading) = tokio::sync::mpsc::channel(8);
        for _ in 0..8 {
            let (store, begun) = (store.clone(), begun.clone());
            reads.spawn(async move {
                let _read = store.read().await.unwrap();
                begun.send(()).await.unwrap();
                std::future::pending::<()>().await;
            });
        }
        // Each connection for reads is taken, for ever.
        for _ in 0..3 {
            reading.recv().await.unwrap();
        }
        let write = tokio::time::timeout(std::time::Duration::from_secs(60), store.write());
        let mut tx = write.await.unwrap().unwrap();
        tx.set_meta("cluster", "c").await.unwrap();
        tx.save().await.unwrap();
    }

    #[tokio::test]
    async fn writers_wait_for_each_other_and_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("heeler.db")).await.unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..100_u32 {
            let store = store.clone();
            writers.spawn(async move {
                let mut tx = store.write().await.unwrap();
                let last = tx.meta("count").await.unwrap();
                let count: u32 = last.map_or(0, |count| count.parse().unwrap());
                tx.set_meta("count", &(count + 1).to_string()).await.unwrap();
                // Every tenth writer drops its transaction.
                if number % 10 > 0 {
                    tx.save().await.unwrap();
                }
            });
        }
        writers.join_all().await;
        let count = store.read().await.unwrap().meta("count").await.unwrap();
        assert_eq!(count.as_deref(), Some("90"));
    }
}
