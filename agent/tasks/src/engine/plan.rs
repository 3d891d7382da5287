use std::time::Duration;

use super::Op;

/// The name of a step, which is the state that it makes hold: `PoolExists`.
pub type StepName = &'static str;

/// What a step would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: its state holds.
    Satisfied,
    /// These ops, which make its state hold. At most one cannot be undone.
    Change {
        /// The ops, in order.
        ops: Vec<Op>,
        /// How long it may take until the result can be observed.
        settle: Duration,
    },
    /// Unknown until this step has run.
    After(StepName),
    /// Not now: observe again later.
    Retry {
        /// How long to wait.
        after: Duration,
        /// A clause for a message: no capital, no full stop.
        why: String,
    },
    /// Nothing, because the step does not apply here; the text says why.
    NotApplicable(String),
    /// Nothing, because a person must decide or fix something.
    Blocked(Blocked),
}

/// Why a step is blocked, for a person. The agent never guesses about data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// What was found.
    pub found: String,
    /// Why that stops the step.
    pub why: String,
    /// What to type, or which line of heeler.toml to change.
    pub next: String,
}

impl Plan {
    /// A change whose result can be observed at once.
    #[must_use]
    pub const fn change(ops: Vec<Op>) -> Self {
        Self::Change {
            ops,
            settle: Duration::ZERO,
        }
    }

    /// A blocked step; see the fields of [`Blocked`].
    #[must_use]
    pub fn blocked(found: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Blocked(Blocked {
            found: found.into(),
            why: why.into(),
            next: next.into(),
        })
    }
}
