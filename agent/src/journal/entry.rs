use heeler_proto::TaskId;
use heeler_tasks::engine::{Event, Intent};
use serde::{Deserialize, Serialize};

use crate::assignment::Assignment;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// What was known when the journal was last written anew.
    Base {
        /// The last number given to an event.
        last_seq: u64,
        /// The last number that the coordinator has stored.
        acknowledged: u64,
        /// The latest expiry of the used consents that are not listed any more, Unix milliseconds.
        #[serde(default)]
        forgotten_ms: u64,
        /// Events that were dropped, and of which the coordinator was not told yet.
        #[serde(default)]
        dropped: u64,
    },
    /// A task was taken in hand.
    Accepted(Box<Assignment>),
    /// An op is about to be applied.
    Begun {
        /// Of which task.
        task: TaskId,
        /// Which op.
        intent: Intent,
    },
    /// An op was applied, or failed.
    Ended {
        /// Of which task.
        task: TaskId,
        /// Which op.
        intent: Intent,
        /// Why it failed.
        error: Option<String>,
    },
    /// A consent is used up.
    Used(Used),
    /// Something happened that the coordinator must hear of.
    Told(Told),
    /// The coordinator has stored every event up to here.
    Acknowledged {
        /// The last of them.
        seq: u64,
    },
}

/// A consent that is used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Its id.
    pub consent: String,
    /// The task that used it.
    pub task: TaskId,
    /// Digest of the act that it permitted.
    pub act: [u8; 32],
    /// When it would have expired, Unix milliseconds.
    pub expires_at_ms: u64,
    /// The act has been applied or has failed: the task may not go on with it.
    #[serde(default)]
    pub spent: bool,
}

/// A numbered event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// 1 and up.
    pub seq: u64,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// Which task it belongs to; none for the schedule's.
    pub task: Option<TaskId>,
    /// What happened.
    pub event: Event,
}
