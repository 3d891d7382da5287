use async_trait::async_trait;
use clap::Args;

use super::{CliError, Console, Exit, Result};

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Exit at the end; without it the fleet stays up so that you can try other commands
    #[arg(long)]
    pub(super) once: bool,
}

pub(super) async fn run(args: &Demo, console: &mut Console<'_>, demonstration: &dyn Demonstration) -> Result<Exit> {
    if console.json {
        return Err(CliError::Usage("heeler demo has no --json".to_owned())
            .next("Leave it out. While the fleet of the demo is up, other commands have it: heeler status --json"));
    }
    demonstration.run(args.once, console).await
}

/// Runs `heeler demo`. Passed in, because the library does not link the simulated machines.
#[async_trait(?Send)]
pub trait Demonstration {
    /// Runs the demonstration; with `once`, returns when it is over. Fails when a step does not end as expected.
    async fn run(&self, once: bool, console: &mut Console<'_>) -> Result<Exit>;
}
