//! Commands for a person on the node, which work without the coordinator.

mod arguments;
mod screen;

use std::io::{self, BufRead as _, IsTerminal as _};
use std::process::ExitCode;
use std::sync::Arc;

use heeler_agent::{Hold, ReleaseError, hold, node_status, release};
use heeler_host::System;
use heeler_proto::duration;

use crate::out;

pub use arguments::PersonCommand;

const FINE: u8 = 0;
/// Exit code: something needs attention.
const LOOK: u8 = 3;
/// Exit code: the person did not agree, or it is not possible now.
const REFUSED: u8 = 5;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    #[error("this needs root: type it with sudo")]
    NotRoot,
    #[error("could not write or remove {}", hold::PATH)]
    Hold(#[source] io::Error),
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error("could not use the terminal")]
    Terminal(#[from] io::Error),
}

/// Runs the command and prints its result. Fails when it failed.
pub async fn run(command: PersonCommand, host: Arc<dyn System>) -> Result<ExitCode, PersonError> {
    if !node_status::may_look(host.as_ref()).await {
        return Err(PersonError::NotRoot);
    }
    let code = match command {
        PersonCommand::Status { json } => status(&host, json).await?,
        PersonCommand::Pause { for_ms, reason } => {
            let since_ms = host.now_ms();
            let hold = Hold {
                reason,
                since_ms,
                until_ms: if for_ms == 0 {
                    0
                } else {
                    since_ms.saturating_add(for_ms)
                },
            };
            hold::set(host.as_ref(), &hold).await.map_err(PersonError::Hold)?;
            let how_long = match for_ms {
                0 => "until heeler-agent resume".to_owned(),
                ms => format!("for {}", duration::span(ms)),
            };
            out::line(format_args!(
                "Paused {how_long}: no new task is taken. Snapshots and scrubs continue."
            ));
            let status = node_status::look(&host).await;
            if let Some(task) = status.in_hand {
                out::line(format_args!(
                    "The running task continues to its end: {} {}.",
                    task.kind, task.id
                ));
            }
            FINE
        }
        PersonCommand::Resume => {
            hold::lift(host.as_ref()).await.map_err(PersonError::Hold)?;
            out::line(format_args!(
                "The node takes tasks again. Tasks that it refused during the pause do not run by themselves: at \
                the coordinator, heeler plan."
            ));
            FINE
        }
        PersonCommand::Release { yes } => released(host.as_ref(), yes).await?,
    };
    Ok(ExitCode::from(code))
}

async fn status(host: &Arc<dyn System>, json: bool) -> Result<u8, PersonError> {
    let status = node_status::look(host).await;
    let text = if json {
        serde_json::to_string_pretty(&status).unwrap_or_default() + "\n"
    } else {
        screen::status(&status)
    };
    out::print(format_args!("{text}"));
    Ok(if status.faults.is_empty() { FINE } else { LOOK })
}

async fn released(host: &dyn System, yes: bool) -> Result<u8, PersonError> {
    if !release::is_begun(host).await {
        let plan = release::plan(host).await?;
        out::print(format_args!("{}", screen::release(&plan)));
        if !plan.refused.is_empty() {
            return Ok(REFUSED);
        }
        if !yes && !agreed("Remove the agent from this node? [y/N] ")? {
            out::line(format_args!("Nothing was changed."));
            return Ok(REFUSED);
        }
        release::begin(host, &plan).await?;
    }
    // Stopped first, because the running service would write files that are being removed.
    release::stop(host).await?;
    release::finish(host).await?;
    out::line(format_args!(
        "The agent is removed from this node. At the coordinator: heeler node remove; otherwise the node stays \
        listed as offline."
    ));
    out::line(format_args!(
        "Its Debian package is still installed; to remove it: apt purge heeler-agent"
    ));
    Ok(FINE)
}

fn agreed(question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() {
        out::line(format_args!(
            "There is no terminal to ask on; to agree: heeler-agent release --yes"
        ));
        return Ok(false);
    }
    out::print(format_args!("{question}"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
