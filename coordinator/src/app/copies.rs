use std::sync::{Arc, PoisonError};

use heeler_proto::{EnsurePool, Kind as _, v1};
use heeler_store::{Copy, Tx};
use tokio::sync::MutexGuard;

use super::{App, Result, ledger, node_name};
use crate::sessions::Session;
use crate::state::StateFolder;

/// Copies on record for each node; the agent keeps as many.
const KEPT: u32 = 3;

/// A connected node that should get a copy.
pub struct Holder {
    /// The session that the copy is sent over.
    pub session: Arc<Session>,
}

impl App {
    /// The state folder that is copied.
    pub fn state(&self) -> &StateFolder {
        &self.state
    }

    /// Locks the copying, so that one round runs at a time.
    pub async fn copying(&self) -> MutexGuard<'_, ()> {
        self.copying.lock().await
    }

    /// Stores the problems of the last round of copies; an empty list when there were none.
    pub fn copies_failed(&self, problems: Vec<v1::CopyProblem>) {
        *self.copy_problems.lock().unwrap_or_else(PoisonError::into_inner) = problems;
    }

    /// Each node that did not take the last copy, with the reason.
    pub(super) fn copy_problems(&self) -> Vec<v1::CopyProblem> {
        self.copy_problems
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The coordinator's clock, Unix milliseconds.
    pub fn time_ms(&self) -> u64 {
        self.now_ms()
    }

    /// The connected nodes with a working pool of ours and no copy younger than `older_than_ms`. Fails when the
    /// database cannot be read.
    pub async fn holders(&self, older_than_ms: u64) -> Result<Vec<Holder>> {
        let mut tx = self.store.read().await?;
        let newest = tx.newest_copies().await?;
        let due = |node: &str| {
            let known = newest.iter().find(|copy| copy.node == node);
            // A copy from the future, made with a wrong clock, must not count as new for ever.
            known.is_none_or(|copy| older_than_ms == 0 || copy.at_ms.abs_diff(self.now_ms()) >= older_than_ms)
        };
        let mut holders = Vec::new();
        let open = tx.open_tasks().await?;
        for node in tx.nodes().await? {
            let Some(session) = self.sessions.of(&node_name(&node.name)?) else {
                continue;
            };
            let pools = ledger::facts_of(&node)?.map(|facts| facts.pools).unwrap_or_default();
            let open = open.iter().filter(|task| task.node == node.name);
            let ready = older_than_ms == 0 || has_room(open.map(|task| task.kind.as_str()));
            if pools.iter().any(works) && due(&node.name) && ready {
                holders.push(Holder { session });
            }
        }
        Ok(holders)
    }

    /// Records a copy that a node has stored. Fails when the database cannot be written.
    pub async fn keep_copy(&self, copy: &v1::CopyInfo, sha256: &[u8; 32]) -> Result<()> {
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

    /// The newest copy of each node. Fails when the database cannot be read.
    pub async fn copies(&self) -> Result<Vec<v1::CopyInfo>> {
        newest(&mut self.store.read().await?).await
    }
}

/// The newest copy of each node. Leaves out removed nodes: their copies cannot be fetched.
pub(super) async fn newest(tx: &mut Tx) -> Result<Vec<v1::CopyInfo>> {
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

fn works(pool: &v1::Pool) -> bool {
    pool.comment.starts_with("heeler:") && matches!(pool.state.as_str(), "ONLINE" | "DEGRADED")
}

/// Whether none of these open tasks is still making the pool: its datasets come after the pool itself, and a copy goes
/// into a dataset.
fn has_room<'a>(mut open: impl Iterator<Item = &'a str>) -> bool {
    open.all(|kind| kind != EnsurePool::NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_in_the_making_takes_no_copy() {
        assert!(has_room(["schedule snapshots", "set up backplane"].into_iter()));
        assert!(!has_room(["set up backplane", "ensure pool"].into_iter()));
    }
}
