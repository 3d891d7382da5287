use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::PkiError;

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PkiError {
    let path = path.to_owned();
    move |source| PkiError::File { what, path, source }
}

/// Makes a folder and its parents with mode 0700. An existing folder keeps its mode.
///
/// # Errors
/// With the path that could not be made.
pub fn make_folder(path: &Path) -> Result<(), PkiError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed("make", path))
}

/// Reads a text file.
///
/// # Errors
/// With the path that could not be read.
pub fn read_text(path: &Path) -> Result<String, PkiError> {
    fs::read_to_string(path).map_err(failed("read", path))
}

/// Replaces a file completely or not at all, with mode 0600. It is on disk when this returns.
///
/// # Errors
/// With the path that could not be written.
pub fn write_secret(path: &Path, text: &str) -> Result<(), PkiError> {
    write_bytes(path, text.as_bytes())
}

/// The same for bytes.
///
/// # Errors
/// As [`write_secret`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), PkiError> {
    let beside = path.with_extension("new");
    let write = || {
        // A leftover file could have another mode, and a link could lead elsewhere.
        if let Err(error) = fs::remove_file(&beside)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(failed("write", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_leftover_file_or_link_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let [secret, theirs, beside] = ["key.pem", "theirs", "key.new"].map(|name| folder.path().join(name));
        fs::write(&theirs, "theirs").unwrap();
        symlink(&theirs, &beside).unwrap();
        write_secret(&secret, "secret").unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
        fs::write(&beside, "left over").unwrap();
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o644)).unwrap();
        write_secret(&secret, "another").unwrap();
        assert_eq!(fs::read_to_string(&secret).unwrap(), "another");
        assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
