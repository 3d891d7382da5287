use std::io::ErrorKind;
use std::time::Duration;

use crate::{Command, Output, RunError};

/// A failure of the next run of a program or the next write of a file.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The program does nothing and returns this output.
    Answers(Output),
    /// The program does nothing and is killed at its time limit.
    TimesOut,
    /// The program cannot be started.
    CannotStart(ErrorKind),
    /// The file is not written, for example because there is no space or the disk fails.
    CannotWrite(ErrorKind),
}

impl Fault {
    /// An exit code and a message on stderr.
    #[must_use]
    pub fn complains(code: i32, stderr: &str) -> Self {
        Self::Answers(Output {
            code,
            stdout: String::new(),
            stderr: stderr.to_owned(),
        })
    }

    pub(super) fn strike(self, command: &Command) -> (Result<Output, RunError>, Duration) {
        match self {
            Self::Answers(output) => (Ok(output), Duration::ZERO),
            Self::TimesOut => (Err(RunError::timeout(command)), command.timeout),
            Self::CannotStart(kind) | Self::CannotWrite(kind) => (
                Err(RunError::Start {
                    command: command.to_string(),
                    source: kind.into(),
                }),
                Duration::ZERO,
            ),
        }
    }
}
