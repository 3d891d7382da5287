use heeler_proto::v1;
use heeler_tasks::snapshot::round::{DatasetState, Run};

use crate::schedule::ScheduleState;

/// A report of rounds as a message.
pub(super) fn snapshot_run(run: Run) -> v1::SnapshotRun {
    v1::SnapshotRun {
        taken: run.taken,
        pruned: u32::try_from(run.pruned).unwrap_or(u32::MAX),
        pruned_names: run.pruned_names,
        problems: run.problems,
        stands: run.stands.into_iter().map(dataset).collect(),
        runs: run.runs,
        no_pruning: run.no_pruning,
    }
}

pub fn schedule(state: ScheduleState) -> v1::ScheduleFacts {
    v1::ScheduleFacts {
        stands: state.datasets.into_iter().map(dataset).collect(),
        no_pruning: state.no_pruning,
        problems: state.problems,
        absent: state.absent,
        last_scrub_ms: state.last_scrub_s.saturating_mul(1000),
        next_scrub_ms: state.next_scrub_s.saturating_mul(1000),
        scrub_percent: state.scrub_percent,
        scrub_overdue_ms: state.scrub_overdue_s.saturating_mul(1000),
        last_copy_ms: state.last_copy_s.saturating_mul(1000),
        copy_overdue_ms: state.copy_overdue_s.saturating_mul(1000),
        copy_problem: state.copy_problem,
    }
}

fn dataset(state: DatasetState) -> v1::SnapshotStand {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    v1::SnapshotStand {
        dataset: state.dataset,
        newest_ms: state.newest_s.unwrap_or(0).saturating_mul(1000),
        due_ms: state.due_s.unwrap_or(0).saturating_mul(1000),
        ours: count(state.ours),
        total: count(state.total),
    }
}
