//! Files that survive a power cut: the file is synced before it is renamed, and the folder after it.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// Counts the writes of this process: with the process id it names the new file, so that no two writers share one.
static WRITES: AtomicU32 = AtomicU32::new(0);

/// Replaces a file completely or not at all; it is on the disk when this returns. `mode` holds its permission bits;
/// None: those that the umask leaves to a new file. Of several writers at once, the last one's content stays.
///
/// # Errors
/// When the folder is missing or a step fails. The old file is then still there, unless only the folder could not be
/// synced.
pub fn replace(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{} names no file", path.display())))?;
    let folder = folder_of(path);
    remove_leftovers(folder, name)?;
    let mut hidden = begin(name);
    let number = WRITES.fetch_add(1, Ordering::Relaxed);
    hidden.extend_from_slice(format!("{}-{number}{END}", std::process::id()).as_bytes());
    write_through(&folder.join(OsStr::from_bytes(&hidden)), path, bytes, mode)?;
    sync_folder(folder)
}

/// What the name of a new file ends with.
const END: &str = ".new";

/// What the name of a new file begins with, before process id, hyphen and number.
fn begin(name: &OsStr) -> Vec<u8> {
    [b".", name.as_bytes(), b"."].concat()
}

/// Removes the new files of `name` whose writers were killed, or ended with a power cut.
fn remove_leftovers(folder: &Path, name: &OsStr) -> io::Result<()> {
    let begin = begin(name);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.file_name();
        let writer = found.as_bytes().strip_prefix(begin.as_slice());
        let writer = writer.and_then(|rest| std::str::from_utf8(rest.strip_suffix(END.as_bytes())?).ok());
        let writer = writer.and_then(|writer| writer.split_once('-')?.0.parse().ok());
        // Signal "None" only asks whether the process is there.
        if writer.is_some_and(|pid: i32| pid > 0 && kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH)) {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

/// Writes the file `beside`, and gives it the name `path` when it is complete and synced.
fn write_through(beside: &Path, path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    // A leftover file could have another mode, and a link could lead elsewhere.
    remove_if_there(beside)?;
    let mut new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode.map_or(0o666, |_| 0o600))
        .open(beside)?;
    let written = new
        .write_all(bytes)
        // The mode at creation is limited by the umask.
        .and_then(|()| mode.map_or(Ok(()), |mode| new.set_permissions(Permissions::from_mode(mode))))
        .and_then(|()| new.sync_all())
        .and_then(|()| fs::rename(beside, path));
    if written.is_err() {
        remove_if_there(beside)?;
    }
    written
}

/// The folder of a file; the working folder for a name alone.
pub fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Writes to the disk which files a folder has. Fails when it cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
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

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_leftover_file_or_link_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let [secret, theirs, beside] = ["key.pem", "theirs", "beside"].map(|name| folder.path().join(name));
        fs::write(&theirs, "theirs").unwrap();
        symlink(&theirs, &beside).unwrap();
        write_through(&beside, &secret, b"secret", Some(0o600)).unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
        fs::write(&beside, "left over").unwrap();
        fs::set_permissions(&beside, Permissions::from_mode(0o644)).unwrap();
        write_through(&beside, &secret, b"another", Some(0o600)).unwrap();
        assert_eq!(fs::read_to_string(&secret).unwrap(), "another");
        assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["key.pem", "theirs"]);
    }

    #[test]
    fn writers_of_one_file_do_not_mix_their_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heeler.toml");
        let texts: Vec<String> = ('a'..='h').map(|letter| letter.to_string().repeat(200_000)).collect();
        std::thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| (0..20).for_each(|_| replace(&path, text.as_bytes(), None).unwrap()));
            }
        });
        assert!(texts.contains(&fs::read_to_string(&path).unwrap()));
        assert_eq!(names(folder.path()), ["heeler.toml"]);
    }

    #[test]
    fn only_leftovers_of_dead_writers_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let own = std::process::id();
        // Above the kernel's highest process id (proc(5)).
        let dead = 4_194_305;
        let all = [
            format!(".key.pem.{own}-900000.new"),
            format!(".other.pem.{dead}-0.new"),
            ".key.pem.0-0.new".into(),
            ".key.pem.new".into(),
        ];
        for name in all.iter().chain([&format!(".key.pem.{dead}-7.new")]) {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        replace(&folder.path().join("key.pem"), b"whole", None).unwrap();
        let mut kept: Vec<_> = all.into_iter().chain(["key.pem".to_owned()]).collect();
        kept.sort();
        assert_eq!(names(folder.path()), kept);
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("key.pem/full")).unwrap();
        assert!(replace(&folder.path().join("key.pem"), b"secret", None).is_err());
        assert_eq!(names(folder.path()), ["key.pem"]);
    }
}
