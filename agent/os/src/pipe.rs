use crate::run::{finish, fixed, start};
use crate::{Command, Output, RunError};

/// The results of two programs, of which one read what the other printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Piped {
    /// Of the program that printed; without its standard output.
    pub from: Output,
    /// Of the program that read.
    pub into: Output,
}

impl Piped {
    /// Whether both exit codes are 0: a reader may succeed with the first part of what a failed program printed.
    pub const fn ok(&self) -> bool {
        self.from.ok() && self.into.ok()
    }
}

/// Runs two programs at the same time, with the output of `from` as the input of `into`; the bytes never pass through
/// this process. When `into` ends first, `from` gets SIGPIPE. An exit code other than 0 is not an error. Both are
/// killed when one reaches its time limit, and when the future is dropped. Its errors are those of [`crate::run()`], of
/// either program.
pub async fn pipe(from: &Command, into: &Command) -> Result<Piped, RunError> {
    let failed = |source| RunError::Start {
        command: format!("{from} | {into}"),
        source,
    };
    let (reader, writer) = std::io::pipe().map_err(failed)?;
    let first = start(from, fixed(from).stdout(writer))?;
    let second = start(into, fixed(into).stdin(reader))?;
    let both = tokio::try_join!(finish(from, first), finish(into, second));
    both.map(|(from, into)| Piped { from, into })
}
