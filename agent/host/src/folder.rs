use std::path::PathBuf;

/// A folder below a mountpoint where others can write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Absolute path.
    pub mountpoint: PathBuf,
    /// Path relative to the mountpoint, without `..`.
    pub below: &'static str,
}

impl Folder {
    /// Absolute path of the folder.
    pub fn path(&self) -> PathBuf {
        self.mountpoint.join(self.below)
    }
}

/// What to do in a [`Folder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderAction {
    /// Return the names in it, sorted.
    List,
    /// Append these bytes to the file (created with mode 0600 when it is missing), and sync it.
    Append(Vec<u8>),
    /// Write the file atomically with mode 0600.
    Write(Vec<u8>),
    /// Remove the file; succeeds when it does not exist.
    Remove,
}
