//! Builds the Debian packages from packaging/: the agent for both architectures, and the coordinator for this
//! machine.

mod deb;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use self::deb::Deb;
use crate::size::Machine;
use crate::{run, size};

#[derive(clap::Args)]
pub struct PackageOptions {
    /// Debug builds, for this machine alone: the same packages, sooner
    #[arg(long)]
    quick: bool,
    /// The packages' version, in place of the workspace's
    #[arg(long)]
    version: Option<String>,
    /// Where they go, in place of target/deb
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Builds all packages for the given options.
pub fn run(options: &PackageOptions) -> Result<()> {
    let out = options.out.clone().unwrap_or_else(|| run::target_dir().join("deb"));
    fs::create_dir_all(&out)?;
    let version = options.version.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"));
    let here = run::output(run::program("dpkg").arg("--print-architecture"))?;
    let bare = tempfile::tempdir()?;
    let heeler = heeler(options.quick, bare.path())?;
    let agents = agents(options.quick, bare.path())?;
    for (machine, agent) in &agents {
        let deb = Deb::begin("agent", version, machine.debian())?;
        deb.program(agent, "usr/sbin/heeler-agent")?;
        println!("{}", deb.build(&out)?.display());
    }
    let deb = Deb::begin("coordinator", version, here.trim())?;
    deb.program(&heeler, "usr/bin/heeler")?;
    for (machine, agent) in &agents {
        deb.program(agent, &format!("usr/lib/heeler/heeler-agent-{}", machine.uname()))?;
    }
    deb.manual(&heeler)?;
    for (shell, place) in [
        ("bash", "usr/share/bash-completion/completions/heeler"),
        ("zsh", "usr/share/zsh/vendor-completions/_heeler"),
        ("fish", "usr/share/fish/vendor_completions.d/heeler.fish"),
    ] {
        let script = run::output(run::program(&heeler.display().to_string()).args(["completions", shell]))?;
        deb.write(place, script.as_bytes())?;
    }
    println!("{}", deb.build(&out)?.display());
    Ok(())
}

fn heeler(quick: bool, bare: &Path) -> Result<PathBuf> {
    let profile = if quick { "dev" } else { "release" };
    run::run(run::cargo().args(["build", "--locked", "--package", "heeler", "--profile", profile]))?;
    stripped(
        &run::target_dir()
            .join(if quick { "debug" } else { "release" })
            .join("heeler"),
        bare,
    )
}

fn agents(quick: bool, bare: &Path) -> Result<Vec<(Machine, PathBuf)>> {
    if !quick {
        let both = [Machine::Aarch64, Machine::X86_64];
        return both
            .into_iter()
            .map(|machine| Ok((machine, size::build_agent(machine)?)))
            .collect();
    }
    run::run(run::cargo().args(["build", "--locked", "--package", "heeler-agent"]))?;
    let here = if cfg!(target_arch = "aarch64") {
        Machine::Aarch64
    } else {
        Machine::X86_64
    };
    Ok(vec![(
        here,
        stripped(&run::target_dir().join("debug/heeler-agent"), bare)?,
    )])
}

/// Copies the program without its symbols into `folder`, and returns the copy's path.
fn stripped(program: &Path, folder: &Path) -> Result<PathBuf> {
    let bare = folder.join(program.file_name().unwrap_or_default());
    run::run(
        run::program("strip")
            .args(["--strip-unneeded", "-o"])
            .arg(&bare)
            .arg(program),
    )?;
    Ok(bare)
}
