//! The state folder: everything that the coordinator must not lose.

use std::fs::{OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::exclusive::Exclusive;

/// Path of the state folder, and of the files in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFolder(PathBuf);

impl StateFolder {
    /// The folder at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The SQLite database.
    pub fn database(&self) -> PathBuf {
        self.0.join("heeler.db")
    }

    /// The Unix socket for operators on this machine.
    pub fn socket(&self) -> PathBuf {
        self.0.join("heeler.sock")
    }

    /// Folder of the certificate authority.
    pub fn ca(&self) -> PathBuf {
        self.0.join("ca")
    }

    /// Folder of the coordinator's own key and certificate.
    pub fn server(&self) -> PathBuf {
        self.0.join("server")
    }

    /// Folder of an operator's key and certificate.
    pub fn operator(&self, name: &str) -> PathBuf {
        self.0.join("operators").join(name)
    }

    /// Folder of the key that signs backups.
    pub fn backup(&self) -> PathBuf {
        self.0.join("backup")
    }

    /// Folder of the key that encrypts secrets.
    pub fn secrets(&self) -> PathBuf {
        self.0.join("secrets")
    }

    /// File with the path of the folder of heeler.toml.
    pub fn config(&self) -> PathBuf {
        self.0.join("config")
    }

    /// Marker file of an unfinished `init`. While it exists, missing parts were not made yet and are not lost.
    pub(crate) fn begun(&self) -> PathBuf {
        self.0.join("begun")
    }

    /// Whether the folder holds a coordinator. Fails when only a part of it is left.
    pub fn holds(&self) -> Result<bool, Lost> {
        let key = self.ca().join("key.pem").exists();
        let database = std::fs::metadata(self.database()).is_ok_and(|about| about.len() > 0);
        match (key, database) {
            (true, true) => Ok(true),
            (false, false) => Ok(false),
            _ if self.begun().exists() => Ok(false),
            (true, false) => Err(Lost::Database(self.0.clone())),
            (false, true) => Err(Lost::Key(self.0.clone())),
        }
    }

    /// Locks the folder for this process until the lock is dropped. Fails when another process has the lock, or the
    /// file cannot be made.
    pub fn lock(&self) -> Result<Lock, LockError> {
        let path = self.0.join("lock");
        let failed = |source| LockError::File {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        let held = match Exclusive::of(file) {
            Ok(held) => held,
            Err((mut file, TryLockError::WouldBlock)) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed)?;
                let pid = holder.trim().to_owned();
                let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
                return Err(LockError::Held {
                    folder: self.0.clone(),
                    stop: stop(&pid, &groups),
                    pid,
                });
            }
            Err((_, TryLockError::Error(source))) => return Err(failed(source)),
        };
        let mut file = held.file();
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(Lock { _held: held })
    }
}

/// A missing part of the state, which only a backup or a copy brings back.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    #[error(
        "{} holds the keys of a coordinator, but its database (heeler.db), the record of all pools and disks, is lost \
         or empty. {}",
        .0.display(),
        RESTORE_HINT
    )]
    Database(PathBuf),
    #[error(
        "{} holds the database of a coordinator, but the key of its certificate authority (ca/key.pem) is lost, and \
         nodes trust no other key. {}",
        .0.display(),
        RESTORE_HINT
    )]
    Key(PathBuf),
}

const RESTORE_HINT: &str = "Restore a backup: heeler backup restore FILE --replace; or the copy on a node: heeler \
    init --recover --from NODE --replace";

/// The command that stops the process for good: systemd starts a service again that was killed. `groups` is the text
/// of its /proc/PID/cgroup (cgroups(7)).
fn stop(pid: &str, groups: &str) -> String {
    let serves = |line: &str| line.split('/').any(|part| part == SERVICE);
    match groups.lines().find(|line| serves(line)) {
        Some(line) if line.contains("/user@") => format!("systemctl --user stop {SERVICE}"),
        Some(_) => "sudo systemctl stop heeler".to_owned(),
        None => format!("kill {pid}"),
    }
}

const SERVICE: &str = "heeler.service";

/// The lock on the state folder.
#[derive(Debug)]
pub struct Lock {
    _held: Exclusive,
}

/// Why the state folder could not be locked.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(
        "another coordinator (process {pid}) uses {}. Two coordinators on one database would contradict each other. \
         Stop that one first: {stop}",
        folder.display()
    )]
    Held { folder: PathBuf, pid: String, stop: String },
    #[error("could not open {}", path.display())]
    File { path: PathBuf, source: io::Error },
}

impl LockError {
    /// The message for a command that makes a coordinator: the folder of another one was meant by mistake.
    pub fn for_a_new_one(&self) -> String {
        match self {
            Self::Held { folder, pid, .. } => format!(
                "a coordinator (process {pid}) uses this state folder: {}",
                folder.display()
            ),
            Self::File { .. } => self.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_stopped_by_systemd() {
        for (groups, command) in [
            ("0::/system.slice/heeler.service\n", "sudo systemctl stop heeler"),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/heeler.service\n",
                "systemctl --user stop heeler.service",
            ),
            ("0::/user.slice/user-1000.slice/session-3.scope\n", "kill 7"),
            ("", "kill 7"),
        ] {
            assert_eq!(stop("7", groups), command);
        }
    }

    #[test]
    fn a_second_lock_is_refused_with_the_owners_pid() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::new(folder.path());
        let lock = state.lock().unwrap();
        let refused = state.lock().unwrap_err().to_string();
        assert!(
            refused.contains(&format!("process {}", std::process::id())),
            "{refused}"
        );
        drop(lock);
        state.lock().unwrap();
    }
}
