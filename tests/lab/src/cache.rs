//! A folder for results that are slow to make and the same for every clone.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// `$HEELER_LAB_CACHE`, or `heeler-lab` below `$XDG_CACHE_HOME` or `~/.cache`; made when it is missing. Fails when no
/// home is known or the folder cannot be made.
pub fn folder() -> Result<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = set("HEELER_LAB_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("heeler-lab")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/heeler-lab")))
        .context("no place for the lab's images: set HEELER_LAB_CACHE to a folder with 5 GiB free")?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// Takes the lock of that name until the result is dropped; waits while another process has it. Fails when the lock
/// file cannot be opened.
pub fn lock(folder: &Path, name: &str) -> Result<File> {
    let path = folder.join(format!("{name}.lock"));
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Sixteen hex digits that depend on the parts and on where each ends.
pub fn hash(parts: &[impl AsRef<[u8]>]) -> String {
    let mut hasher = DefaultHasher::new();
    for part in parts.iter().map(AsRef::as_ref) {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    format!("{:016x}", hasher.finish())
}

/// [`hash`] over the path and content of every file below `folder`. Fails when a file cannot be read.
pub fn hash_of_tree(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    let mut parts = Vec::new();
    for file in files {
        parts.push(file.strip_prefix(folder)?.to_string_lossy().into_owned().into_bytes());
        parts.push(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    Ok(hash(&parts))
}

fn list(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, into)?;
        } else {
            into.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_that_changes_in_any_byte_has_another_hash() -> Result<()> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("etc"))?;
        fs::write(folder.path().join("etc/fstab"), "one")?;
        let before = hash_of_tree(folder.path())?;
        assert_eq!(before, hash_of_tree(folder.path())?);
        fs::write(folder.path().join("etc/fstab"), "two")?;
        assert_ne!(before, hash_of_tree(folder.path())?);
        Ok(())
    }
}
