use std::io;

use async_trait::async_trait;
use heeler_proto::Irreversible;
use serde::{Deserialize, Serialize};

use super::Event;

/// What the engine is about to do, written down before it does it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The step's type name, such as `PoolExists`.
    pub step: String,
    /// Which of its ops, 0 and up.
    pub op: usize,
    /// What the op does, for the person.
    pub summary: String,
    /// Set when it cannot be undone.
    pub act: Option<Irreversible>,
    /// Set when the machine will reboot.
    pub reboot: bool,
    /// With `reboot`: the boot that it ends, as the kernel names it.
    #[serde(default)]
    pub boot_id: Option<String>,
}

/// Why an irreversible op may not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NoConsent {
    /// For the person.
    pub reason: String,
}

/// The agent's memory, as the engine needs it: the journal stands behind it.
#[async_trait]
pub trait Record: Send + Sync {
    /// Permission for `act`, once: it is marked as used, on disk, before this returns. An act that was permitted to this
    /// very task, and that it has not ended, is permitted again, so that a power cut does not ask a person twice.
    async fn permit(&mut self, act: &Irreversible) -> Result<(), NoConsent>;

    /// Synced to the disk before the op is applied.
    async fn begin(&mut self, intent: &Intent) -> io::Result<()>;

    /// The op was applied or failed, and the machine was not cut off in the middle of it.
    async fn end(&mut self, intent: &Intent, error: Option<&str>) -> io::Result<()>;

    /// Acts that were begun on this node, by any task, and never ended, oldest first.
    fn interrupted(&self) -> Vec<Irreversible>;

    /// The last reboot that the task in hand has begun and not ended.
    fn rebooting(&self) -> Option<Intent>;

    /// A network change waits to be confirmed from now on, over a session that is opened from now on; or it does not any
    /// more.
    fn awaits_confirmation(&mut self, is: bool);

    /// Something to tell. All but progress is on disk before this returns.
    async fn emit(&mut self, event: Event) -> io::Result<()>;
}
