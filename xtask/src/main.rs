//! What a developer runs besides cargo: `cargo xtask --help`.

mod codegen;
mod drift;
mod run;
mod size;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// What a developer runs besides cargo.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Generates proto/src/gen from proto/**/*.proto (no protoc needed)
    Codegen {
        /// Writes nothing; fails when the committed code differs
        #[arg(long)]
        check: bool,
    },
    /// Builds the static aarch64 agent, prints its size, fails over the gate
    Size,
}

fn main() -> Result<()> {
    match Xtask::parse().task {
        Task::Codegen { check } => codegen::run(check),
        Task::Size => size::run(),
    }
}
