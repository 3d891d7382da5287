//! `cloud-init`: whether the first boot is over.

use crate::{Command, RunError, System, json};

/// How the first boot stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstBoot {
    /// There is no cloud-init on this machine.
    NoCloudInit,
    /// Not over.
    Running,
    /// Over; in words: done, degraded, disabled, error.
    Over(String),
}

/// `cloud-init status --format json`: exit code 1 is an error of cloud-init's own, 2 a first boot that it mended.
#[must_use]
pub fn command() -> Command {
    Command::new("cloud-init").args(["status", "--format", "json"])
}

/// How the first boot stands.
///
/// # Errors
/// When the output cannot be read.
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
