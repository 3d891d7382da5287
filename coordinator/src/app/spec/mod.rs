//! The tasks that bring a node to what is wanted of it: from heeler.toml and what is on record.

mod backplane;
mod pool;
mod scrubs;
mod snapshots;

use heeler_proto::Task;
use heeler_store::{Digest, Node, Tx};

use super::AppError;
use crate::config::WantedNode;

pub(super) use backplane::KIND as BACKPLANE;
pub(super) use pool::live_serials;
pub use pool::pool_comment;

/// The kind and digest of each task that one node needs, in the order in which they are carried out.
pub(super) async fn tasks(tx: &mut Tx, cluster: &str, node: &Node, wanted: &WantedNode) -> Result<Vec<Task>, AppError> {
    let pool = pool::task(tx, cluster, node, wanted).await?;
    let others = [backplane::task(wanted), snapshots::task(wanted), scrubs::task(wanted)];
    Ok(pool.into_iter().chain(others.into_iter().flatten()).collect())
}

/// The kinds of those tasks, with what tells whether the node was brought to what is wanted now: over what a person
/// writes, not over what is on record.
pub(super) fn digests(wanted: &WantedNode) -> Vec<(&'static str, Digest)> {
    let all = [
        pool::wanted_digest(wanted),
        backplane::wanted_digest(wanted),
        snapshots::wanted_digest(wanted),
        scrubs::wanted_digest(wanted),
    ];
    all.into_iter().flatten().collect()
}

/// The same for a task that was given; None for one that no line of heeler.toml asks for.
pub(super) fn digest_of(task: &Task) -> Option<Digest> {
    match task {
        Task::EnsurePool(ensure) => Some(pool::digest_of(&ensure.pool)),
        Task::KeepBackplane(task) => Some(backplane::digest_of(task)),
        Task::KeepSnapshots(task) => Some(snapshots::digest_of(task)),
        Task::KeepScrubs(task) => Some(scrubs::digest_of(task)),
        Task::EraseDisk(_) => None,
    }
}
