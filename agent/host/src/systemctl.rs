//! `systemctl`: what a service says of itself.

use crate::ask::ask;
use crate::{Command, RunError, System};

/// `systemctl show` of one service's own words.
#[must_use]
pub fn command(unit: &str) -> Command {
    Command::new("systemctl").args(["show", "--property=StatusText", "--value", unit])
}

/// What the service last told systemd (sd_notify(3), STATUS=); empty when it told nothing.
///
/// # Errors
/// When systemd does not answer.
pub async fn status_text(host: &dyn System, unit: &str) -> Result<String, RunError> {
    let output = ask(host, &command(unit)).await?;
    Ok(output.stdout.trim().to_owned())
}
