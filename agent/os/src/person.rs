//! Programs of the person who typed a command of Heeler, such as ssh and git: with their environment, working folder
//! and terminal, so that their configuration, keys and agents work.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Child;

use crate::run::{finish, process, start_among_ours};
use crate::{Command, Output, RunError};

/// Runs a program in `folder` to its end. An exit code other than 0 is not an error. Only the program itself is killed
/// at the time limit, and when the future is dropped. Fails when it is not installed, does not end in time, or prints
/// more than 16 MiB.
pub async fn run_in(folder: &Path, command: &Command) -> Result<Output, RunError> {
    finish(
        command,
        start_among_ours(command, process(command).current_dir(folder))?,
    )
    .await
}

/// Starts a program with pipes for input, output and errors. Dropping the child kills it; there is no time limit. Fails
/// when it is not installed or cannot be started.
pub fn start(command: &Command) -> Result<Child, RunError> {
    start_among_ours(command, process(command).stdin(Stdio::piped())).map(|program| program.child)
}
