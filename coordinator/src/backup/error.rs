use std::io;
use std::path::{Path, PathBuf};

use heeler_store::StoreError;

use crate::pki::PkiError;
use crate::state::{LockError, Lost};

/// Why there is no backup, or nothing comes out of one. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or a folder.
    #[error("could not {what} {}", path.display())]
    File {
        /// read, write…
        what: &'static str,
        /// Which.
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
        /// read, write…
        what: &'static str,
        /// Which file.
        path: PathBuf,
    },
    /// The state folder holds nothing to save.
    #[error("{} holds no coordinator. Make one: heeler init", .0.display())]
    NoCoordinator(PathBuf),
    /// Half of what was there.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// Nobody could open what would be sealed.
    #[error("this coordinator has no recovery key yet. Make one: heeler init, or seal with a passphrase: --passphrase")]
    NoRecoveryKey,
    /// Another coordinator works there.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Keys.
    #[error("could not use the coordinator's keys")]
    Pki(#[from] PkiError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be read as a backup.
    #[error("this is no backup of heeler, or it is damaged: {0}. Use another one; each backup is complete by itself")]
    Damaged(String),
    /// The key or the passphrase is another one.
    #[error(
        "this key does not open the backup: it was sealed for another one. Look for heeler-recovery-CLUSTER.txt of that cluster"
    )]
    WrongKey,
    /// What was given is no key.
    #[error(
        "this is no recovery key: it is one line that begins with AGE-SECRET-KEY-1, in heeler-recovery-CLUSTER.txt"
    )]
    NoKey,
    /// What lies where the recovery key would go is none.
    #[error(
        "{} exists, and is not a recovery key: no line of it begins with AGE-SECRET-KEY-1. Name another file: \
         --recovery FILE, or move that one away",
        .0.display()
    )]
    NoKeyIn(PathBuf),
    /// Somebody else made it.
    #[error(
        "the backup was not made by the coordinator that this recovery key belongs to: it is not used. If you are \
         sure that it is the right backup, give only the key's AGE-SECRET-KEY line"
    )]
    OtherSigner,
    /// Not over what is there.
    #[error(
        "{} holds a coordinator already. To replace it with the backup: --replace (the existing state is kept in a \
         folder beside it)",
        .0.display()
    )]
    Occupied(PathBuf),
    /// It is of another cluster.
    #[error("the backup is of the cluster {found:?}, and {wanted:?} is wanted")]
    OtherCluster {
        /// In the backup.
        found: String,
        /// In heeler.toml.
        wanted: String,
    },
    /// A file that a backup must hold and cannot.
    #[error(
        "{} would be missing from the backup: it must be there, a file or a link to one, of at most 1 MiB",
        .0.display()
    )]
    NotSaved(PathBuf),
    /// What was written does not come out again as it went in.
    #[error(
        "the new backup could not be read back completely: {0}. It was removed. Try again; if it fails again, check \
         the disk: journalctl -k"
    )]
    NotWhole(String),
    /// Nothing can be put in its place as a whole.
    #[error(
        "{} is a mount point, and cannot be moved aside for the restored state. Name a folder in it, here and for \
         heeler serve: --state {}; or unmount it first",
        .0.display(),
        .0.join("state").display()
    )]
    MountPoint(PathBuf),
    /// The folder above does not let it.
    #[error(
        "{} cannot be replaced: this user may not write to the folder above it. Run it as its owner or as root \
         (sudo), or name another folder: --state DIR",
        .0.display()
    )]
    Fixed(PathBuf),
    /// Another one does the same.
    #[error(
        "another restore into {} is running, or has just ended: check its result before you restore again",
        .0.display()
    )]
    Restoring(PathBuf),
    /// More than a backup may be.
    #[error("the state would fill {bytes} bytes and {most} are allowed here")]
    TooLarge {
        /// So much.
        bytes: u64,
        /// At most so much.
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
