//! `stat`: the room of a file system.

use crate::ask::ask;
use crate::{Command, RunError, System};

/// `stat` of the file system that holds `path`: free blocks for programs without privileges, and their size.
pub fn free_command(path: &str) -> Command {
    Command::look("stat").args(["--file-system", "--format=%a %S", path])
}

/// The free bytes of the file system that holds `path`. Fails when the path does not exist, or stat prints no numbers.
pub async fn free_bytes(host: &dyn System, path: &str) -> Result<u64, RunError> {
    let command = free_command(path);
    let output = ask(host, &command).await?;
    let numbers = output.stdout.trim().split_once(' ');
    let bytes = numbers.and_then(|(count, size)| count.parse::<u64>().ok()?.checked_mul(size.parse().ok()?));
    bytes.ok_or_else(|| RunError::unreadable(&command, "no two numbers"))
}
