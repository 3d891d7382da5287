//! The node takes and prunes snapshots on its own schedule.

mod snapshots_scheduled;

use heeler_proto::KeepSnapshots;

use snapshots_scheduled::SnapshotsScheduled;

use crate::engine::AnyStep;

/// A single step: writes the schedule to disk, where the agent's schedule reads it.
#[must_use]
pub fn steps(task: &KeepSnapshots) -> Vec<Box<dyn AnyStep>> {
    vec![Box::new(SnapshotsScheduled { wanted: task.clone() })]
}
