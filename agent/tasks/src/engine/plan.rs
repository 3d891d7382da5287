use std::time::Duration;

use super::{Blocked, Key, Op};

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
    /// Nothing: its state holds well enough, and a person should know this. A sentence without capital and full stop.
    Told(String),
    /// Nothing, because the step does not apply here; the text says why.
    NotApplicable(String),
    /// Nothing, because a person must decide or fix something.
    Blocked(Blocked),
}

impl Plan {
    /// A change whose result can be observed at once.
    pub const fn change(ops: Vec<Op>) -> Self {
        Self::Change {
            ops,
            settle: Duration::ZERO,
        }
    }

    /// A blocked step; see the fields of [`Blocked`].
    pub fn blocked(found: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Blocked(Blocked::new(found, why, next))
    }

    /// [`Blocked::at`] for a blocked step; other plans stay as they are.
    #[must_use]
    pub fn at(self, key: Key, item: &str) -> Self {
        match self {
            Self::Blocked(blocked) => Self::Blocked(blocked.at(key, item)),
            other => other,
        }
    }

    /// [`Blocked::edit`] for a blocked step; other plans stay as they are.
    #[must_use]
    pub fn edit(self, key: Key, item: &str, edit: impl Into<String>) -> Self {
        match self {
            Self::Blocked(blocked) => Self::Blocked(blocked.edit(key, item, edit)),
            other => other,
        }
    }
}
