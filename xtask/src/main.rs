//! Developer commands beside cargo: `cargo xtask --help`.

mod bans;
mod bench;
mod bounds;
mod codegen;
mod documents;
mod documents_page;
mod drift;
mod lab;
mod package;
mod rss;
mod run;
mod size;
mod sqlx;
mod tidy;

use std::process::ExitCode;

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
    /// Compares heeler-store's queries with the migrations and writes their metadata (.sqlx)
    Sqlx {
        /// Writes nothing; fails when the committed metadata differs
        #[arg(long)]
        check: bool,
    },
    /// Checks licences, sources, banned crates and the crates' layers (deny.toml)
    Bans,
    /// Checks file names, lengths, links and what is never landed
    Tidy {
        /// Lists files that are worth a second look, too
        #[arg(long)]
        verbose: bool,
    },
    /// Builds the static aarch64 agent, prints its size, fails over the gate
    Size {
        /// Builds it with symbols, and prints its largest crates and symbols
        #[arg(long)]
        top: bool,
    },
    /// Puts a release build of the agent on a node of the running lab and watches it: resident memory, wake-ups
    Rss {
        /// The node, by its name in the lab
        node: String,
        /// How long
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Makes Debian packages of the agent (arm64, amd64) and of the coordinator for this machine
    Package(package::PackageOptions),
    /// Figures, each with what it may be at most
    #[command(subcommand)]
    Bench(Bench),
    /// Virtual Raspberry Pis with real ZFS, systemd and sshd (cargo xtask lab --help)
    #[command(disable_help_flag = true)]
    Lab {
        /// What the lab is to do
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

#[derive(Subcommand)]
enum Bench {
    /// A coordinator with so many simulated agents over real mTLS: memory, reconnection, status
    Fleet {
        /// How many agents [default: 10 100 1000 10000]
        sizes: Vec<usize>,
    },
    /// A coordinator with 256 open files while nodes attack it: what others notice
    Hostile,
    /// Heeler beside Ansible on one node of the lab: nothing to change, and one changed file
    Ansible,
    /// The agent on its node: a prune plan over 10,000 snapshots, idling, a simulated year
    Prune {
        /// How long it idles
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
}

fn main() -> ExitCode {
    match run_task(&Xtask::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_task(task: &Task) -> Result<()> {
    match task {
        Task::Codegen { check } => codegen::run(*check),
        Task::Sqlx { check } => sqlx::run(*check),
        Task::Bans => bans::run(),
        Task::Tidy { verbose } => tidy::run(*verbose),
        Task::Size { top } => size::run(*top),
        Task::Rss { node, seconds } => rss::run(node, *seconds),
        Task::Package(options) => package::run(options),
        Task::Bench(Bench::Fleet { sizes }) => bench::fleet(sizes),
        Task::Bench(Bench::Hostile) => bench::hostile(),
        Task::Bench(Bench::Ansible) => lab::become_it(&["bench-ansible".to_owned()]),
        Task::Bench(Bench::Prune { seconds }) => bench::prune(*seconds),
        Task::Lab { arguments } => lab::become_it(arguments),
    }
}
