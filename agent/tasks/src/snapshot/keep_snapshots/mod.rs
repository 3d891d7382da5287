//! The node takes and prunes snapshots on its own schedule.

mod snapshots_scheduled;

use heeler_proto::KeepSnapshots;

use snapshots_scheduled::SnapshotsScheduled;

use crate::engine::AnyStep;
use crate::task::{Past, Work};

impl Work for KeepSnapshots {
    const USES_POOL: bool = true;

    /// A single step: writes the schedule to disk, where the agent's schedule reads it.
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        vec![Box::new(SnapshotsScheduled { wanted: self.clone() })]
    }
}
