use heeler_host::facts::PoolFact;
use serde::{Deserialize, Serialize};

use super::Blocked;
use crate::snapshot::round::Run;

/// An event of a running task or of the schedule. All but `Progress` are stored until the coordinator acknowledges
/// them.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The task starts, or continues after a crash, a reboot or a power cut.
    TaskStarted {
        /// Names of its steps, in order.
        steps: Vec<String>,
        resumed: bool,
    },
    StepStarted {
        step: String,
    },
    OpStarted {
        step: String,
        summary: String,
        /// Whether it cannot be undone; then it has a consent.
        irreversible: bool,
        /// Whether it restarts the node.
        #[serde(default)]
        reboot: bool,
    },
    /// An op ended.
    OpFinished {
        step: String,
        /// What the op did, in one line.
        summary: String,
        /// Why it failed; None when it was applied.
        error: Option<String>,
    },
    /// A step ended.
    StepFinished {
        step: String,
        outcome: StepEnd,
        /// A clause for a message: no capital, no full stop; may be empty.
        reason: String,
        /// Whether it applied ops.
        changed: bool,
    },
    /// The progress of a long op.
    Progress {
        step: String,
        /// What is done now, with the time left.
        text: String,
        /// 0 to 100, of the whole op; None when that is not known.
        percent: Option<u8>,
    },
    /// The schedule took or pruned snapshots, or failed to. Belongs to no task.
    Snapshots(Run),
    /// A scrub of the schedule. Belongs to no task.
    Scrub {
        pool: String,
        what: Scrub,
        text: String,
        /// Data errors that the pool has after it.
        errors: u64,
    },
    /// The task ended.
    TaskFinished {
        outcome: Outcome,
        /// The number of ops applied.
        changes: u32,
        /// The imported pools afterwards, for the coordinator's records; empty when they could not be read.
        pools: Vec<PoolFact>,
    },
}

impl Event {
    /// Whether it reports no failure and no task's end, so that it may be dropped when memory is short.
    pub const fn is_routine(&self) -> bool {
        match self {
            Self::OpFinished { error, .. } => error.is_none(),
            Self::Snapshots(run) => run.problems.is_empty(),
            Self::Scrub { errors, .. } => *errors == 0,
            Self::TaskFinished { .. } => false,
            _ => true,
        }
    }

    /// Whether it is the progress of the step `name`.
    pub fn is_progress_of(&self, name: &str) -> bool {
        matches!(self, Self::Progress { step, .. } if step == name)
    }
}

/// What happened to a scrub of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scrub {
    /// The schedule started it.
    Started,
    /// It read the whole pool.
    Finished,
    /// It ended early.
    Stopped,
    /// It is due, and something is in its way.
    #[serde(rename = "put off")]
    PutOff,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepEnd {
    /// The machine is as wanted.
    Satisfied,
    /// It does not apply to this machine.
    #[serde(rename = "not applicable")]
    NotApplicable,
    /// A person is needed.
    Blocked,
    /// An op or a look failed.
    Failed,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The state of every step holds, checked by observing again.
    Done,
    /// A person must decide or fix something.
    Blocked {
        /// Name of the step that stopped.
        step: String,
        /// The reason.
        reason: Blocked,
    },
    /// An op or an observation failed.
    Failed {
        /// Name of the step that stopped; empty when the journal could not be written.
        step: String,
        /// What was attempted and what was found.
        reason: String,
    },
    /// The task was refused, and nothing was done.
    Refused {
        /// A clause for a message: no capital, no full stop.
        reason: String,
    },
}
