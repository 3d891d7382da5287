use async_trait::async_trait;
use heeler_coordinator::cli::{CliError, Console, Demonstration, Exit};

/// `heeler demo` on systems other than Linux: an error, because the simulated machines need Linux.
pub struct Elsewhere;

#[async_trait(?Send)]
impl Demonstration for Elsewhere {
    async fn run(&self, _once: bool, _console: &mut Console<'_>) -> Result<Exit, CliError> {
        Err(CliError::Other(
            "heeler demo runs on Linux only: its machines are simulated Linux machines".into(),
        ))
    }
}
