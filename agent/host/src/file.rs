use std::path::PathBuf;

use crate::Secret;

/// A file to write as a whole. It is written atomically: synced to the disk before it replaces the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Absolute path.
    pub path: PathBuf,
    /// The whole content.
    pub content: Content,
    /// Permission bits, such as 0o600.
    pub mode: u32,
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// May be shown in a diff.
    Plain(Vec<u8>),
    /// Is never shown.
    Secret(Secret<Vec<u8>>),
}

impl Content {
    /// The bytes to write.
    pub const fn bytes(&self) -> &Vec<u8> {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Secret(secret) => secret.reveal(),
        }
    }
}

impl File {
    /// A file that only root can read (mode 0600), and whose content is no secret.
    pub fn private(path: impl Into<PathBuf>, bytes: Vec<u8>) -> Self {
        Self {
            path: path.into(),
            content: Content::Plain(bytes),
            mode: 0o600,
        }
    }

    /// A text file that everybody can read (mode 0644).
    pub fn text(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            content: Content::Plain(text.into().into_bytes()),
            mode: 0o644,
        }
    }
}
