use std::time::Duration;

use tokio::time::sleep;
use tracing::{info, warn};

use super::{App, AppError};

/// Events that go in one transaction: other writers wait no longer than that.
const BATCH: u32 = 500;
/// Less fits into pages that are half filled, and proves nothing.
const ROOM: usize = 64 << 10;
/// How often the size is looked at.
const LOOK: Duration = Duration::from_secs(60);
/// Alarms younger than that stay: they stand in the status.
const ALARMS_MS: u64 = 24 * 60 * 60 * 1000;
/// Ended tasks that are younger stay.
const TASKS_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Each node keeps so many of its older tasks.
const TASKS: u32 = 100;

impl App {
    /// Keeps what happened within its bound, for as long as the coordinator runs.
    pub async fn keep_history(&self) {
        loop {
            match self.prune_history().await {
                Ok(0) => {}
                Ok(dropped) => info!(
                    dropped,
                    "the oldest events were deleted to keep the database below its size \
                    limit"
                ),
                Err(error) => {
                    self.heed(&error);
                    let error: &dyn std::error::Error = &error;
                    warn!(error, "the database could not be kept below its size limit");
                }
            }
            self.try_room().await;
            if let Err(error) = self.watch_audit().await {
                self.heed(&error);
                let error: &dyn std::error::Error = &error;
                warn!(error, "the audit log could not be looked at");
            }
            sleep(LOOK).await;
        }
    }

    /// Drops the oldest events in small batches until the database is a tenth below its bound, once it is above it. The
    /// audit log, the disk ledger and what agents acknowledge are never touched. How many went.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn prune_history(&self) -> Result<u64, AppError> {
        let bound = self.history_bytes;
        if self.store.used_bytes().await? <= bound {
            return Ok(0);
        }
        let mut dropped = 0;
        self.prune_tasks().await?;
        let mut alarms_from_ms = self.now_ms().saturating_sub(ALARMS_MS);
        while self.store.used_bytes().await? > bound - bound / 10 {
            let mut tx = self.store.write().await?;
            let mut went = tx.drop_events(BATCH, alarms_from_ms).await?;
            if went == 0 && alarms_from_ms < u64::MAX {
                // Nothing but alarms of today: a node that fills the database with them fills it no further. From here on
                // none of them is looked over in vain.
                alarms_from_ms = u64::MAX;
                went = tx.drop_events(BATCH, alarms_from_ms).await?;
            }
            tx.save().await?;
            if went == 0 {
                break;
            }
            dropped += went;
            tokio::task::yield_now().await;
        }
        while self.store.give_back().await? {
            tokio::task::yield_now().await;
        }
        Ok(dropped)
    }

    async fn prune_tasks(&self) -> Result<(), AppError> {
        let before_ms = self.now_ms().saturating_sub(TASKS_MS);
        let nodes = self.store.read().await?.nodes().await?;
        for node in nodes {
            loop {
                let mut tx = self.store.write().await?;
                let went = tx.drop_tasks(&node.name, before_ms, TASKS, BATCH).await?;
                tx.save().await?;
                if went == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Notes that there was no room to write, for the status: agents keep what they have to tell meanwhile.
    pub(crate) fn heed(&self, error: &AppError) {
        if error.is_no_room() {
            let text = format!("the coordinator cannot write to its disk ({})", cause(error));
            *self.trouble() = Some(text);
        }
    }

    /// Writes something, once there was no room: when that works, all is well again.
    async fn try_room(&self) {
        if self.trouble().is_none() {
            return;
        }
        let tried = async {
            for text in [" ".repeat(ROOM), String::new()] {
                let mut tx = self.store.write().await?;
                tx.set_meta("room", &text).await?;
                tx.save().await?;
            }
            Ok::<_, AppError>(())
        };
        match tried.await {
            Ok(()) => *self.trouble() = None,
            Err(error) => self.heed(&error),
        }
    }

    /// What stands in the way of writing; looked at anew.
    pub(super) async fn trouble_now(&self) -> Option<String> {
        self.try_room().await;
        self.trouble().clone()
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

pub(super) fn cause(mut error: &dyn std::error::Error) -> String {
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
