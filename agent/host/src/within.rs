use std::path::PathBuf;

/// A folder below a mountpoint that others may write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Absolute.
    pub mountpoint: PathBuf,
    /// Relative to the mountpoint, without `..`.
    pub below: &'static str,
}

impl Folder {
    /// Absolute.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.mountpoint.join(self.below)
    }
}

/// What is done in a [`Folder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Names are asked for, sorted.
    List,
    /// Bytes are appended to a file (made with mode 0600 when it is missing), and synced.
    Append(Vec<u8>),
    /// A file of mode 0600 is written beside its place, synced, renamed.
    Write(Vec<u8>),
    /// A file is removed; that it is not there is no error.
    Remove,
}
