//! The program `heeler`.

use std::process::ExitCode;

use async_trait::async_trait;
use heeler_coordinator::cli::{self, CliError, Console, Demonstration, Exit};

/// Where there is no simulated machine.
struct Elsewhere;

#[async_trait]
impl Demonstration for Elsewhere {
    async fn run(&self, _once: bool, _console: &mut Console<'_>) -> Result<Exit, CliError> {
        Err(CliError::Other(
            "heeler demo runs on Linux only: its machines are simulated Linux machines".into(),
        ))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    cli::main(&Elsewhere).await
}
