//! `cloud-init status`: whether the first boot is complete.

use crate::{Command, RunError, System, json};

/// The state of the first boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstBoot {
    /// cloud-init is not installed.
    NoCloudInit,
    /// Not complete yet.
    Running,
    /// Complete, with the status as cloud-init words it: done, degraded, disabled, error.
    Over(String),
}

/// `cloud-init status --format json`. Exit code 1 is a fatal error, 2 one that it recovered from; both print the
/// status.
#[must_use]
pub fn command() -> Command {
    Command::look("cloud-init").args(["status", "--format", "json"])
}

/// The state of the first boot.
///
/// # Errors
/// When the program cannot run, or its output cannot be read.
pub async fn first_boot(host: &dyn System) -> Result<FirstBoot, RunError> {
    let command = command();
    let output = match host.run(&command).await {
        Err(RunError::Missing { .. }) => return Ok(FirstBoot::NoCloudInit),
        other => other?,
    };
    let value = json::parse(&command, &output.stdout)?;
    match json::text(&value, "status") {
        Some("running" | "not run" | "not started") => Ok(FirstBoot::Running),
        Some(status) => {
            let status = json::text(&value, "extended_status").unwrap_or(status);
            Ok(FirstBoot::Over(status.to_owned()))
        }
        None => Err(RunError::unreadable(&command, "no status in it")),
    }
}
