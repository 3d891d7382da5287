use clap::Subcommand;
use heeler_proto::v1::AcceptedRevisionRequest;

use super::lock::Lock;
use super::plan::agree;
use super::{CliError, Console, Context, Exit, error, json};
use crate::config::FILE;
use crate::screen::{self, diff};

#[derive(Debug, Subcommand)]
pub(super) enum Revision {
    /// The accepted text
    Show {
        /// Put it into heeler.toml and heeler.lock here, after showing what that changes
        #[arg(long)]
        write: bool,
        /// Do not ask
        #[arg(long, requires = "write")]
        yes: bool,
    },
}

pub(super) async fn run(wish: &Revision, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    let Revision::Show { write, yes } = wish;
    let accepted = context
        .client()
        .await?
        .accepted_revision(AcceptedRevisionRequest {})
        .await?
        .into_inner();
    if accepted.number == 0 {
        return Err(CliError::Other(
            "no revision has been accepted yet\nThe first one: heeler apply".into(),
        ));
    }
    if !write {
        if console.json {
            console.answer(|| json::revision(&accepted), |_| Vec::new())?;
        } else {
            // Beside the text, so that it can be sent into a file.
            console.aside(&[screen::revision(&accepted, &console.zone)]);
            console.write(&accepted.text)?;
        }
        return Ok(Exit::Fine);
    }
    let folder = context.config();
    let path = folder.join(FILE);
    let here = std::fs::read_to_string(&path).unwrap_or_default();
    if here != accepted.text {
        let lines = diff(&here, &accepted.text, 0, usize::MAX);
        console.show(&lines)?;
        let question = format!("Put revision {} into {}? [y/N]", accepted.number, path.display());
        agree(&question, *yes, "heeler revision show --write --yes", console)?;
        std::fs::write(&path, &accepted.text).map_err(error::file("write", &path))?;
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
