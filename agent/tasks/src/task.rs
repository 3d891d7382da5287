use heeler_host::System;
use heeler_proto::{Irreversible, NodeName, Task};

use crate::engine::{AnyStep, Event, Outcome, Record, StepReport, carry_out, look_at};
use crate::network::keep_backplane;
use crate::snapshot::{keep_scrubs, keep_snapshots};
use crate::storage::{self, ensure_pool, erase_disk};

/// What a task needs exclusively while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Uses {
    /// Pools and disks: also locks out the schedule and an operator's requests.
    pub pool: bool,
    /// The network configuration.
    pub network: bool,
    /// apt and dpkg; no task needs them yet.
    pub packages: bool,
    /// Whether it may reboot the node.
    pub reboot: bool,
}

/// What `task` needs exclusively.
#[must_use]
pub const fn uses(task: &Task) -> Uses {
    match task {
        Task::EnsurePool(_) | Task::EraseDisk(_) | Task::KeepSnapshots(_) | Task::KeepScrubs(_) => Uses {
            pool: true,
            network: false,
            packages: false,
            reboot: false,
        },
        Task::KeepBackplane(_) => Uses {
            pool: false,
            network: true,
            packages: false,
            reboot: false,
        },
    }
}

/// The steps of `task`, in order. `interrupted` has the acts that were begun on this node and not ended; `resumed`
/// says that `task` itself may have begun one of them.
#[must_use]
pub fn steps(task: &Task, interrupted: &[Irreversible], resumed: bool) -> Vec<Box<dyn AnyStep>> {
    match task {
        Task::EnsurePool(task) => ensure_pool::steps(task, interrupted),
        Task::EraseDisk(task) => erase_disk::steps(task, if resumed { interrupted } else { &[] }),
        Task::KeepBackplane(task) => keep_backplane::steps(task, resumed),
        Task::KeepSnapshots(task) => keep_snapshots::steps(task),
        Task::KeepScrubs(task) => keep_scrubs::steps(task),
    }
}

/// What `task` would change now; only reads.
pub async fn preview(host: &dyn System, task: &Task, interrupted: &[Irreversible]) -> Vec<StepReport> {
    look_at(host, &steps(task, interrupted, false)).await
}

/// Runs `task` from its first step. `resumed` is true after a crash, a reboot or a power cut. Emits all events from
/// [`Event::TaskStarted`] to [`Event::TaskFinished`].
///
/// Does not return when the machine reboots: the task stays open, and the next call continues it.
pub async fn run(host: &dyn System, node: &NodeName, task: &Task, record: &mut dyn Record, resumed: bool) -> Outcome {
    let steps = steps(task, &record.interrupted(), resumed);
    let started = Event::TaskStarted {
        steps: steps.iter().map(|step| step.name().to_owned()).collect(),
        resumed,
    };
    if let Err(error) = record.emit(started).await {
        return unrecorded(&error);
    }
    let (outcome, changes) = carry_out(host, node, &steps, record).await;
    let finished = Event::TaskFinished {
        outcome: outcome.clone(),
        changes,
        // Pools that cannot be read are not reported; the coordinator keeps its record.
        pools: storage::imported(host).await.unwrap_or_default(),
    };
    match record.emit(finished).await {
        Ok(()) => outcome,
        Err(error) => unrecorded(&error),
    }
}

fn unrecorded(error: &std::io::Error) -> Outcome {
    Outcome::Failed {
        step: String::new(),
        reason: format!("could not write the journal: {error}"),
    }
}
