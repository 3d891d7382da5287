use std::io::ErrorKind;
use std::time::Duration;

use crate::{Command, Output, RunError};

/// What goes wrong the next time that a program is run or a file is written.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It answers this and does nothing: an error, or garbage.
    Answers(Output),
    /// It is killed when its time is over, and did nothing.
    TimesOut,
    /// It cannot be started.
    CannotStart(ErrorKind),
    /// A file is not written: no space left, input/output error.
    CannotWrite(ErrorKind),
}

impl Fault {
    /// An exit code and words on stderr.
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
