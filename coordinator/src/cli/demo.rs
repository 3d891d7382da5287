use async_trait::async_trait;
use clap::Args;

use super::{CliError, Console, Exit};

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// End when the demonstration has ended; without it the fleet stays up for the other commands
    #[arg(long)]
    pub(super) once: bool,
}

/// What `heeler demo` runs: the library knows no simulated machine.
#[async_trait(?Send)]
pub trait Demonstration {
    /// Shows it; `once`: ends when it has ended.
    ///
    /// # Errors
    /// When anything of it does not come out as it must.
    async fn run(&self, once: bool, console: &mut Console<'_>) -> Result<Exit, CliError>;
}
