use crate::Command;

/// What a systemd unit is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitState {
    /// `loaded`, `not-found`, `masked`…: systemd's LoadState.
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating`…: systemd's ActiveState.
    pub active: String,
    /// `enabled`, `disabled`, `static`, `masked`, empty when there is none: systemd's UnitFileState.
    pub enabled: String,
}

/// What may be done to a unit; each waits for its systemd job and reports its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitAction {
    /// Started at boot, and not now.
    Enable,
    /// Not started at boot any more, and not stopped now.
    Disable,
    /// Runs.
    Start,
    /// Does not run.
    Stop,
    /// Runs anew.
    Restart,
    /// Unit files are read again; the unit's name says for whom.
    Reload,
}

/// A program in a transient unit of its own: it outlives the agent and is found again by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// `heeler-….service`.
    pub unit: String,
    /// What it runs.
    pub command: Command,
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// systemd does not know it: never started, or lost with a reboot.
    Unknown,
    /// Still at it.
    Running,
    /// Ended, with its exit code.
    Ended(i32),
}

/// What went wrong between us and systemd.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The system bus does not answer.
    #[error("could not reach systemd over D-Bus: {0}")]
    Bus(String),
    /// systemd refused.
    #[error("systemd refused to {action} {unit}: {problem}")]
    Refused {
        /// What was asked.
        action: String,
        /// With its suffix, such as `zfs-mount.service`.
        unit: String,
        /// Its answer.
        problem: String,
    },
    /// The job ended otherwise than `done`.
    #[error("{unit} did not {action}: systemd's job ended as {result}")]
    Job {
        /// What was asked.
        action: String,
        /// With its suffix, such as `zfs-mount.service`.
        unit: String,
        /// failed, canceled, timeout, dependency, skipped.
        result: String,
    },
}
