//! Runs programs and reads their output.

use std::ffi::OsStr;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

/// Result of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Exit code; 128 + signal when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Whether the exit code is 0.
    pub fn ok(&self) -> bool {
        self.code == 0
    }

    /// stdout, or an error with the end of the output. Fails when the exit code is not 0.
    pub fn success(self) -> Result<String> {
        if self.ok() {
            return Ok(self.stdout);
        }
        let said = if self.stderr.trim().is_empty() {
            &self.stdout
        } else {
            &self.stderr
        };
        let mut tail: Vec<&str> = said.lines().rev().take(12).collect();
        tail.reverse();
        bail!("exit code {}: {}", self.code, tail.join("\n"))
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let code = output
            .status
            .code()
            .unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0));
        Self {
            code,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A program with its arguments, not started yet.
pub fn program(name: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(name);
    command.args(args);
    command
}

/// Runs it to its end and captures stdout and stderr. Fails when the program cannot be started.
pub fn finish(command: &mut Command) -> Result<Finished> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot start {name}; is it installed?"))?;
    Ok(output.into())
}

/// Runs it to its end and returns stdout. Fails when it cannot be started or its exit code is not 0.
pub fn must(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    finish(command)?.success().with_context(|| format!("ran {shown}"))
}
