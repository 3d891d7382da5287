//! Derives a node's tasks from heeler.toml and the record.

mod backplane;
mod pool;
mod scrubs;
mod snapshots;
mod unmanaged;

use heeler_proto::Task;
use heeler_store::{Digest, Node, Tx};

use super::AppError;
use crate::config::WantedNode;

pub(super) use backplane::KIND as BACKPLANE;
pub(super) use pool::live_serials;
pub use pool::pool_comment;
pub(super) use unmanaged::{unmanaged, unmanaged_pool};

/// The tasks of one node, in the order in which they run.
pub(super) async fn tasks(tx: &mut Tx, cluster: &str, node: &Node, wanted: &WantedNode) -> Result<Vec<Task>, AppError> {
    let pool = pool::task(tx, cluster, node, wanted).await?;
    let others = [backplane::task(wanted), snapshots::task(wanted), scrubs::task(wanted)];
    Ok(pool.into_iter().chain(others.into_iter().flatten()).collect())
}

/// Kind and digest of each task that a node needs. The digest covers what heeler.toml says and not what is on record,
/// so it changes only with heeler.toml.
pub(super) fn digests(wanted: &WantedNode) -> Vec<(&'static str, Digest)> {
    let all = [
        pool::wanted_digest(wanted),
        backplane::wanted_digest(wanted),
        snapshots::wanted_digest(wanted),
        scrubs::wanted_digest(wanted),
    ];
    all.into_iter().flatten().collect()
}

/// The digest of a given task; None for a task that heeler.toml cannot ask for.
pub(super) fn digest_of(task: &Task) -> Option<Digest> {
    match task {
        Task::EnsurePool(ensure) => Some(pool::digest_of(&ensure.pool)),
        Task::KeepBackplane(task) => Some(backplane::digest_of(task)),
        Task::KeepSnapshots(task) => Some(snapshots::digest_of(task)),
        Task::KeepScrubs(task) => Some(scrubs::digest_of(task)),
        Task::EraseDisk(_) => None,
    }
}
