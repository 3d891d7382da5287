use std::fmt;
use std::time::Duration;

use crate::Secret;

/// A program to run, as data. The program's name is a literal of this source: no message from the network can name one,
/// and there is no shell.
///
/// It runs with `LC_ALL=C.UTF-8`, `LANG=C.UTF-8`, `PATH=/usr/sbin:/usr/bin:/sbin:/bin`, nothing else in its
/// environment, `/` as its folder, and is killed when its time is over or its caller goes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Without a path.
    pub program: &'static str,
    /// Never holds a secret: `/proc/*/cmdline` is for all to read.
    pub args: Vec<String>,
    /// What the program reads.
    pub stdin: Stdin,
    /// After it the program is killed.
    pub timeout: Duration,
    /// Waits until no other such program of this agent runs, for as long as it may take itself.
    pub alone: bool,
}

/// What a program reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stdin {
    /// `/dev/null`.
    #[default]
    Null,
    /// Bytes that nobody may see.
    Secret(Secret<Vec<u8>>),
}

impl Command {
    /// `program` without arguments; a minute to finish.
    #[must_use]
    pub const fn new(program: &'static str) -> Self {
        Self {
            program,
            args: Vec::new(),
            stdin: Stdin::Null,
            timeout: Duration::from_secs(60),
            alone: false,
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Another time to finish in.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Never at the same time as another one that is to be alone.
    #[must_use]
    pub const fn alone(mut self) -> Self {
        self.alone = true;
        self
    }
}

/// As a person would type it.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        for arg in &self.args {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
            if !arg.is_empty() && arg.chars().all(plain) {
                write!(f, " {arg}")?;
            } else {
                write!(f, " '{}'", arg.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}

/// What a program left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// Exit code; 128 + n when signal n ended it.
    pub code: i32,
    /// As text: invalid UTF-8 is replaced.
    pub stdout: String,
    /// Standard error; bytes that are no UTF-8 are replaced.
    pub stderr: String,
}

impl Output {
    /// Whether the exit code is 0. Some programs lie: see each module.
    #[must_use]
    pub const fn ok(&self) -> bool {
        self.code == 0
    }

    /// The last words on stderr, or on stdout when that is empty: at most three lines.
    #[must_use]
    pub fn complaint(&self) -> String {
        let text = if self.stderr.trim().is_empty() {
            &self.stdout
        } else {
            &self.stderr
        };
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(3)..].join(" / ")
    }
}

/// A program that did not get as far as an exit code, or whose answer makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is not installed.
    #[error("{program} is not installed on this node")]
    Missing {
        /// Without a path, such as `zpool`.
        program: &'static str,
    },
    /// It could not be started.
    #[error("could not start {command}")]
    Start {
        /// The program and its arguments, for a person to read.
        command: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// It took too long and was killed.
    #[error("{command} did not finish in {seconds} s and was killed")]
    Timeout {
        /// The program and its arguments, for a person to read.
        command: String,
        /// What it had.
        seconds: u64,
    },
    /// It ended with an error.
    #[error("{command} ended with {code}: {complaint}")]
    Failed {
        /// The program and its arguments, for a person to read.
        command: String,
        /// Exit code.
        code: i32,
        /// [`Output::complaint`].
        complaint: String,
    },
    /// It printed something that we cannot read.
    #[error("could not read what {command} printed: {problem}")]
    Unreadable {
        /// The program and its arguments, for a person to read.
        command: String,
        /// What was found.
        problem: String,
    },
    /// A file that had to be read or written could not be.
    #[error("could not access {path}")]
    File {
        /// The file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

impl RunError {
    /// `command` took too long.
    #[must_use]
    pub fn timeout(command: &Command) -> Self {
        Self::Timeout {
            command: command.to_string(),
            seconds: command.timeout.as_secs(),
        }
    }

    /// `output` of `command` is an error.
    #[must_use]
    pub fn failed(command: &Command, output: &Output) -> Self {
        Self::Failed {
            command: command.to_string(),
            code: output.code,
            complaint: output.complaint(),
        }
    }

    /// `path` could not be read or written.
    #[must_use]
    pub fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File {
            path: path.display().to_string(),
            source,
        }
    }

    /// `command` printed something else than expected.
    #[must_use]
    pub fn unreadable(command: &Command, problem: impl Into<String>) -> Self {
        Self::Unreadable {
            command: command.to_string(),
            problem: problem.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_prints_as_a_person_would_type_it() {
        let command = Command::new("zfs").args(["get", "a b", "it's", ""]);
        assert_eq!(command.to_string(), r"zfs get 'a b' 'it'\''s' ''");
    }
}
