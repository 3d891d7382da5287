//! `systemctl`: the status text of a service.

use crate::ask::ask;
use crate::{Command, RunError, System};

/// `systemctl show` of the unit's StatusText.
pub fn command(unit: &str) -> Command {
    Command::look("systemctl").args(["show", "--property=StatusText", "--value", unit])
}

/// The last status text of the service (sd_notify(3), STATUS=); empty when it sent none. Fails when systemd does not
/// answer.
pub async fn status_text(host: &dyn System, unit: &str) -> Result<String, RunError> {
    let output = ask(host, &command(unit)).await?;
    Ok(output.stdout.trim().to_owned())
}
