//! `/etc/hostid`: four bytes, little-endian. ZFS's module reads it when it is loaded, and ZFS writes it into every
//! label (spl(4), zgenhostid(8)).

use std::path::Path;

use crate::{Content, File, RunError, System, content};

/// Path of the file.
pub const PATH: &str = "/etc/hostid";

/// The host id; None when the file is absent, not four bytes long, or zero: ZFS then has no host id. Fails when the
/// file exists and cannot be read.
pub async fn read(host: &dyn System) -> Result<Option<u32>, RunError> {
    let path = Path::new(PATH);
    let bytes = content(host, path).await.map_err(|error| RunError::file(path, error))?;
    let id = bytes.and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)));
    Ok(id.filter(|id| *id != 0))
}

/// The file for the host id `id`.
pub fn file(id: u32) -> File {
    File {
        path: PATH.into(),
        content: Content::Plain(id.to_le_bytes().to_vec()),
        mode: 0o644,
    }
}
