//! `chattr` and `lsattr`: the immutable attribute, which keeps a mountpoint empty while nothing is mounted there.

use crate::ask::ask;
use crate::{Command, RunError, System};

/// `chattr +i PATH`: nothing can be created in the folder; a file system can still be mounted on it.
pub fn immutable_command(path: &str) -> Command {
    Command::change("chattr").args(["+i", path])
}

/// `lsattr -d PATH`: the attributes of the folder itself.
pub fn list_command(path: &str) -> Command {
    Command::look("lsattr").args(["-d", path])
}

/// Whether a folder is immutable. While something is mounted on it, the answer is about the root of that file system.
/// Fails when the folder does not exist, or its file system has no such attributes.
pub async fn is_immutable(host: &dyn System, path: &str) -> Result<bool, RunError> {
    let command = list_command(path);
    let output = ask(host, &command).await?;
    let flags = output.stdout.split_whitespace().next();
    let flags = flags.ok_or_else(|| RunError::unreadable(&command, "it is empty"))?;
    Ok(flags.contains('i'))
}
