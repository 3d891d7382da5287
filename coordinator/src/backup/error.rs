use std::io;
use std::path::{Path, PathBuf};

use heeler_store::StoreError;

use crate::pki::PkiError;
use crate::state::{LockError, Lost};

/// Why a backup or a restore failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder could not be used.
    #[error("could not {what} {}", path.display())]
    File {
        /// The attempt, as a verb: "read", "write".
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The disk is full.
    #[error(
        "there is no room to {what} {}. Make room on that disk (df -h), or name another folder (for a temporary copy: \
         TMPDIR=FOLDER)",
        path.display()
    )]
    NoRoom {
        /// The attempt, as a verb: "read", "write".
        what: &'static str,
        /// The file that did not fit.
        path: PathBuf,
    },
    /// The state folder holds no coordinator.
    #[error("{} holds no coordinator. Make one: heeler init", .0.display())]
    NoCoordinator(PathBuf),
    /// Part of the coordinator's state is missing.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// There is no recovery key, so nobody could open the backup.
    #[error(
        "this coordinator has no recovery key yet. Make one: heeler init, or encrypt with a passphrase: --passphrase"
    )]
    NoRecoveryKey,
    /// Another process uses the state folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A key or certificate failed.
    #[error("could not use the coordinator's keys")]
    Pki(#[from] PkiError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is not a backup, or is damaged.
    #[error("this is not a heeler backup, or it is damaged: {0}. Use another one; each backup is complete by itself")]
    Damaged(String),
    /// The backup is encrypted for another key or passphrase.
    #[error(
        "this key does not open the backup: it was encrypted for another one. Look for heeler-recovery-CLUSTER.txt of that cluster"
    )]
    WrongKey,
    /// The text holds no recovery key.
    #[error(
        "this is not a recovery key: a recovery key is one line that begins with AGE-SECRET-KEY-1, in heeler-recovery-CLUSTER.txt"
    )]
    NoKey,
    /// The file for the recovery key exists and holds something else.
    #[error(
        "{} exists, and is not a recovery key: no line of it begins with AGE-SECRET-KEY-1. Name another file: \
         --recovery FILE, or move that one away",
        .0.display()
    )]
    NoKeyIn(PathBuf),
    /// Another coordinator signed the backup.
    #[error(
        "the backup was not made by the coordinator that this recovery key belongs to: it is not used. If you are \
         sure that it is the right backup, give only the key's AGE-SECRET-KEY line"
    )]
    OtherSigner,
    /// The state folder holds a coordinator, and `replace` is not set.
    #[error(
        "{} holds a coordinator already. To replace it with the backup: --replace (the existing state is kept in a \
         folder beside it)",
        .0.display()
    )]
    Occupied(PathBuf),
    /// The backup is of another cluster than heeler.toml.
    #[error("the backup is of the cluster {found:?}, not {wanted:?}")]
    OtherCluster {
        /// Cluster name in the backup.
        found: String,
        /// Cluster name in heeler.toml.
        wanted: String,
    },
    /// A file that every backup needs is missing, too large, or no file; or its name is too long.
    #[error(
        "{} would be missing from the backup: it must be there, a file or a link to one, of at most 1 MiB and with a \
         path of at most 100 bytes in the state folder",
        .0.display()
    )]
    NotSaved(PathBuf),
    /// The new backup could not be read back.
    #[error(
        "the new backup could not be read back completely: {0}. It was removed. Try again; if it fails again, check \
         the disk: journalctl -k"
    )]
    NotWhole(String),
    /// The state folder is a mount point, so it cannot be renamed.
    #[error(
        "{} is a mount point, and cannot be moved aside for the restored state. Name a folder in it, here and for \
         heeler serve: --state {}; or unmount it first",
        .0.display(),
        .0.join("state").display()
    )]
    MountPoint(PathBuf),
    /// The folder above is not writable.
    #[error(
        "{} cannot be replaced: this user may not write to the folder above it. Run it as its owner or as root \
         (sudo), or name another folder: --state DIR",
        .0.display()
    )]
    Fixed(PathBuf),
    /// Another restore into the same folder is running.
    #[error(
        "another restore into {} is running, or has just ended: check its result before you restore again",
        .0.display()
    )]
    Restoring(PathBuf),
    /// A thin backup is larger than its limit.
    #[error("the state would fill {bytes} bytes and {most} are allowed here")]
    TooLarge {
        /// Size of the encrypted file, in bytes.
        bytes: u64,
        /// The limit, in bytes.
        most: u64,
    },
}

/// `.map_err(failed("read", path))`
pub(super) fn failed(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.into();
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BackupError::NoRoom { what, path },
        _ => BackupError::File { what, path, source },
    }
}

/// `.map_err(stored("copy the database to", path))`
pub(super) fn stored(what: &'static str, path: &Path) -> impl FnOnce(StoreError) -> BackupError {
    move |error| match error {
        StoreError::Full(_) => BackupError::NoRoom {
            what,
            path: path.to_owned(),
        },
        other => other.into(),
    }
}

pub(super) fn damaged(why: impl Into<String>) -> BackupError {
    BackupError::Damaged(why.into())
}
