use heeler_proto::TaskId;
use heeler_tasks::engine::{Event, Intent};
use serde::{Deserialize, Serialize};

use crate::assignment::Assignment;

/// An entry of the journal: one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// The summary at the start of a rewritten journal.
    Base {
        /// The last number that was given to an event.
        last_seq: u64,
        /// The last event that the coordinator has stored.
        acknowledged: u64,
        /// The latest expiry of the used consents that are no longer listed, Unix milliseconds.
        #[serde(default)]
        forgotten_ms: u64,
        /// How many events were dropped and not reported yet.
        #[serde(default)]
        dropped: u64,
    },
    /// A task was accepted.
    Accepted(Box<Assignment>),
    /// An op is about to be applied.
    Begun { task: TaskId, intent: Intent },
    /// An op ended.
    Ended {
        task: TaskId,
        intent: Intent,
        /// Why it failed; None when it was applied.
        error: Option<String>,
    },
    /// A consent was used.
    Used(Used),
    /// An event to report to the coordinator.
    Told(NumberedEvent),
    /// The coordinator has stored all events up to this one.
    Acknowledged {
        /// Number of the last one.
        seq: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    pub consent: String,
    pub task: TaskId,
    /// SHA-256 of the act that it permitted.
    pub act: [u8; 32],
    /// When it expires, Unix milliseconds.
    pub expires_at_ms: u64,
    /// Whether the act ended: then the task may not repeat it.
    #[serde(default)]
    pub spent: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberedEvent {
    /// Its number, from 1; 0 for progress, which is not stored.
    pub seq: u64,
    /// When it happened, Unix milliseconds.
    pub at_ms: u64,
    /// The task that it belongs to; None for events of the schedule.
    pub task: Option<TaskId>,
    pub event: Event,
}
