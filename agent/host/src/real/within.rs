//! Files below a mountpoint where others can write. Each folder is opened relative to the one above, and the file is
//! accessed through the open folder, so that nobody can replace a part of the path by a link meanwhile.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use nix::libc::{O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK};

use super::files;
use crate::{Content, File, FolderAction};

/// Returns the names in the folder for [`FolderAction::List`], else nothing.
pub(super) fn within(mountpoint: &Path, below: &Path, name: &str, action: FolderAction) -> io::Result<Vec<String>> {
    let plain = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
    if !plain(below) || !plain(Path::new(name)) || name.contains('/') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let folder = open(mountpoint, below)?;
    let inside = through(&folder);
    let path = inside.join(name);
    match action {
        FolderAction::List => return files::list(&inside),
        FolderAction::Append(bytes) => append(&folder, &path, &bytes)?,
        // Neither function follows a link with the file's name.
        FolderAction::Write(bytes) => files::write(&File {
            path,
            content: Content::Plain(bytes),
            mode: 0o600,
        })?,
        FolderAction::Remove => files::remove(&path)?,
    }
    Ok(Vec::new())
}

/// Opens the folder; creates it when it is missing.
fn open(mountpoint: &Path, below: &Path) -> io::Result<fs::File> {
    let mut at = fs::File::open(mountpoint)?;
    for part in below {
        let path = through(&at).join(part);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => at.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let next = OpenOptions::new()
            .read(true)
            .custom_flags(O_NOFOLLOW | O_DIRECTORY)
            .open(&path);
        let next = next.map_err(|error| leads_away(part.as_ref(), &error))?;
        same_mount(&at, &next, part.as_ref())?;
        at = next;
    }
    Ok(at)
}

fn append(folder: &fs::File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = Path::new(path.file_name().unwrap_or_default());
    let opened = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(O_NOFOLLOW | O_NONBLOCK)
        .open(path);
    let mut file = opened.map_err(|error| leads_away(name, &error))?;
    same_mount(folder, &file, name)?;
    let about = file.metadata()?;
    if !about.is_file() || about.nlink() != 1 {
        return Err(leads_away(name, &io::ErrorKind::AlreadyExists.into()));
    }
    file.write_all(bytes)?;
    file.sync_data()?;
    if about.len() == 0 { folder.sync_all() } else { Ok(()) }
}

fn same_mount(above: &fs::File, below: &fs::File, name: &Path) -> io::Result<()> {
    match above.metadata()?.dev() == below.metadata()?.dev() {
        true => Ok(()),
        false => Err(leads_away(name, &io::ErrorKind::CrossesDevices.into())),
    }
}

fn leads_away(name: &Path, error: &io::Error) -> io::Error {
    let text = format!("{} is a link, a mount or no plain file ({error})", name.display());
    io::Error::new(error.kind(), text)
}

/// A path to this open folder, whatever its name is by now.
fn through(folder: &fs::File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()))
}
