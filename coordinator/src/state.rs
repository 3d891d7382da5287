//! The state folder: where the coordinator keeps what must not be lost.

use std::fs::{OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::exclusive::Exclusive;

/// Its files, each at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFolder(PathBuf);

impl StateFolder {
    /// The folder at `path`, there or not.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("heeler.db")
    }

    /// The operators' socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("heeler.sock")
    }

    /// The certificate authority.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.0.join("ca")
    }

    /// The coordinator's own identity.
    #[must_use]
    pub fn server(&self) -> PathBuf {
        self.0.join("server")
    }

    /// An operator's identity.
    #[must_use]
    pub fn operator(&self, name: &str) -> PathBuf {
        self.0.join("operators").join(name)
    }

    /// The key that signs backups.
    #[must_use]
    pub fn backup(&self) -> PathBuf {
        self.0.join("backup")
    }

    /// The key that seals secrets.
    #[must_use]
    pub fn secrets(&self) -> PathBuf {
        self.0.join("secrets")
    }

    /// Holds the path of the config folder.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("config")
    }

    /// There while a coordinator is being made: what is missing meanwhile was never there.
    #[must_use]
    pub(crate) fn begun(&self) -> PathBuf {
        self.0.join("begun")
    }

    /// Whether a coordinator is there.
    ///
    /// # Errors
    /// When a part of it is, which has lost the other.
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

    /// Takes the folder for this process alone, until the lock is dropped.
    ///
    /// # Errors
    /// When another process has it, or the file cannot be made.
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
                return Err(LockError::Held {
                    folder: self.0.clone(),
                    pid: holder.trim().to_owned(),
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

/// What a state folder has lost. Nothing takes its place but a backup.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The database.
    #[error(
        "{} holds the keys of a coordinator, but its database (heeler.db), the record of all pools and disks, is lost \
         or empty. {}",
        .0.display(),
        RESTORE_HINT
    )]
    Database(PathBuf),
    /// The key of the certificate authority.
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

/// This process alone works on the state folder.
#[derive(Debug)]
pub struct Lock {
    _held: Exclusive,
}

/// Why the state folder is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another one has it.
    #[error(
        "another coordinator (process {pid}) uses {}. Two coordinators on one database would contradict each other. \
         Stop that one first: kill {pid}",
        folder.display()
    )]
    Held {
        /// Which folder.
        folder: PathBuf,
        /// Whose it is.
        pid: String,
    },
    /// No lock file.
    #[error("could not open {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_refused_and_told_who_has_it() {
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
