use clap::Subcommand;

use super::leave::{self, Forget};
use super::{CliError, Console, Context, Exit};

#[derive(Debug, Subcommand)]
pub(super) enum Pool {
    /// Take a pool that is gone for good off the record; its disks are no longer protected
    Forget(Forget),
}

pub(super) async fn run(wish: Pool, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    let Pool::Forget(wish) = wish;
    leave::forget(wish, context, console).await
}
