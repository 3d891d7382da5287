//! `/etc/hostid`: four bytes, little-endian. ZFS's module reads it when it is loaded, and ZFS writes it into every
//! label (spl(4), zgenhostid(8)).

use std::path::Path;

use crate::{Content, File, RunError, System};

/// Path of the file.
pub const PATH: &str = "/etc/hostid";

/// The host id; None when the file is absent, not four bytes long, or zero: ZFS then has no host id.
///
/// # Errors
/// When the file exists and cannot be read.
pub async fn read(host: &dyn System) -> Result<Option<u32>, RunError> {
    match host.read(Path::new(PATH)).await {
        Ok(bytes) => Ok(<[u8; 4]>::try_from(bytes.as_slice())
            .ok()
            .map(u32::from_le_bytes)
            .filter(|id| *id != 0)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RunError::file(Path::new(PATH), source)),
    }
}

/// The file for the host id `id`.
#[must_use]
pub fn file(id: u32) -> File {
    File {
        path: PATH.into(),
        content: Content::Plain(id.to_le_bytes().to_vec()),
        mode: 0o644,
    }
}
