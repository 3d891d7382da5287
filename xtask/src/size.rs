//! Size of the static aarch64 agent in bytes. A Pi stores two of them and loads one at every boot.

mod symbols;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::run;

/// Largest size allowed, in bytes: what it was last reduced to, and 1 %.
const GATE_BYTES: u64 = 2_901_000;

/// Symbols' names that say for which types a generic function was compiled.
const V0_NAMES: &str = ", '-Csymbol-mangling-version=v0'";

/// A kind of machine that runs the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// A Raspberry Pi.
    Aarch64,
    /// A virtual machine or a small PC.
    X86_64,
}

impl Machine {
    /// The architecture's name in `uname -m`.
    pub fn uname(self) -> &'static str {
        match self {
            Self::Aarch64 => "aarch64",
            Self::X86_64 => "x86_64",
        }
    }

    /// The architecture's name in dpkg.
    pub fn debian(self) -> &'static str {
        match self {
            Self::Aarch64 => "arm64",
            Self::X86_64 => "amd64",
        }
    }

    fn target(self) -> String {
        format!("{}-unknown-linux-musl", self.uname())
    }

    /// The C compiler for ring, which also links against rustup's musl; a Debian cross compiler where one is needed.
    fn compiler(self) -> String {
        match self.uname() == std::env::consts::ARCH {
            true => "gcc".to_owned(),
            false => format!("{}-linux-gnu-gcc", self.uname()),
        }
    }
}

/// Builds the agent, prints its size in bytes, and fails when it is over the limit. With `top`, builds it with symbols
/// instead and prints the largest ones.
pub fn run(top: bool) -> Result<()> {
    let machine = Machine::Aarch64;
    if top {
        run::run(agent_build(machine, V0_NAMES)?.env("CARGO_PROFILE_AGENT_STRIP", "none"))?;
        return symbols::print(&program(machine));
    }
    let path = build_agent(machine)?;
    let bytes = fs::metadata(&path)
        .with_context(|| format!("no {}", path.display()))?
        .len();
    println!(
        "heeler-agent {} {bytes} bytes, gate {GATE_BYTES}, {} %",
        machine.target(),
        bytes * 100 / GATE_BYTES
    );
    ensure!(
        bytes <= GATE_BYTES,
        "the agent is {} bytes over its gate",
        bytes - GATE_BYTES
    );
    Ok(())
}

/// Builds the agent and returns the path of the program.
pub fn build_agent(machine: Machine) -> Result<PathBuf> {
    run::run(&mut agent_build(machine, "")?)?;
    Ok(program(machine))
}

fn program(machine: Machine) -> PathBuf {
    run::target_dir().join(machine.target()).join("agent/heeler-agent")
}

/// The cargo command that builds the static agent. `more_flags` is more of a TOML list, each with a comma before it.
///
/// Where the target does not come from rustup, `HEELER_AARCH64_ENV` names a file of `export NAME="value"` lines that
/// a shell reads first.
fn agent_build(machine: Machine, more_flags: &str) -> Result<Command> {
    let target = machine.target();
    // The agent aborts at a panic, so nothing reads the 350 KB of unwind tables. RELRO needs a dynamic loader, which
    // a static musl program has not; it only added 58 KB of padding. std and ring's C bring unwind tables regardless
    // of the flag, so the linker drops them.
    let drop_tables = match machine {
        Machine::Aarch64 => ", '-Clink-arg=-Wl,-T,agent/no-unwind.ld'",
        Machine::X86_64 => "",
    };
    let flags =
        format!("target.{target}.rustflags=['-Cforce-unwind-tables=no', '-Crelro-level=off'{drop_tables}{more_flags}]");
    let build = [
        "build",
        "--locked",
        "--package",
        "heeler-agent",
        "--profile",
        "agent",
        "--target",
        &target,
        "--config",
        &flags,
    ];
    if let Some(env) = std::env::var_os("HEELER_AARCH64_ENV").filter(|_| machine == Machine::Aarch64) {
        let mut shell = run::program("sh");
        shell.args(["-ec", ". \"$0\"; exec cargo \"$@\""]).arg(env).args(build);
        return Ok(shell);
    }
    let installed = run::output(run::program("rustc").args(["--print", "target-libdir", "--target", &target]))?;
    let there = fs::read_dir(installed.trim()).is_ok_and(|mut entries| entries.next().is_some());
    ensure!(
        there,
        "the target {target} is not installed: rustup target add {target}, and a C compiler: {}",
        machine.compiler()
    );
    let mut cargo = run::cargo();
    cargo.args(build);
    let lower = target.replace('-', "_");
    let compiler = format!("CC_{lower}");
    let linker = format!("CARGO_TARGET_{}_LINKER", lower.to_uppercase());
    let native = machine.uname() == std::env::consts::ARCH;
    // The native target links by itself, but musl has no C compiler under its own name.
    for name in [Some(compiler), (!native).then_some(linker)].into_iter().flatten() {
        if std::env::var_os(&name).is_none() {
            cargo.env(name, machine.compiler());
        }
    }
    Ok(cargo)
}
