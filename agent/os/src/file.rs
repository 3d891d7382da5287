//! Files that survive a power cut: the file is synced before it is renamed, and the folder after it.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Replaces a file completely or not at all; it is on the disk when this returns. `mode` holds its permission bits;
/// None: those that the umask leaves to a new file.
///
/// # Errors
/// When the folder is missing or a step fails. The old file is then still there, unless only the folder could not be
/// synced.
pub fn replace(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    let beside = beside(path)?;
    // A leftover file could have another mode, and a link could lead elsewhere.
    remove_if_there(&beside)?;
    let mut new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode.map_or(0o666, |_| 0o600))
        .open(&beside)?;
    let written = new
        .write_all(bytes)
        // The mode at creation is limited by the umask.
        .and_then(|()| mode.map_or(Ok(()), |mode| new.set_permissions(Permissions::from_mode(mode))))
        .and_then(|()| new.sync_all())
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        remove_if_there(&beside)?;
    }
    written?;
    sync_folder(folder_of(path))
}

/// The folder of a file; the working folder for a name alone.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Writes to the disk which files a folder has.
///
/// # Errors
/// When it cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{} names no file", path.display())))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".new");
    Ok(path.with_file_name(hidden))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_leftover_file_or_link_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let [secret, theirs, beside] = ["key.pem", "theirs", ".key.pem.new"].map(|name| folder.path().join(name));
        let write = |text: &str| replace(&secret, text.as_bytes(), Some(0o600)).unwrap();
        fs::write(&theirs, "theirs").unwrap();
        symlink(&theirs, &beside).unwrap();
        write("secret");
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
        fs::write(&beside, "left over").unwrap();
        fs::set_permissions(&beside, Permissions::from_mode(0o644)).unwrap();
        write("another");
        assert_eq!(fs::read_to_string(&secret).unwrap(), "another");
        assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
