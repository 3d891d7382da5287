use heeler_host::System;
use heeler_proto::{Irreversible, NodeName, Task};

use crate::engine::{AnyStep, Event, Outcome, Record, StepReport, carry_out, look_at};
use crate::network::keep_backplane;
use crate::snapshot::{keep_scrubs, keep_snapshots};
use crate::storage::{self, ensure_pool, erase_disk};

/// What a task needs for itself while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Uses {
    /// Pools and disks.
    pub pool: bool,
    /// The network's configuration.
    pub network: bool,
    /// apt and dpkg.
    pub packages: bool,
    /// It may reboot the node.
    pub reboot: bool,
}

/// What `task` needs for itself.
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

/// The steps of `task`, in order. `interrupted`: acts that were begun on this node and never ended. `resumed`: `task`
/// itself may have begun one of them.
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

/// What `task` would change now. Reads only.
pub async fn preview(host: &dyn System, task: &Task, interrupted: &[Irreversible]) -> Vec<StepReport> {
    look_at(host, &steps(task, interrupted, false)).await
}

/// Carries out `task` from its first step, be it the first time or after a crash, a reboot or a power cut: then
/// `resumed` is true. Emits everything from [`Event::TaskStarted`] to [`Event::TaskFinished`].
///
/// Does not return when the machine is to reboot: the task stays in hand, and the next call goes on.
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
        // What cannot be seen is not reported; the coordinator keeps what it knows.
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
