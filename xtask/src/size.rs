//! How many bytes the static aarch64 agent has. A Pi holds two of them and loads one at every boot.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::run;

const TARGET: &str = "aarch64-unknown-linux-musl";

/// Debian's package gcc-aarch64-linux-gnu; compiles ring's C and links against the musl that rustup brings.
const CROSS_COMPILER: &str = "aarch64-linux-gnu-gcc";

/// The agent aborts at a panic: the tables that would unwind it are 350 KB that nobody reads.
const NO_UNWINDING: &str = "target.aarch64-unknown-linux-musl.rustflags=['-Cforce-unwind-tables=no']";

/// 3.0 MB.
const GATE_BYTES: u64 = 3_000_000;

/// Builds the agent with its own profile and prints its size in bytes.
pub fn run() -> Result<()> {
    let path = build_agent()?;
    let bytes = fs::metadata(&path)
        .with_context(|| format!("no {}", path.display()))?
        .len();
    println!(
        "heeler-agent {TARGET} {bytes} bytes, gate {GATE_BYTES}, {} %",
        bytes * 100 / GATE_BYTES
    );
    ensure!(
        bytes <= GATE_BYTES,
        "the agent is {} bytes over its gate",
        bytes - GATE_BYTES
    );
    Ok(())
}

/// Builds the agent and says where it is.
pub fn build_agent() -> Result<PathBuf> {
    run::run(&mut agent_build()?)?;
    Ok(run::target_dir().join(TARGET).join("agent/heeler-agent"))
}

/// The cargo command that builds the static agent.
///
/// Where the target is not of rustup's making, `HEELER_AARCH64_ENV` names a file of `export NAME="value"` lines
/// that a shell reads first.
fn agent_build() -> Result<Command> {
    let build = [
        "build",
        "--locked",
        "--package",
        "heeler-agent",
        "--profile",
        "agent",
        "--target",
        TARGET,
        "--config",
        NO_UNWINDING,
    ];
    if let Some(env) = std::env::var_os("HEELER_AARCH64_ENV") {
        let mut shell = run::program("sh");
        shell.args(["-ec", ". \"$0\"; exec cargo \"$@\""]).arg(env).args(build);
        return Ok(shell);
    }
    let installed = run::output(run::program("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    let there = fs::read_dir(installed.trim()).is_ok_and(|mut entries| entries.next().is_some());
    ensure!(
        there,
        "the target {TARGET} is not installed: rustup target add {TARGET} && apt-get install gcc-aarch64-linux-gnu"
    );
    let mut cargo = run::cargo();
    cargo.args(build);
    if cfg!(not(target_arch = "aarch64")) {
        for name in [
            "CC_aarch64_unknown_linux_musl",
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER",
        ] {
            if std::env::var_os(name).is_none() {
                cargo.env(name, CROSS_COMPILER);
            }
        }
    }
    Ok(cargo)
}
