use clap::Subcommand;

use super::removal::{self, Forget};
use super::{Console, Context, Exit, Result};

#[derive(Debug, Subcommand)]
pub(super) enum Pool {
    /// Remove a lost pool from the record; its disks are then no longer protected
    Forget(Forget),
}

pub(super) async fn run(args: Pool, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let Pool::Forget(args) = args;
    removal::forget(args, context, console).await
}
