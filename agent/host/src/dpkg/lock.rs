use std::fmt;

use crate::ask::ask;
use crate::{Command, RunError, System};

/// apt, dpkg and unattended-upgrades hold a lock on this file while they work.
pub const FRONTEND_LOCK: &str = "/var/lib/dpkg/lock-frontend";

/// Who holds dpkg's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process id.
    pub process: u32,
    /// The first 15 characters of its program's name: `unattended-upgr`.
    pub program: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.program, self.process)
    }
}

/// `lslocks` of all locks: process, inode, device, program. Its path is empty for a program that the agent may not
/// trace.
pub fn locks_command() -> Command {
    let columns = "PID,INODE,MAJ:MIN,COMMAND";
    Command::look("lslocks").args(["--noheadings", "--raw", "--notruncate", "--output", columns])
}

/// `stat` of the lock file: its inode and its device. A container has another one at the same path.
pub fn inode_command() -> Command {
    Command::look("stat").args(["--format=%i %Hd:%Ld", FRONTEND_LOCK])
}

/// Who installs or removes packages now; None when nobody does. Fails when the locks cannot be listed.
pub async fn lock_holder(host: &dyn System) -> Result<Option<Holder>, RunError> {
    let locks = ask(host, &locks_command()).await?;
    if locks.stdout.is_empty() {
        return Ok(None);
    }
    let file = host.run(&inode_command()).await?;
    // It does not exist before dpkg has run.
    let file = file.stdout.trim();
    Ok(locks
        .stdout
        .lines()
        .filter(|_| !file.is_empty())
        .find_map(|line| holder(line, file)))
}

/// The holder of the lock in this line, when it is one of this file.
fn holder(line: &str, file: &str) -> Option<Holder> {
    let (process, rest) = line.split_once(' ')?;
    let program = rest.strip_prefix(file)?.strip_prefix(' ')?;
    Some(Holder {
        process: process.parse().ok()?,
        // lslocks prints a space as this.
        program: program.trim_end().replace("\\x20", " "),
    })
}
