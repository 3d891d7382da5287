use clap::Subcommand;

use super::{Console, Context, Exit, Result, pull};
use crate::screen;

#[derive(Debug, Subcommand)]
pub(super) enum Revision {
    /// Show the accepted text
    Show {
        /// The same as heeler config pull
        #[arg(long, hide = true)]
        write: bool,
        /// Do not ask
        #[arg(long, requires = "write", hide = true)]
        yes: bool,
    },
}

pub(super) async fn run(args: &Revision, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let Revision::Show { write, yes } = args;
    let accepted = pull::accepted(context).await?;
    if *write {
        return pull::write(&accepted, *yes, context, console).await;
    }
    if console.json {
        console.document(&accepted)?;
    } else {
        // On stderr, so that stdout is the text alone.
        console.aside(&[screen::revision(&accepted, &console.zone)]);
        console.text(&accepted.text)?;
    }
    Ok(Exit::Fine)
}
