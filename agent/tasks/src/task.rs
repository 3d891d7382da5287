use heeler_host::System;
use heeler_proto::v1::StepReport;
use heeler_proto::{Irreversible, NodeName, Task, for_each_task};

use crate::engine::{AnyStep, Event, Outcome, Record, carry_out, look_at};
use crate::storage;

/// A kind of task on a node.
pub(crate) trait Work {
    /// Whether it needs pools and disks to itself: then the schedule and an operator's requests wait for its end.
    const USES_POOL: bool = false;

    /// The steps, in order.
    fn steps(&self, past: &Past<'_>) -> Vec<Box<dyn AnyStep>>;
}

/// What happened on this node before a task's steps are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past<'a> {
    /// Acts that were begun on this node and not ended, oldest first.
    pub(crate) interrupted: &'a [Irreversible],
    /// Whether the task itself was started before, so that it may have begun one of them.
    pub(crate) resumed: bool,
}

macro_rules! works {
    ($($kind:ident $name:literal,)*) => {
        /// Whether `task` needs pools and disks to itself.
        pub const fn uses_pool(task: &Task) -> bool {
            match task {
                $(Task::$kind(_) => <heeler_proto::$kind as Work>::USES_POOL,)*
            }
        }

        fn steps(task: &Task, past: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
            match task {
                $(Task::$kind(spec) => spec.steps(past),)*
            }
        }
    };
}
for_each_task!(works);

/// What `task` would change now; only reads.
pub async fn preview(host: &dyn System, task: &Task, interrupted: &[Irreversible]) -> Vec<StepReport> {
    let past = Past {
        interrupted,
        resumed: false,
    };
    look_at(host, &steps(task, &past)).await
}

/// Runs `task` from its first step. `resumed` is true after a crash, a reboot or a power cut. Emits all events from
/// [`Event::TaskStarted`] to [`Event::TaskFinished`].
///
/// Does not return when the machine reboots: the task stays open, and the next call continues it.
pub async fn run(host: &dyn System, node: &NodeName, task: &Task, record: &mut dyn Record, resumed: bool) -> Outcome {
    let interrupted = record.interrupted();
    let past = Past {
        interrupted: &interrupted,
        resumed,
    };
    let steps = steps(task, &past);
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
