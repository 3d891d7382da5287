//! `getent passwd`: the system's accounts.

use std::collections::BTreeSet;

use crate::{Command, RunError, System};

/// `getent passwd NAME…`; it ends with 2 when one of them is no account.
pub fn command(names: &BTreeSet<&str>) -> Command {
    Command::look("getent").arg("passwd").args(names.iter().copied())
}

/// Which of `names` are no accounts of this system. Fails when the program cannot run.
pub async fn missing(host: &dyn System, names: &BTreeSet<&str>) -> Result<Vec<String>, RunError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let command = command(names);
    let output = host.run(&command).await?;
    if !output.ok() && output.code != 2 {
        return Err(RunError::failed(&command, &output));
    }
    let known: BTreeSet<&str> = output
        .stdout
        .lines()
        .filter_map(|line| line.split(':').next())
        .collect();
    Ok(names.difference(&known).map(|name| (*name).to_owned()).collect())
}
