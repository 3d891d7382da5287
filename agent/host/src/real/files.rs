//! Files that survive a power cut: the folder of a new file is synced too.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use heeler_os::sync_folder;

use crate::File;

pub(super) fn mode(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o7777)
}

/// The names in a folder, sorted.
pub(super) fn list(path: &Path) -> io::Result<Vec<String>> {
    let mut names = fs::read_dir(path)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

/// Creates the folder when it is missing.
pub(super) fn write(file: &File) -> io::Result<()> {
    make_folder(&file.path, file.mode)?;
    heeler_os::replace(&file.path, file.content.bytes(), Some(file.mode))
}

/// The data is on the disk when it returns.
pub(super) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = make_folder(path, 0o600)?;
    let is_new = !path.try_exists()?;
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    if is_new { sync_folder(folder) } else { Ok(()) }
}

/// The new length is on the disk when it returns.
pub(super) fn truncate(path: &Path, length: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(length)?;
    file.sync_all()
}

/// In one write, as the kernel requires; never creates the file.
pub(super) fn set_parameter(path: &Path, value: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(value.as_bytes())
}

/// The removal is on the disk when it returns.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => other?,
    }
    match path.parent() {
        Some(folder) if folder.try_exists()? => sync_folder(folder),
        _ => Ok(()),
    }
}

/// Returns fewer bytes at the end of the device.
pub(super) fn read_at(device: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let file = fs::File::open(device)?;
    let mut bytes = vec![0; length];
    let mut have = 0;
    while have < length {
        match file.read_at(&mut bytes[have..], offset + have as u64) {
            Ok(0) => break,
            Ok(more) => have += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(have);
    Ok(bytes)
}

/// Creates the folder of a file when it is missing: mode 0700 for a file that only root can access, else 0755.
fn make_folder(path: &Path, mode: u32) -> io::Result<&Path> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let missing: Vec<&Path> = folder.ancestors().take_while(|one| !one.exists()).collect();
    let bits = if mode & 0o077 == 0 { 0o700 } else { 0o755 };
    for one in missing.into_iter().rev() {
        match DirBuilder::new().mode(bits).create(one) {
            // Another file of the same new folder is being written at the same time.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && one.is_dir() => {}
            made => made?,
        }
        sync_folder(one.parent().unwrap_or(Path::new("/")))?;
    }
    Ok(folder)
}
