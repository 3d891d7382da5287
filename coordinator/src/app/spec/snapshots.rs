use heeler_proto::{KeepSnapshots, Task};
use heeler_store::Digest;

use crate::config::WantedNode;
use crate::pki::sha256;

/// The task that gives a node its schedule of snapshots; None for one without a pool.
pub(super) fn task(wanted: &WantedNode) -> Option<Task> {
    let policies = wanted.snapshots.clone();
    (!wanted.disks.is_empty()).then_some(Task::KeepSnapshots(KeepSnapshots { policies }))
}

/// The kind and digest of this task, where `wanted` has one.
pub(super) fn wanted_digest(wanted: &WantedNode) -> Option<(&'static str, Digest)> {
    let Some(Task::KeepSnapshots(task)) = task(wanted) else {
        return None;
    };
    Some(("keep snapshots", digest_of(&task)))
}

/// The same of a task's.
pub(super) fn digest_of(task: &KeepSnapshots) -> Digest {
    let lines = task
        .policies
        .iter()
        .map(|policy| format!("{:?} {}\n", policy.dataset, policy.keep));
    sha256(lines.collect::<String>().as_bytes())
}
