use heeler_host::facts::PoolFact;
use serde::{Deserialize, Serialize};

use crate::snapshot::round::Run;

/// What happens while a task runs. All but `Progress` are kept until the coordinator has acknowledged them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The task begins, or is continued after an interruption after a crash, a reboot or a power cut.
    TaskStarted {
        /// Names of its steps.
        steps: Vec<String>,
        /// It was in hand before.
        resumed: bool,
    },
    /// A step is looked at.
    StepStarted {
        /// The step's type name, such as `PoolExists`.
        step: String,
    },
    /// An op is about to be applied.
    OpStarted {
        /// The step's type name, such as `PoolExists`.
        step: String,
        /// What it does.
        summary: String,
        /// Needs, and has, a consent.
        irreversible: bool,
    },
    /// An op was applied, or failed.
    OpFinished {
        /// The step's type name, such as `PoolExists`.
        step: String,
        /// What it did.
        summary: String,
        /// Why it failed.
        error: Option<String>,
    },
    /// A step's state holds, or it cannot go on.
    StepFinished {
        /// The step's type name, such as `PoolExists`.
        step: String,
        /// `satisfied`, `not applicable`, `blocked`, `failed`.
        outcome: String,
        /// A clause for a person: no capital, no full stop.
        reason: String,
        /// Whether ops were applied.
        changed: bool,
    },
    /// How far a long op is.
    Progress {
        /// The step's type name, such as `PoolExists`.
        step: String,
        /// Where it stands.
        text: String,
        /// 0 to 100.
        percent: u8,
    },
    /// The schedule took or pruned snapshots, or could not. Of no task.
    Snapshots(Run),
    /// A scrub of the schedule. Of no task.
    Scrub {
        /// Of which pool.
        pool: String,
        /// `started`, `finished`, `stopped`, `put off`.
        what: String,
        /// Why, or what was found.
        text: String,
        /// Data errors after it.
        errors: u64,
    },
    /// The task is over.
    TaskFinished {
        /// How it ended.
        outcome: Outcome,
        /// Number of ops applied.
        changes: u32,
        /// The pools after it, for the coordinator's disk ledger.
        pools: Vec<PoolFact>,
    },
}

impl Event {
    /// Nothing went wrong, and nothing is over: what can be missed.
    #[must_use]
    pub const fn is_routine(&self) -> bool {
        match self {
            Self::OpFinished { error, .. } => error.is_none(),
            Self::Snapshots(run) => run.problems.is_empty(),
            Self::Scrub { errors, .. } => *errors == 0,
            Self::TaskFinished { .. } => false,
            _ => true,
        }
    }

    /// It tells how far this step is.
    #[must_use]
    pub fn is_progress_of(&self, name: &str) -> bool {
        matches!(self, Self::Progress { step, .. } if step == name)
    }
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// Every step's state holds, proven by looking again.
    Done,
    /// A person is needed.
    Blocked {
        /// The step that stopped.
        step: String,
        /// [`super::Blocked::found`].
        found: String,
        /// [`super::Blocked::why`].
        why: String,
        /// [`super::Blocked::next`].
        next: String,
    },
    /// An op or a look failed.
    Failed {
        /// The step that stopped.
        step: String,
        /// What was attempted and found.
        reason: String,
    },
    /// Refused before anything was done.
    Refused {
        /// A clause for a person: no capital, no full stop.
        reason: String,
    },
}
