use std::time::Duration;

use super::Op;

/// The name of a step: the state that holds after it.
pub type StepName = &'static str;

/// What a step would do about what it saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// The state holds.
    Satisfied,
    /// These ops make it hold. At most one is irreversible.
    Change {
        /// In order.
        ops: Vec<Op>,
        /// How long the result may take to be visible.
        settle: Duration,
    },
    /// It cannot be known before another step has run.
    After(StepName),
    /// Not now: look again after this time.
    Retry {
        /// When.
        after: Duration,
        /// A clause for a person: no capital, no full stop.
        why: String,
    },
    /// Nothing to do here, and why.
    NotApplicable(String),
    /// A person is needed.
    Blocked(Blocked),
}

/// Why a step stops, for a person: the agent never guesses about data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// What was found.
    pub found: String,
    /// Why that stops it.
    pub why: String,
    /// What to type, or which line of heeler.toml to mend.
    pub next: String,
}

impl Plan {
    /// Ops that show their result at once.
    #[must_use]
    pub const fn change(ops: Vec<Op>) -> Self {
        Self::Change {
            ops,
            settle: Duration::ZERO,
        }
    }

    /// A person is needed.
    #[must_use]
    pub fn blocked(found: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Blocked(Blocked {
            found: found.into(),
            why: why.into(),
            next: next.into(),
        })
    }
}
