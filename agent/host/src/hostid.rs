//! `/etc/hostid`: four bytes, lowest first, that ZFS writes into every label. Read by the module when it is loaded.

use std::path::Path;

use crate::{Content, File, RunError, System};

/// Where it is.
pub const PATH: &str = "/etc/hostid";

/// The host id; None when the file is missing, is not four bytes or holds 0, all of which ZFS takes for none.
///
/// # Errors
/// When it is there and cannot be read.
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

/// The file that holds `id`.
#[must_use]
pub fn file(id: u32) -> File {
    File {
        path: PATH.into(),
        content: Content::Plain(id.to_le_bytes().to_vec()),
        mode: 0o644,
    }
}
