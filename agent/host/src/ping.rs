//! `ping` (iputils): whether an address answers through one card.

use std::time::Duration;

use crate::{Command, RunError, System};

/// Three echo requests through the card `name`, whatever the routes say.
pub fn command(name: &str, address: &str) -> Command {
    Command::look("ping")
        .args(["-n", "-q", "-c", "3", "-i", "0.3", "-W", "2", "-I", name, address])
        .timeout(Duration::from_secs(10))
}

/// Whether the address answered at least one of them. Fails when `ping` cannot run.
pub async fn reaches(host: &dyn System, name: &str, address: &str) -> Result<bool, RunError> {
    match host.run(&command(name, address)).await {
        Ok(output) => Ok(output.ok()),
        Err(RunError::Timeout { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
