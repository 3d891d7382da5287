use crate::ask::ask;
use crate::{Command, RunError, System};

/// A hold: a tag that prevents the destruction of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// `DATASET@NAME`.
    pub snapshot: String,
    /// The tag, which says whose hold it is or why.
    pub tag: String,
    /// When it was set, Unix seconds.
    pub since_s: u64,
}

/// `zfs hold TAG DATASET@NAME`.
#[must_use]
pub fn hold_command(tag: &str, snapshot: &str) -> Command {
    Command::change("zfs").args(["hold", tag, snapshot])
}

/// `zfs release TAG DATASET@NAME`.
#[must_use]
pub fn release_command(tag: &str, snapshot: &str) -> Command {
    Command::change("zfs").args(["release", tag, snapshot])
}

/// `zfs holds -Hp DATASET@NAME`.
#[must_use]
pub fn holds_command(snapshot: &str) -> Command {
    Command::look("zfs").args(["holds", "-Hp", snapshot])
}

/// The holds on a snapshot.
///
/// # Errors
/// When there is no such snapshot, or the output cannot be read.
pub async fn holds(host: &dyn System, snapshot: &str) -> Result<Vec<Hold>, RunError> {
    let command = holds_command(snapshot);
    let output = ask(host, &command).await?;
    let read = |line: &str| {
        let mut fields = line.split('\t');
        Some(Hold {
            snapshot: fields.next()?.to_owned(),
            tag: fields.next()?.to_owned(),
            since_s: fields.next()?.parse().ok()?,
        })
    };
    let lines = output.stdout.lines();
    lines
        .map(|line| read(line).ok_or_else(|| RunError::unreadable(&command, format!("the line {line:?}"))))
        .collect()
}
