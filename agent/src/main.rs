//! `heeler-agent`: the service, and commands for first contact and for a person on the node.

mod arguments;
mod log;
mod out;
mod person;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use heeler_agent::{Agent, Config, Identity, Notify, VERSION, release};
use heeler_host::guard::{self, Undoing};
use heeler_host::{RealSystem, System};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Arguments, Command, USAGE};
use heeler_no_backtrace as _;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("heeler-agent: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match start(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("heeler-agent: {}", heeler_tasks::engine::in_full(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Each thread keeps some memory. Three may block on disks that do not answer, and one still writes the journal.
const BLOCKING_THREADS: usize = 4;

fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()?;
    let host: Arc<dyn System> = match arguments.root {
        Some(root) => Arc::new(RealSystem::with_root(root)),
        None => Arc::new(RealSystem::new()),
    };
    match arguments.command {
        Command::Run => runtime.block_on(run(host))?,
        Command::Person(command) => return Ok(runtime.block_on(person::run(command, host))?),
        Command::Key => {
            let identity = runtime.block_on(Identity::open(host))?;
            out::print(format_args!("{}", identity.public_key_pem()));
        }
        Command::GuardUndo => match runtime.block_on(guard::undo(host.as_ref()))? {
            Undoing::Nothing => out::line(format_args!("no network change was waiting for a confirmation")),
            Undoing::Confirmed => out::line(format_args!("the change was already confirmed: it stays")),
            Undoing::Reboots => out::line(format_args!("the files are as before, and the node reboots with them")),
            Undoing::Done(undone) => out::line(format_args!("undone: {}: {}", undone.change, undone.reason)),
        },
        Command::Help => out::line(format_args!("{USAGE}")),
        Command::Version => {
            out::line(format_args!("heeler-agent {VERSION}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn run(host: Arc<dyn System>) -> Result<(), Box<dyn Error>> {
    log::set_up()?;
    let notify = Notify::from_environment()?;
    if release::is_begun(host.as_ref()).await {
        return leave(host.as_ref()).await;
    }
    release::forget(host.as_ref()).await?;
    let config = Config::read(host.as_ref()).await?;
    tracing::info!(node = %config.node, version = VERSION, "starting");
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    tokio::pin!(shutdown);
    Agent::new(config, host.clone(), notify)
        .await?
        .run(shutdown.as_mut())
        .await;
    tracing::info!("stopped");
    if release::is_begun(host.as_ref()).await {
        leave(host.as_ref()).await?;
    }
    Ok(())
}

/// Removes the agent from the node. Ends when systemd stops it, at its own request.
async fn leave(host: &dyn System) -> Result<(), Box<dyn Error>> {
    tracing::info!("released: leaving this node");
    release::finish(host).await?;
    release::stop(host).await?;
    Ok(())
}
