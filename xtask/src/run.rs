//! Runs programs, and finds the workspace.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// The workspace's root, whatever the current folder is.
pub fn root() -> PathBuf {
    // From the environment at run time: clones may share one target folder, and so this program.
    let said = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = said.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    here.parent().unwrap_or(&here).to_path_buf()
}

/// The folder that cargo builds into.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into)
}

/// A command that runs in the workspace's root with this process's environment.
#[expect(clippy::disallowed_methods, reason = "the one place of xtask that names a program")]
pub fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// The cargo that started this program.
pub fn cargo() -> Command {
    program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
}

/// Runs a program to its end on this terminal.
///
/// # Errors
/// When its exit code is not 0.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start {command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}

/// Runs a program to its end and returns its stdout.
///
/// # Errors
/// When its exit code is not 0, with its last words.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command
        .output()
        .with_context(|| format!("could not start {command:?}"))?;
    let said = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "{command:?}: {}\n{}", out.status, said.trim_end());
    String::from_utf8(out.stdout).with_context(|| format!("{command:?} printed something that is not UTF-8"))
}
