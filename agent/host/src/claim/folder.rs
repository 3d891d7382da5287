use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use crate::ask::names;
use crate::{RunError, System};

pub(super) struct Found {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) text: String,
}

/// The files whose names end in `end`, sorted by name. A name in an earlier folder hides the same name in a later
/// one. An empty file or a link to /dev/null hides it too, and is left out.
pub(super) async fn files(host: &dyn System, folders: &[&str], end: &str) -> Result<Vec<Found>, RunError> {
    let mut paths = BTreeMap::new();
    for folder in folders {
        for name in names(host, folder).await?.unwrap_or_default() {
            if name.ends_with(end) {
                let path = format!("{folder}/{name}");
                paths.entry(name).or_insert(path);
            }
        }
    }
    let mut found = Vec::new();
    for (name, path) in paths {
        let text = read(host, &path).await?;
        if !text.is_empty() {
            found.push(Found { name, path, text });
        }
    }
    Ok(found)
}

/// The text of a file; empty when it does not exist or is a folder.
pub(super) async fn read(host: &dyn System, path: &str) -> Result<String, RunError> {
    match host.read(Path::new(path)).await {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => Ok(String::new()),
        Err(source) => Err(RunError::file(Path::new(path), source)),
    }
}
