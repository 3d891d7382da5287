//! The folder that a restore replaces. Everything that would prevent it is checked before anything is written.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::error::{BackupError, Result, failed};
use crate::exclusive::Exclusive;

/// Fails when the folder could not be renamed later.
pub(super) fn check(place: &Path) -> Result<()> {
    let Ok(about) = fs::metadata(place) else {
        return Ok(());
    };
    let parent = place.parent().unwrap_or(Path::new("/"));
    let above = fs::metadata(parent).map_err(failed("look at", parent))?;
    match about.dev() != above.dev() || place == parent || mounted(place) {
        true => Err(BackupError::MountPoint(place.to_owned())),
        false => Ok(()),
    }
}

/// Turns an error of making or renaming a folder into the error that says what to do.
pub(super) fn refused(what: &'static str, place: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let place = place.to_owned();
    move |error| match error.kind() {
        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices => BackupError::MountPoint(place),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => BackupError::Fixed(place),
        _ => failed(what, place)(error),
    }
}

/// Whether the folder is a mount point, also of the same disk (bind mount): only /proc/self/mountinfo shows that
/// (proc(5)).
fn mounted(place: &Path) -> bool {
    let list = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let place = place.to_string_lossy();
    list.lines()
        .filter_map(|line| line.split(' ').nth(4))
        .any(|at| at.replace("\\040", " ") == place)
}

/// The path `place.END`.
pub(super) fn sibling(place: &Path, end: &str) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{end}"));
    place.with_file_name(name)
}

/// A free path for the folder that is put aside; a number is added when two are made within a second.
pub(super) fn aside(place: &Path, now_ms: u64) -> PathBuf {
    let first = format!("before-{}", now_ms / 1000);
    let mut path = sibling(place, &first);
    let mut count = 1;
    while path.symlink_metadata().is_ok() {
        count += 1;
        path = sibling(place, &format!("{first}-{count}"));
    }
    path
}

/// Whether a restore is running beside `place`.
pub(super) fn is_filled(place: &Path) -> bool {
    let held = |folder: File| matches!(Exclusive::of(folder), Err((_, TryLockError::WouldBlock)));
    File::open(sibling(place, "restoring")).is_ok_and(held)
}

/// The folder that a restore fills; locked. Removed on drop unless it was put in place.
pub(super) struct Filling {
    path: PathBuf,
    put: bool,
    // The lock is on the folder itself, so it stays when the folder is renamed.
    _held: Exclusive,
}

impl Filling {
    /// Makes the folder beside `place`, and empties what a killed restore left there.
    pub(super) fn beside(place: &Path) -> Result<Self> {
        let path = sibling(place, "restoring");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(refused("make a folder beside", place))?;
        let held = File::open(&path).map_err(failed("open", &path))?;
        let held = match Exclusive::of(held) {
            Ok(held) => held,
            Err((_, TryLockError::WouldBlock)) => return Err(BackupError::Restoring(place.to_owned())),
            Err((_, TryLockError::Error(error))) => return Err(failed("lock", &path)(error)),
        };
        // Between opening and locking, another restore may have renamed or removed the folder.
        let id = |about: io::Result<fs::Metadata>| about.map(|about| (about.dev(), about.ino())).ok();
        if id(held.file().metadata()) != id(fs::metadata(&path)) {
            return Err(BackupError::Restoring(place.to_owned()));
        }
        let filling = Self {
            path,
            put: false,
            _held: held,
        };
        filling.empty().map_err(failed("empty", &filling.path))?;
        Ok(filling)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn put(&mut self, place: &Path) -> Result<()> {
        fs::rename(&self.path, place).map_err(refused("put the backup in the place of", place))?;
        self.put = true;
        Ok(())
    }

    fn empty(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path())?,
                false => fs::remove_file(entry.path())?,
            }
        }
        Ok(())
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        if !self.put {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

pub(super) fn sync(folder: &Path) -> Result<()> {
    heeler_os::sync_folder(folder).map_err(failed("sync", folder))
}
