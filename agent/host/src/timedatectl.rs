//! `timedatectl`: whether the clock is synchronised.

use crate::ask::ask;
use crate::{Command, RunError, System};

/// `timedatectl show`.
#[must_use]
pub fn command() -> Command {
    Command::look("timedatectl").arg("show")
}

/// Whether the clock follows a time server (NTPSynchronized).
///
/// # Errors
/// When timedated does not answer.
pub async fn synchronised(host: &dyn System) -> Result<bool, RunError> {
    let output = ask(host, &command()).await?;
    Ok(output.stdout.lines().any(|line| line == "NTPSynchronized=yes"))
}
