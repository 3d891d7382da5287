//! `findmnt`: mounts.

use serde_json::Value;

use crate::ask::ask;
use crate::{Command, RunError, System, json};

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// A device, a dataset, or a word such as `tmpfs`.
    pub source: String,
    /// The mountpoint.
    pub target: String,
    /// The file system's type: ext4, vfat, zfs…
    pub kind: String,
}

/// `findmnt -J -v -o SOURCE,TARGET,FSTYPE`.
pub fn command() -> Command {
    Command::look("findmnt").args(["-J", "-v", "-o", "SOURCE,TARGET,FSTYPE"])
}

/// All mounts, parents before children. Fails when the program fails, or its output cannot be read.
pub async fn mounts(host: &dyn System) -> Result<Vec<Mount>, RunError> {
    let command = command();
    let output = ask(host, &command).await?;
    parse(&command, &output.stdout)
}

/// `findmnt -J -b -o SIZE,AVAIL /`: asks no other file system, which could hang.
pub fn root_command() -> Command {
    Command::look("findmnt").args(["-J", "-b", "-o", "SIZE,AVAIL", "/"])
}

/// Size and free bytes of the file system at `/`, for a process without privileges. Fails when the program fails, or
/// its output cannot be read.
pub async fn root_bytes(host: &dyn System) -> Result<(u64, u64), RunError> {
    let command = root_command();
    let output = ask(host, &command).await?;
    let value = json::parse(&command, &output.stdout)?;
    let root = json::list(&value, "filesystems").last();
    root.and_then(|root| Some((json::number(root, "size")?, json::number(root, "avail")?)))
        .ok_or_else(|| RunError::unreadable(&command, "no size in it"))
}

pub(crate) fn parse(command: &Command, text: &str) -> Result<Vec<Mount>, RunError> {
    let value = json::parse(command, text)?;
    let mut mounts = Vec::new();
    for one in json::list(&value, "filesystems") {
        collect(one, &mut mounts);
    }
    match mounts.iter().any(|mount| mount.target == "/") {
        true => Ok(mounts),
        false => Err(RunError::unreadable(command, "not even / is in it")),
    }
}

/// A mount without a target is kept: its device is in use.
fn collect(mount: &Value, mounts: &mut Vec<Mount>) {
    mounts.push(Mount {
        source: json::text(mount, "source").unwrap_or_default().to_owned(),
        target: json::text(mount, "target").unwrap_or("an unknown place").to_owned(),
        kind: json::text(mount, "fstype").unwrap_or_default().to_owned(),
    });
    for child in json::list(mount, "children") {
        collect(child, mounts);
    }
}
