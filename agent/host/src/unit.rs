use crate::Command;

/// The state of a systemd unit (org.freedesktop.systemd1(5)).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitState {
    /// LoadState: `loaded`, `not-found`, `masked`…
    pub load: String,
    /// ActiveState: `active`, `inactive`, `failed`, `activating`…
    pub active: String,
    /// UnitFileState: `enabled`, `disabled`, `static`, `masked`; empty when there is no unit file.
    pub enabled: String,
}

/// An action on a unit. Starting, stopping and restarting wait for the result of systemd's job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitAction {
    /// Start it at boot; does not start it now.
    Enable,
    /// Do not start it at boot; does not stop it now.
    Disable,
    /// Start it now.
    Start,
    /// Stop it now.
    Stop,
    /// Stop and start it.
    Restart,
    /// Make systemd read all unit files again; the unit's name appears in errors only.
    Reload,
}

/// A program in a transient systemd unit: it outlives the agent, which finds it again by the unit's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Name of the unit, such as `heeler-….service`.
    pub unit: String,
    /// The program to run.
    pub command: Command,
}

/// The state of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// systemd does not know it: it was never started, or a reboot removed it.
    Unknown,
    /// It runs.
    Running,
    /// It ended with this exit code.
    Ended(i32),
}

/// Why an action on a unit failed.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("could not reach systemd over D-Bus: {0}")]
    Bus(String),
    #[error("systemd refused to {action} {unit}: {problem}")]
    Refused {
        /// The action, such as "start".
        action: String,
        /// Name of the unit with its suffix, such as `zfs-mount.service`.
        unit: String,
        problem: String,
    },
    #[error("{unit} did not {action}: systemd's job ended as {result}")]
    Job {
        /// The action, such as "start".
        action: String,
        /// Name of the unit with its suffix, such as `zfs-mount.service`.
        unit: String,
        /// systemd's result: failed, canceled, timeout, dependency, skipped.
        result: String,
    },
}
