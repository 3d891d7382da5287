//! `heeler` without a command: the status, or how to get one.

use std::path::Path;

use heeler_proto::json::Welcome;

use super::{CliError, Console, Context, Exit, Result, status};
use crate::screen::{Ink, Line, wrap};
use crate::state::StateFolder;

/// State folder of the Debian package.
const PACKAGED: &str = "/var/lib/heeler";

/// Why there is no status to show.
enum Without {
    /// There is no coordinator's state here.
    Coordinator,
    /// There is a state, but the coordinator does not run.
    Answer,
    /// The state belongs to another user.
    Access,
}

pub(super) async fn run(context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    match status::run(&status::Status::default(), context, console).await {
        Err(CliError::NotRunning(_) | CliError::NoState(_)) => {
            let without = without(context);
            say(&without, context, console)?;
            Ok(Exit::Unreachable)
        }
        shown => shown,
    }
}

fn without(context: &Context<'_>) -> Without {
    let state = context.state();
    if StateFolder::new(&state).database().exists() {
        return Without::Answer;
    }
    let chosen = context.global.state.is_some() || (context.around.variable)("HEELER_STATE").is_some();
    if !chosen && !context.around.root && Path::new(PACKAGED).is_dir() {
        return Without::Access;
    }
    Without::Coordinator
}

fn say(without: &Without, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let state = context.state();
    let (word, text, ways, next) = match without {
        Without::Coordinator => (
            "none",
            format!(
                "Nothing is set up here: there is no coordinator in {}.",
                state.display()
            ),
            [
                ("heeler demo", "try it on three simulated machines"),
                ("heeler init", "create a coordinator: config folder, keys, database"),
                ("heeler operator request", "join somebody else's cluster as an operator"),
            ]
            .as_slice(),
            "heeler init --cluster NAME FOLDER",
        ),
        Without::Answer => (
            "stopped",
            format!(
                "The coordinator of {} is not running. The nodes keep running: pools, guests, snapshots and scrubs do \
                 not need it.",
                state.display()
            ),
            [("heeler handbook", "where everything is, and what to do")].as_slice(),
            "heeler serve, or where it is a service: sudo systemctl start heeler",
        ),
        Without::Access => (
            "not yours",
            format!("The coordinator in {PACKAGED} belongs to another user of this machine."),
            [].as_slice(),
            "sudo heeler",
        ),
    };
    console.answer(
        Welcome {
            coordinator: word.to_owned(),
            state: state.display().to_string(),
            next: next.to_owned(),
        },
        |screen| {
            let mut lines: Vec<Line> = wrap(&text, screen.width).into_iter().map(Line::of).collect();
            if !ways.is_empty() {
                lines.push(Line::new());
            }
            for (command, what) in ways {
                lines.push(Line::of("  ").ink(Ink::Bold, command).to(28, 2).plain(what));
            }
            lines.extend([Line::new(), Line::new().ink(Ink::Bold, "Next: ").plain(next)]);
            lines
        },
    )
}
