use std::path::PathBuf;

use crate::Secret;

/// A whole file to write: atomically, with its mode, synced to the disk before it takes the place of the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Absolute.
    pub path: PathBuf,
    /// What it holds.
    pub content: Content,
    /// Permission bits.
    pub mode: u32,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// For all to see in a diff.
    Plain(Vec<u8>),
    /// Never shown.
    Secret(Secret<Vec<u8>>),
}

impl Content {
    /// The bytes to write.
    #[must_use]
    pub const fn bytes(&self) -> &Vec<u8> {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Secret(secret) => secret.reveal(),
        }
    }
}

impl File {
    /// A text file that everybody may read (0644).
    #[must_use]
    pub fn text(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            content: Content::Plain(text.into().into_bytes()),
            mode: 0o644,
        }
    }
}
