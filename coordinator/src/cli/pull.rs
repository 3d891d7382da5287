use std::path::Path;

use clap::{Args, Subcommand};
use heeler_proto::json::ConfigPull;
use heeler_proto::v1::{AcceptedRevisionRequest, Revision};

use super::error::file;
use super::lock::Lock;
use super::place::write_whole;
use super::plan::agree;
use super::{CliError, Console, Context, Exit, Result, git};
use crate::config::FILE;
use crate::screen::{Line, diff};

#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Show how the accepted heeler.toml differs from the one here, and write it here
    Pull(Pull),
}

#[derive(Debug, Args)]
pub(super) struct Pull {
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
}

pub(super) async fn run(args: &Config, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let Config::Pull(pull) = args;
    let accepted = accepted(context).await?;
    write(&accepted, pull.yes, context, console).await
}

/// The accepted revision; fails before the first apply.
pub(super) async fn accepted(context: &Context<'_>) -> Result<Revision> {
    let mut client = context.client().await?;
    let accepted = client.accepted_revision(AcceptedRevisionRequest {}).await?.into_inner();
    match accepted.number {
        0 => Err(CliError::Other("no revision has been accepted yet".to_owned()).next("The first one: heeler apply")),
        _ => Ok(accepted),
    }
}

/// Shows the difference and replaces heeler.toml completely or not at all.
pub(super) async fn write(
    accepted: &Revision,
    yes: bool,
    context: &Context<'_>,
    console: &mut Console<'_>,
) -> Result<Exit> {
    let folder = context.config();
    let path = folder.join(FILE);
    if !folder.is_dir() {
        return Err(
            CliError::Other(format!("could not write {}: there is no such folder", path.display()))
                .next("Make it, or name another one with --config"),
        );
    }
    let here = there(&path)?;
    let changed = here != accepted.text;
    if changed {
        if !console.json {
            let lines = diff(&here, &accepted.text, 0, usize::MAX);
            console.show(&lines)?;
        }
        let question = format!("Write revision {} to {}? [y/N]", accepted.number, path.display());
        agree(&question, yes, "heeler config pull --yes", console)?;
        keep_uncommitted(&folder, &here, console).await?;
        write_whole(&path, &accepted.text)?;
    }
    let seen = Lock::read(&folder).ok().and_then(|lock| lock.audit_head());
    Lock::of(accepted.number, &accepted.text)
        .having_seen(seen.as_ref())
        .write(&folder)?;
    let said = format!(
        "{} and heeler.lock are at revision {}.",
        path.display(),
        accepted.number
    );
    console.told(
        ConfigPull {
            file: path.display().to_string(),
            revision: accepted.number,
            changed,
        },
        said,
    )
}

/// Saves a heeler.toml with uncommitted lines under a free name beside it.
async fn keep_uncommitted(folder: &Path, here: &str, console: &mut Console<'_>) -> Result<()> {
    let checkout = git::checkout(folder).await;
    let committed = !checkout.commit.is_empty() && checkout.dirty_lines == 0;
    let accepted = Lock::read(folder).is_ok_and(|seen| seen.names_the_same(&Lock::of(seen.revision, here)));
    if here.is_empty() || committed || accepted {
        return Ok(());
    }
    let names = (1..).map(|number| folder.join(format!("{FILE}.uncommitted-{number}")));
    for path in names {
        let new = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
        match new {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(file("write", path)(error)),
            Ok(_) => write_whole(&path, here)?,
        }
        let kept = format!("Your uncommitted lines are kept in {}.", path.display());
        console.aside(&[Line::of(kept)]);
        break;
    }
    Ok(())
}

/// The existing text; empty when there is no file. Fails for a file that is not UTF-8: it may be a person's work, so
/// it is not replaced.
fn there(path: &Path) -> Result<String> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        bytes => bytes.map_err(file("read", path))?,
    };
    String::from_utf8(bytes).map_err(|_| {
        CliError::Other(format!(
            "could not read {}: it is not UTF-8 text, and is not overwritten",
            path.display()
        ))
        .next("Move it away, then type: heeler config pull")
    })
}
