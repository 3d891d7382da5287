//! Runs programs, and finds the workspace.

use std::path::{Path, PathBuf};
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

/// Runs a program to its end on this terminal. Fails when its exit code is not 0.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start {command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}

/// Runs a program to its end and returns its stdout. Fails when its exit code is not 0, with its last words.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command
        .output()
        .with_context(|| format!("could not start {command:?}"))?;
    let said = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "{command:?}: {}\n{}", out.status, said.trim_end());
    String::from_utf8(out.stdout).with_context(|| format!("{command:?} printed something that is not UTF-8"))
}

/// Every file at or below a path, sorted; none when there is no such path.
pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let listed = output(program("find").arg(path).args(["-type", "f"]))?;
    let mut found: Vec<_> = listed.lines().map(PathBuf::from).collect();
    found.sort();
    Ok(found)
}

/// Fails when rules are broken, with one line for each.
pub fn no_rule_broken(broken: &[String]) -> Result<()> {
    let count = broken.len();
    ensure!(count == 0, "{count} rules broken:\n  {}", broken.join("\n  "));
    Ok(())
}
