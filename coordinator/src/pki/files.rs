use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::PkiError;

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PkiError {
    let path = path.to_owned();
    move |source| PkiError::File { what, path, source }
}

/// A folder, with its parents, that only its owner can enter. An existing one stays as it is.
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

/// # Errors
/// With the path that could not be read.
pub fn read_text(path: &Path) -> Result<String, PkiError> {
    fs::read_to_string(path).map_err(failed("read", path))
}

/// Writes a file whole or not at all, readable by its owner alone, on disk when this returns.
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
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(failed("write", path))
}
