use std::time::Duration;

use tokio::time::sleep;
use tracing::{info, warn};

use super::{App, AppError, Result};

/// Events deleted in one transaction, so that other writers wait only briefly.
const BATCH: u32 = 500;
/// Bytes to write in a test of the disk. Less could fit into half-filled pages and would prove nothing.
const ROOM: usize = 64 << 10;
/// How often size and audit log are checked.
const LOOK: Duration = Duration::from_secs(60);
/// Younger alarms are kept: the status shows them.
const ALARMS_MS: u64 = 24 * 60 * 60 * 1000;
/// Younger tasks are kept, counted from their end.
const TASKS_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Older tasks that each node keeps.
const TASKS: u32 = 100;

impl App {
    /// Keeps the database below its bound and checks the audit log, for as long as the coordinator runs.
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

    /// When the database is above its bound, deletes the oldest events in small batches until it is a tenth below.
    /// Never touches the audit log, the disk ledger, or what agents acknowledge. Returns how many events were deleted.
    /// Fails when the database fails.
    pub async fn prune_history(&self) -> Result<u64> {
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
                // Only alarms of the last day are left: without this a node could fill the database with them. From
                // here on all are deleted alike.
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

    async fn prune_tasks(&self) -> Result<()> {
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
        let mut tx = self.store.write().await?;
        tx.drop_operations(before_ms).await?;
        tx.save().await?;
        Ok(())
    }

    /// Records a full or failing disk for the status. Agents keep their events meanwhile.
    pub(crate) fn heed(&self, error: &AppError) {
        if error.is_no_room() {
            let text = format!("the coordinator cannot write to its disk ({})", cause(error));
            *self.trouble() = Some(text);
        }
    }

    /// After a full disk, writes something: success ends the state.
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

    /// Why the coordinator cannot write, after another try; None when it can.
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
