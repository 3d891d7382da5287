use std::sync::{Arc, PoisonError};

use heeler_proto::v1;
use heeler_store::{Copy, Tx};
use tokio::sync::MutexGuard;

use super::{App, AppError, ledger, node_name};
use crate::sessions::Session;
use crate::state::StateFolder;

/// Copies that a node keeps; as many as its agent does.
const KEPT: u32 = 3;

/// A node that can keep a copy, and should get one.
pub struct Holder {
    /// Over which it is sent.
    pub session: Arc<Session>,
}

impl App {
    /// The folder that is copied.
    #[must_use]
    pub fn state(&self) -> &StateFolder {
        &self.state
    }

    /// One round of copies at a time.
    pub async fn copying(&self) -> MutexGuard<'_, ()> {
        self.copying.lock().await
    }

    /// What the last round of copies could not do.
    pub fn copies_failed(&self, problems: Vec<v1::CopyProblem>) {
        *self.copy_problems.lock().unwrap_or_else(PoisonError::into_inner) = problems;
    }

    /// The nodes that did not take the last copy, and why.
    pub(super) fn copy_problems(&self) -> Vec<v1::CopyProblem> {
        self.copy_problems
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Unix milliseconds.
    #[must_use]
    pub fn time_ms(&self) -> u64 {
        self.now_ms()
    }

    /// The connected nodes with a working pool of ours whose newest copy is older than that.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn holders(&self, older_than_ms: u64) -> Result<Vec<Holder>, AppError> {
        let mut tx = self.store.read().await?;
        let newest = tx.newest_copies().await?;
        let due = |node: &str| {
            let known = newest.iter().find(|copy| copy.node == node);
            known.is_none_or(|copy| older_than_ms == 0 || copy.at_ms.abs_diff(self.now_ms()) >= older_than_ms)
        };
        let mut holders = Vec::new();
        for node in tx.nodes().await? {
            let Some(session) = self.sessions.of(&node_name(&node.name)?) else {
                continue;
            };
            let pools = ledger::facts_of(&node)?.map(|facts| facts.pools).unwrap_or_default();
            let works = |pool: &v1::Pool| {
                pool.comment.starts_with("heeler:") && matches!(pool.state.as_str(), "ONLINE" | "DEGRADED")
            };
            if pools.iter().any(works) && due(&node.name) {
                holders.push(Holder { session });
            }
        }
        Ok(holders)
    }

    /// A node holds one more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn keep_copy(&self, copy: &v1::CopyInfo, sha256: &[u8; 32]) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let record = Copy {
            node: copy.node.clone(),
            name: copy.name.clone(),
            at_ms: copy.at_ms,
            bytes: copy.bytes,
            sha256: *sha256,
        };
        tx.add_copy(&record, KEPT).await?;
        Ok(tx.save().await?)
    }

    /// The newest copy of each node.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn copies(&self) -> Result<Vec<v1::CopyInfo>, AppError> {
        newest(&mut self.store.read().await?).await
    }
}

/// The newest copy of each node, for the wire. What a node that was removed holds is in nobody's reach.
pub(super) async fn newest(tx: &mut Tx) -> Result<Vec<v1::CopyInfo>, AppError> {
    let info = |copy: Copy| v1::CopyInfo {
        node: copy.node,
        name: copy.name,
        at_ms: copy.at_ms,
        bytes: copy.bytes,
    };
    let known = tx.nodes().await?;
    let copies = tx.newest_copies().await?.into_iter();
    let here = copies.filter(|copy| known.iter().any(|node| node.name == copy.node));
    Ok(here.map(info).collect())
}
