//! The command line: parses arguments, calls the coordinator, shows the reply.

mod apply;
mod args;
mod audit;
mod backup;
mod ca;
mod candidate;
mod client;
mod complete;
mod consent;
mod console;
mod contact;
mod copies;
mod demo;
mod disk;
mod error;
mod events;
mod follow;
mod from_ansible;
mod git;
mod given;
mod grant;
mod handbook;
mod init;
mod json;
mod live;
mod lock;
mod manual;
mod node;
mod operator;
mod pause;
mod place;
mod plan;
mod pool;
mod pull;
mod recover;
mod remote;
mod removal;
mod restore;
mod revision;
mod secret;
mod serve;
mod snapshot;
mod status;
mod task;
mod terminal;
mod trust;
mod watch;
mod welcome;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;

use clap::Parser as _;
use jiff::tz::TimeZone;

pub use client::{Client, connect};
pub use complete::answer as answer_shell;
pub use console::{AtTerminal, Console, Person};
pub use demo::Demonstration;
pub use error::{CliError, Exit};
pub use place::{Surroundings, Variables};

use args::{Command, Global, Heeler};
use complete::Names;

use crate::clock::{Clock, SystemClock};
use crate::screen::{Ink, Line, mistakes, wrap};

type Result<T, E = CliError> = std::result::Result<T, E>;

pub(crate) struct Context<'a> {
    around: &'a Surroundings,
    global: Global,
    clock: &'a dyn Clock,
}

impl Context<'_> {
    fn state(&self) -> PathBuf {
        self.around.state(self.global.state.as_deref())
    }

    fn config(&self) -> PathBuf {
        self.around.config(self.global.config.as_deref(), &self.state())
    }

    /// HOST:PORT of a coordinator on another machine; None when it is on this one.
    fn elsewhere(&self) -> Option<String> {
        let named = self.global.coordinator.clone();
        let named = named.or_else(|| (self.around.variable)("HEELER_COORDINATOR"));
        named.or_else(|| remote::noted(&self.state()))
    }

    async fn client(&self) -> Result<Client> {
        let state = self.state();
        match self.elsewhere() {
            Some(address) => {
                remote::check(&address)?;
                let credentials = remote::Credentials::find(&state, &self.around.login())?;
                remote::connect(&credentials, &address, self.clock.now_ms()).await
            }
            None => connect(&state).await,
        }
    }
}

/// Streams, person and environment of one command.
pub struct Session<'a> {
    /// stdout: results.
    pub out: &'a mut (dyn Write + Send),
    /// stderr: errors and progress.
    pub err: &'a mut (dyn Write + Send),
    /// Answers questions.
    pub person: &'a mut dyn Person,
    /// Environment and folders.
    pub around: Surroundings,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Time zone for times that are shown.
    pub zone: TimeZone,
    /// Whether stderr may show moving progress lines.
    pub live: bool,
    /// Runs `heeler demo`.
    pub demonstration: &'a dyn Demonstration,
}

/// Runs the program with this process's arguments, terminal and environment.
pub async fn main(demonstration: &dyn Demonstration) -> ExitCode {
    let live = io::stdout().is_terminal() && io::stderr().is_terminal();
    let session = Session {
        out: &mut io::stdout(),
        err: &mut io::stderr(),
        person: &mut AtTerminal,
        around: Surroundings::of_this_process(),
        clock: &SystemClock,
        zone: zone(),
        live,
        demonstration,
    };
    ExitCode::from(run(std::env::args_os(), session).await as u8)
}

/// The time zone of TZ, else that of the machine.
fn zone() -> TimeZone {
    TimeZone::try_system().unwrap_or_else(|error| {
        let named = std::env::var("TZ").unwrap_or_default();
        eprintln!("TZ={named} names no time zone ({error}): times are in UTC");
        TimeZone::UTC
    })
}

/// Runs one command line and returns its exit code.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, session: Session<'_>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let json = arguments.iter().any(|word| word == "--json");
    let heeler = match Heeler::try_parse_from(arguments) {
        Ok(heeler) => heeler,
        Err(error) => return usage(&error, json, session),
    };
    let no_color = |name: &str| (session.around.variable)(name);
    let no_color = no_color("NO_COLOR").is_some() || no_color("TERM").is_some_and(|term| term == "dumb");
    let mut console = Console {
        screen: console::screen(&heeler.global, no_color),
        json: heeler.global.json,
        live: session.live && !heeler.global.json,
        out: session.out,
        err: session.err,
        person: session.person,
        zone: session.zone,
    };
    let context = Context {
        around: &session.around,
        global: heeler.global,
        clock: session.clock,
    };
    let reads = heeler.command.as_ref().is_none_or(Command::only_reads);
    let result = dispatch(heeler.command, &context, &mut console, session.demonstration).await;
    result.unwrap_or_else(|error| {
        // A command that changed something reports its error even when stdout is closed.
        if reads && error.nobody_reads() {
            return Exit::Stopped;
        }
        complain(&error, &mut console);
        error.exit()
    })
}

