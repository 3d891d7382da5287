//! The node takes and prunes snapshots by itself.

mod snapshots_scheduled;

use heeler_proto::KeepSnapshots;

use snapshots_scheduled::SnapshotsScheduled;

use crate::engine::AnyStep;

/// One: the schedule is on the disk, from where the lane goes by it.
#[must_use]
pub fn steps(task: &KeepSnapshots) -> Vec<Box<dyn AnyStep>> {
    vec![Box::new(SnapshotsScheduled { wanted: task.clone() })]
}
