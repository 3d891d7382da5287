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
pub fn hold_command(tag: &str, snapshot: &str) -> Command {
    Command::change("zfs").args(["hold", tag, snapshot])
}

/// `zfs release TAG DATASET@NAME`.
pub fn release_command(tag: &str, snapshot: &str) -> Command {
    Command::change("zfs").args(["release", tag, snapshot])
}

/// `zfs holds -Hp DATASET@NAME…`.
pub fn holds_command(snapshots: &[String]) -> Command {
    Command::look("zfs")
        .args(["holds", "-Hp"])
        .args(snapshots.iter().map(String::as_str))
}

/// The holds on these snapshots. Fails when one of them does not exist, or the output cannot be read.
pub async fn holds(host: &dyn System, snapshots: &[String]) -> Result<Vec<Hold>, RunError> {
    let command = holds_command(snapshots);
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
