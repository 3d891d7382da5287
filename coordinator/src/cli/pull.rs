use clap::{Args, Subcommand};
use heeler_proto::v1::{AcceptedRevisionRequest, Revision};

use super::lock::Lock;
use super::place::write_whole;
use super::plan::agree;
use super::{CliError, Console, Context, Exit};
use crate::config::FILE;
use crate::screen::diff;

#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Put the accepted text into heeler.toml here, after showing what that changes
    Pull(Pull),
}

#[derive(Debug, Args)]
pub(super) struct Pull {
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
}

pub(super) async fn run(wish: &Config, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    let Config::Pull(pull) = wish;
    let accepted = accepted(context).await?;
    write(&accepted, pull.yes, context, console)
}

/// The accepted revision; an error before the first.
pub(super) async fn accepted(context: &Context<'_>) -> Result<Revision, CliError> {
    let mut client = context.client().await?;
    let accepted = client.accepted_revision(AcceptedRevisionRequest {}).await?.into_inner();
    match accepted.number {
        0 => Err(CliError::Other(
            "no revision has been accepted yet\nThe first one: heeler apply".into(),
        )),
        _ => Ok(accepted),
    }
}

/// Whole or not at all: what stands there may be a person's work.
pub(super) fn write(
    accepted: &Revision,
    yes: bool,
    context: &Context<'_>,
    console: &mut Console<'_>,
) -> Result<Exit, CliError> {
    let folder = context.config();
    let path = folder.join(FILE);
    let here = std::fs::read_to_string(&path).unwrap_or_default();
    if here != accepted.text {
        let lines = diff(&here, &accepted.text, 0, usize::MAX);
        console.show(&lines)?;
        let question = format!("Put revision {} into {}? [y/N]", accepted.number, path.display());
        agree(&question, yes, "heeler config pull --yes", console)?;
        write_whole(&path, &accepted.text)?;
    }
    let seen = Lock::read(&folder).ok().and_then(|lock| lock.audit_head());
    Lock::of(accepted.number, &accepted.text)
        .having_seen(seen.as_ref())
        .write(&folder)?;
    console.say(format!(
        "{} and heeler.lock are at revision {}.",
        path.display(),
        accepted.number
    ))?;
    Ok(Exit::Fine)
}
