use heeler_proto::{KeepSnapshots, Task};
use heeler_store::Digest;

use crate::config::WantedNode;
use crate::pki::sha256;

/// The task with the node's snapshot schedule; None without a pool.
pub(super) fn task(wanted: &WantedNode) -> Option<Task> {
    let policies = wanted.snapshots.clone();
    (!wanted.disks.is_empty()).then_some(Task::KeepSnapshots(KeepSnapshots { policies }))
}

/// Kind and digest of the task that [`task`] gives.
pub(super) fn wanted_digest(wanted: &WantedNode) -> Option<(&'static str, Digest)> {
    let Some(Task::KeepSnapshots(task)) = task(wanted) else {
        return None;
    };
    Some(("keep snapshots", digest_of(&task)))
}

/// Digest of what a given task wants.
pub(super) fn digest_of(task: &KeepSnapshots) -> Digest {
    let lines = task
        .policies
        .iter()
        .map(|policy| format!("{:?} {}\n", policy.dataset, policy.keep));
    sha256(lines.collect::<String>().as_bytes())
}
