use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::{fs, io};

use heeler_os::replace;

use super::PkiError;

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PkiError {
    let path = path.to_owned();
    move |source| PkiError::File { what, path, source }
}

/// Makes a folder and its parents with mode 0700. An existing folder keeps its mode. Fails with the path that could not
/// be made.
pub fn make_folder(path: &Path) -> Result<(), PkiError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed("make", path))
}

/// Reads a text file. Fails with the path that could not be read.
pub fn read_text(path: &Path) -> Result<String, PkiError> {
    fs::read_to_string(path).map_err(failed("read", path))
}

/// Replaces a file completely or not at all, with mode 0600. It is on disk when this returns. Fails with the path that
/// could not be written.
pub fn write_secret(path: &Path, text: &str) -> Result<(), PkiError> {
    write_bytes(path, text.as_bytes())
}

/// The same for bytes. Fails as [`write_secret`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), PkiError> {
    replace(path, bytes, Some(0o600)).map_err(failed("write", path))
}
