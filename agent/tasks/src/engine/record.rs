use std::io;

use async_trait::async_trait;
use heeler_proto::Irreversible;
use serde::{Deserialize, Serialize};

use super::Event;

/// The op that the engine is about to apply, stored before it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Name of the step, such as `PoolExists`.
    pub step: String,
    /// Index of the op in the step's plan, from 0.
    pub op: usize,
    /// What the op does, in one line.
    pub summary: String,
    /// The act that cannot be undone; None for other ops.
    pub act: Option<Irreversible>,
    /// Whether the op reboots the machine.
    pub reboot: bool,
    /// The boot id at the time, when `reboot` is set.
    #[serde(default)]
    pub boot_id: Option<String>,
    /// The transient unit of a job; None for other ops.
    #[serde(default)]
    pub job: Option<String>,
}

/// Why an op that cannot be undone has no valid consent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NoConsent {
    /// A clause for a message.
    pub reason: String,
}

/// The engine's durable memory; the agent's journal implements it.
#[async_trait]
pub trait Record: Send + Sync {
    /// Uses a consent for `act`, which is stored as used, on disk, before this returns. An act that this task began
    /// and did not end is permitted again, so that a power cut does not need a second consent.
    async fn permit(&mut self, act: &Irreversible) -> Result<(), NoConsent>;

    /// Stores the intent, on disk, before the op is applied.
    async fn begin(&mut self, intent: &Intent) -> io::Result<()>;

    /// Stores that the op ended; `error` is None when it was applied.
    async fn end(&mut self, intent: &Intent, error: Option<&str>) -> io::Result<()>;

    /// Acts that any task on this node began and did not end, oldest first.
    fn interrupted(&self) -> Vec<Irreversible>;

    /// The id of the present task: letters, digits and hyphens.
    fn task(&self) -> String;

    /// The last op of the present task that was begun and not ended, if it is a reboot or a job.
    fn pending(&self) -> Option<Intent>;

    /// Sets whether a network change waits for confirmation, which only a session that is opened after that can give.
    fn awaits_confirmation(&mut self, is: bool);

    /// Emits an event. All but progress is on disk before this returns.
    async fn emit(&mut self, event: Event) -> io::Result<()>;
}
