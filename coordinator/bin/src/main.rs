//! The program `heeler`.

#[cfg(target_os = "linux")]
mod demo;
#[cfg(not(target_os = "linux"))]
mod elsewhere;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
use demo::Demo as Shown;
#[cfg(not(target_os = "linux"))]
use elsewhere::Elsewhere as Shown;

fn main() -> ExitCode {
    heeler_coordinator::cli::answer_shell();
    run()
}

#[tokio::main]
async fn run() -> ExitCode {
    heeler_coordinator::cli::main(&Shown).await
}
