use std::fmt;
use std::time::Duration;

use crate::Secret;

/// A program to run, as data. The program's name is a literal in this source, so no message from the network can
/// choose one, and no shell is involved.
///
/// Unless [`crate::person`] runs it, its environment is `LC_ALL=C.UTF-8`, `LANG=C.UTF-8`,
/// `PATH=/usr/sbin:/usr/bin:/sbin:/bin`, [`Command::environment`] and nothing else; its working folder is `/`. It is killed at its time limit, and
/// when the caller's future is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program's name without a path.
    pub program: &'static str,
    /// The arguments. They never hold a secret: everybody can read `/proc/*/cmdline`.
    pub args: Vec<String>,
    /// Variables that are added to its environment: literals in this source, like the program.
    pub environment: &'static [(&'static str, &'static str)],
    /// Its standard input.
    pub stdin: Stdin,
    /// The time limit, after which it is killed.
    pub timeout: Duration,
    /// Whether it may change the machine. A look at a machine refuses such a command.
    pub changes: bool,
    /// Whether it waits until no other such command of this agent runs; the wait is limited to `timeout` too.
    pub alone: bool,
}

/// The standard input of a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stdin {
    /// `/dev/null`.
    #[default]
    Null,
    /// Bytes that are never shown or logged.
    Secret(Secret<Vec<u8>>),
}

impl Command {
    /// A command line that only reads: `program` without arguments, with a time limit of 60 s.
    pub const fn look(program: &'static str) -> Self {
        Self {
            program,
            args: Vec::new(),
            environment: &[],
            stdin: Stdin::Null,
            timeout: Duration::from_secs(60),
            changes: false,
            alone: false,
        }
    }

    /// A command line that may change the machine: `program` without arguments, with a time limit of 60 s.
    pub const fn change(program: &'static str) -> Self {
        let mut command = Self::look(program);
        command.changes = true;
        command
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets [`Command::environment`].
    #[must_use]
    pub const fn environment(mut self, environment: &'static [(&'static str, &'static str)]) -> Self {
        self.environment = environment;
        self
    }

    /// Sets the time limit.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets [`Command::alone`].
    #[must_use]
    pub const fn alone(mut self) -> Self {
        self.alone = true;
        self
    }
}

/// As it would be typed into a shell.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.environment {
            write!(f, "{name}={value} ")?;
        }
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

/// The result of a program that ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// The exit code; 128 + n when signal n ended it.
    pub code: i32,
    /// Standard output; invalid UTF-8 is replaced.
    pub stdout: String,
    /// Standard error; invalid UTF-8 is replaced.
    pub stderr: String,
}

impl Output {
    /// Whether the exit code is 0. Some programs exit with 0 after a failure: see the module of each.
    pub const fn ok(&self) -> bool {
        self.code == 0
    }

    /// The last lines of stderr that are not empty, at most three; of stdout when stderr is empty. A usage text below
    /// them is left out: it is no cause.
    pub fn complaint(&self) -> String {
        let text = if self.stderr.trim().is_empty() {
            &self.stdout
        } else {
            &self.stderr
        };
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let usage = lines
            .iter()
            .position(|line| line.starts_with("usage:") || line.starts_with("Usage:"));
        let lines = match usage {
            None | Some(0) => &lines,
            Some(usage) => &lines[..usage],
        };
        lines[lines.len().saturating_sub(3)..].join(" / ")
    }
}

/// A program that could not run, failed, or printed something unexpected; or a file that could not be accessed.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{program} is not installed on this machine")]
    Missing {
        /// Its name without a path, such as `zpool`.
        program: &'static str,
    },
    #[error("could not start {command}")]
    Start { command: String, source: std::io::Error },
    /// The program did not end within its time limit and was killed.
    #[error("{command} did not finish in {seconds} s and was killed")]
    Timeout {
        command: String,
        /// The time limit in seconds.
        seconds: u64,
    },
    #[error("{command} ended with {code}: {complaint}")]
    Failed {
        command: String,
        /// The exit code; 128 + n for signal n.
        code: i32,
        /// [`Output::complaint`].
        complaint: String,
    },
    #[error("could not read what {command} printed: {problem}")]
    Unreadable { command: String, problem: String },
    #[error("could not access {path}")]
    File { path: String, source: std::io::Error },
}

impl RunError {
    /// An error: `command` exceeded its time limit.
    pub fn timeout(command: &Command) -> Self {
        Self::Timeout {
            command: command.to_string(),
            seconds: command.timeout.as_secs(),
        }
    }

    /// An error: `command` ended with `output`.
    pub fn failed(command: &Command, output: &Output) -> Self {
        Self::Failed {
            command: command.to_string(),
            code: output.code,
            complaint: output.complaint(),
        }
    }

    /// An error: `path` could not be read or written.
    pub fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File {
            path: path.display().to_string(),
            source,
        }
    }

    /// An error: `command` printed something unexpected, described by `problem`.
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

    fn complaint(stderr: &str) -> String {
        let output = Output {
            code: 2,
            stderr: stderr.to_owned(),
            ..Output::default()
        };
        output.complaint()
    }

    #[test]
    fn a_usage_text_is_not_the_complaint() {
        let zfs = "cannot open 'tank/x': dataset does not exist\nusage:\n\tsnapshot [-r] <snap> ...\n\n\
                   For the property list, run: zfs set|get\n\nFor further help, run: zfs help [<topic>]\n";
        assert_eq!(complaint(zfs), "cannot open 'tank/x': dataset does not exist");
        let sfdisk = "sfdisk: cannot open x\n\nUsage:\n sfdisk [options] <dev>\n";
        assert_eq!(complaint(sfdisk), "sfdisk: cannot open x");
    }

    #[test]
    fn an_error_below_the_usage_text_is_the_complaint() {
        let netplan = "usage: netplan [-h] [--debug]\nnetplan: error: unrecognized arguments: --x\n";
        assert!(
            complaint(netplan).ends_with("unrecognized arguments: --x"),
            "{}",
            complaint(netplan)
        );
    }

    #[test]
    fn a_command_prints_as_a_person_would_type_it() {
        let command = Command::look("zfs").args(["get", "a b", "it's", ""]);
        assert_eq!(command.to_string(), r"zfs get 'a b' 'it'\''s' ''");
        let quiet = Command::change("apt-get").environment(&[("DEBIAN_FRONTEND", "noninteractive")]);
        assert_eq!(quiet.to_string(), "DEBIAN_FRONTEND=noninteractive apt-get");
    }
}