/// Boxed, so that the commands are compiled in this crate alone, and not in each program that awaits one.
fn dispatch<'a>(
    command: Option<Command>,
    context: &'a Context<'_>,
    console: &'a mut Console<'_>,
    demonstration: &'a dyn Demonstration,
) -> Pin<Box<dyn Future<Output = Result<Exit>> + 'a>> {
    Box::pin(async move {
        match command {
            None => welcome::run(context, console).await,
            Some(Command::Init(args)) => init::run(&args, context, console).await,
            Some(Command::Serve(args)) => serve::run(&args, context, console).await,
            Some(Command::Status(args)) => status::run(&args, context, console).await,
            Some(Command::Operator(args)) => operator::run(args, context, console).await,
            Some(Command::Ca(args)) => ca::run(args, context, console).await,
            Some(Command::Node(args)) => node::run(args, context, console).await,
            Some(Command::Plan(args)) => plan::run(&args, context, console).await,
            Some(Command::Apply(args)) => apply::run(&args, context, console).await,
            Some(Command::Disk(args)) => disk::run(args, context, console).await,
            Some(Command::Snapshot(args)) => snapshot::run(args, context, console).await,
            Some(Command::Task(args)) => task::run(args, context, console).await,
            Some(Command::Events(args)) => events::run(&args, context, console).await,
            Some(Command::Backup(args)) => backup::run(args, context, console).await,
            Some(Command::Audit(args)) => audit::run(args, context, console).await,
            Some(Command::Config(args)) => pull::run(&args, context, console).await,
            Some(Command::Pool(args)) => pool::run(args, context, console).await,
            Some(Command::Secret(args)) => secret::run(args, context, console).await,
            Some(Command::Handbook) => handbook::run(context, console).await,
            Some(Command::Revision(args)) => revision::run(&args, context, console).await,
            Some(Command::Demo(args)) => demo::run(&args, console, demonstration).await,
            Some(Command::Manual { folder }) => manual::write(&folder),
            Some(Command::Completions { shell }) => {
                console.write(&complete::script(shell)?)?;
                Ok(Exit::Fine)
            }
        }
    })
}

fn usage(error: &clap::Error, json: bool, session: Session<'_>) -> Exit {
    if json && error.use_stderr() {
        let text = error.to_string();
        // clap has one text for what is wrong and how to call it.
        let (message, next) = match error.kind() {
            clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                ("a subcommand or an argument is missing", text.as_str())
            }
            _ => text.split_once('\n').unwrap_or((&text, "")),
        };
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let parts = (message.to_owned(), next.trim().to_owned());
        let _ = writeln!(session.out, "{}", json::line(json::failure(parts, Exit::Usage, &[])));
    }
    let stream = if error.use_stderr() { session.err } else { session.out };
    let text = error.to_string();
    let text = match error.use_stderr() {
        true => console::folded(&text),
        false => text,
    };
    // If the stream is closed there is no place to report that.
    let _ = write!(stream, "{text}");
    if error.use_stderr() { Exit::Usage } else { Exit::Fine }
}

/// Reports an error on stderr; with `--json` also as a document on stdout.
fn complain(error: &CliError, console: &mut Console<'_>) {
    if console.json {
        let mistakes = if let CliError::Config(mistakes) = error {
            mistakes.as_slice()
        } else {
            &[]
        };
        // stderr still gets the text when stdout is closed.
        let _ = console.json_line(json::failure(
            (error.to_string(), error.advice()),
            error.exit(),
            mistakes,
        ));
    }
    let screen = console.screen;
    if let CliError::Config(errors) = error {
        return console.aside(&mistakes(errors, screen));
    }
    let text = error.text();
    let mut said = text.lines();
    let mut lines = Vec::new();
    for (index, line) in wrap(said.next().unwrap_or_default(), screen.width - 7)
        .into_iter()
        .enumerate()
    {
        let head = if index == 0 {
            Line::new().ink(Ink::Red, "error: ")
        } else {
            Line::of("       ")
        };
        lines.push(head.plain(line));
    }
    lines.extend(said.flat_map(|line| wrap(line, screen.width)).map(Line::of));
    console.aside(&lines);
}

#[cfg(test)]
mod tests;
