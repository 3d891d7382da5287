//! `ping`: whether an address answers over one card (iputils).

use std::time::Duration;

use crate::{Command, RunError, System};

/// Three echoes out of the card `name`, whatever the routes say.
#[must_use]
pub fn command(name: &str, address: &str) -> Command {
    Command::new("ping")
        .args(["-n", "-q", "-c", "3", "-i", "0.3", "-W", "2", "-I", name, address])
        .timeout(Duration::from_secs(10))
}

/// Whether one of them came back.
///
/// # Errors
/// When there is no `ping`.
pub async fn reaches(host: &dyn System, name: &str, address: &str) -> Result<bool, RunError> {
    match host.run(&command(name, address)).await {
        Ok(output) => Ok(output.ok()),
        Err(RunError::Timeout { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
