use std::io;
use std::path::{Path, PathBuf};

use heeler_store::StoreError;

use crate::pki::PkiError;
use crate::state::{LockError, Lost};

/// Why a backup or a restore failed. Nothing was changed.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("could not {what} {}", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "there is no room to {what} {}. Make room on that disk (df -h), or name another folder (for a temporary copy: \
         TMPDIR=FOLDER)",
        path.display()
    )]
    NoRoom { what: &'static str, path: PathBuf },
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
    #[error("could not use the coordinator's keys")]
    Pki(#[from] PkiError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("this is not a heeler backup, or it is damaged: {0}. Use another one; each backup is complete by itself")]
    Damaged(String),
    #[error(
        "this key does not open the backup: it was encrypted for another one. Look for heeler-recovery-CLUSTER.txt of that cluster"
    )]
    WrongKey,
    #[error(
        "this is not a recovery key: a recovery key is one line that begins with AGE-SECRET-KEY-1, in heeler-recovery-CLUSTER.txt"
    )]
    NoKey,
    #[error(
        "{} exists, and is not a recovery key: no line of it begins with AGE-SECRET-KEY-1. Name another file: \
         --recovery FILE, or move that one away",
        .0.display()
    )]
    NoKeyIn(PathBuf),
    #[error(
        "the backup was not made by the coordinator that this recovery key belongs to: it is not used. If you are \
         sure that it is the right backup, give only the key's AGE-SECRET-KEY line"
    )]
    OtherSigner,
    #[error(
        "{} holds a coordinator already. To replace it with the backup: --replace (the existing state is kept in a \
         folder beside it)",
        .0.display()
    )]
    Occupied(PathBuf),
    #[error("the backup is of the cluster {found:?}, not {wanted:?}")]
    OtherCluster { found: String, wanted: String },
    /// A file that every backup needs is missing, too large, or no file; or its name is too long.
    #[error(
        "{} would be missing from the backup: it must be there, a file or a link to one, of at most 1 MiB and with a \
         path of at most 100 bytes in the state folder",
        .0.display()
    )]
    NotSaved(PathBuf),
    #[error(
        "the new backup could not be read back completely: {0}. It was removed. Try again; if it fails again, check \
         the disk: journalctl -k"
    )]
    NotWhole(String),
    #[error(
        "{} is a mount point, and cannot be moved aside for the restored state. Name a folder in it, here and for \
         heeler serve: --state {}; or unmount it first",
        .0.display(),
        .0.join("state").display()
    )]
    MountPoint(PathBuf),
    #[error(
        "{} cannot be replaced: this user may not write to the folder above it. Run it as its owner or as root \
         (sudo), or name another folder: --state DIR",
        .0.display()
    )]
    Fixed(PathBuf),
    #[error(
        "another restore into {} is running, or has just ended: check its result before you restore again",
        .0.display()
    )]
    Restoring(PathBuf),
    #[error("the state would fill {bytes} bytes and {most} are allowed here")]
    TooLarge {
        /// Size of the encrypted file, in bytes.
        bytes: u64,
        /// The limit, in bytes.
        most: u64,
    },
}

/// What this part returns, unless it names another error.
pub(super) type Result<T, E = BackupError> = std::result::Result<T, E>;

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

pub(super) fn damaged(why: impl Into<Box<dyn std::error::Error>>) -> BackupError {
    BackupError::Damaged(why.into().to_string())
}
