//! `timedatectl`: whether the clock is synchronised, and the time zone.

use crate::ask::ask;
use crate::{Command, RunError, System};

/// `timedatectl show`.
pub fn command() -> Command {
    Command::look("timedatectl").arg("show")
}

/// Whether the clock follows a time server (NTPSynchronized). Fails when timedated does not answer.
pub async fn synchronised(host: &dyn System) -> Result<bool, RunError> {
    let output = ask(host, &command()).await?;
    Ok(output.stdout.lines().any(|line| line == "NTPSynchronized=yes"))
}

/// The node's time zone; "UTC" or "Etc/UTC" when none was set. Fails when timedated does not answer, or names no zone.
pub async fn timezone(host: &dyn System) -> Result<String, RunError> {
    let command = command();
    let output = ask(host, &command).await?;
    let zone = output.stdout.lines().find_map(|line| line.strip_prefix("Timezone="));
    let zone = zone.ok_or_else(|| RunError::unreadable(&command, "no Timezone in it"))?;
    Ok(zone.to_owned())
}

/// `timedatectl set-timezone ZONE`.
pub fn set_timezone_command(zone: &str) -> Command {
    Command::change("timedatectl").args(["set-timezone", zone])
}
