use std::error::Error as _;
use std::path::PathBuf;

use heeler_proto::{ConsentError, Invalid};
use heeler_store::StoreError;

use crate::backup::BackupError;
use crate::pki::PkiError;
use crate::vault::VaultError;

/// Why the coordinator does not do what was asked. The text says what was found and what to type.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Nothing has this name or id.
    #[error("{0}")]
    NotFound(String),
    /// Something has this name already.
    #[error("{0}")]
    Taken(String),
    /// The request is not valid.
    #[error("{0}")]
    Invalid(String),
    /// The request is valid, but not now or not for this node.
    #[error("{0}")]
    Refused(String),
    /// A newer revision is accepted than the one that the candidate is based on.
    #[error(
        "revision {accepted} is accepted, and this heeler.toml is based on revision {seen}: applying it would undo \
         the changes between them. Get the accepted one: heeler config pull. To overwrite it on purpose: heeler apply \
         --overwrite"
    )]
    Behind {
        /// Number of the revision that the candidate is based on.
        seen: u64,
        /// Number of the accepted revision.
        accepted: u64,
    },
    /// A consent is missing or does not fit.
    #[error("{node}: {reason}. Nothing was done; look again and confirm: heeler apply {node}")]
    Consent {
        /// Node that the consent is about.
        node: String,
        /// What is wrong, as a clause.
        reason: String,
    },
    /// The caller may not do this.
    #[error("{0}")]
    Denied(String),
    /// Too many attempts from one caller.
    #[error("too many attempts: wait a minute")]
    Throttled,
    /// The database failed.
    #[error("the coordinator could not use its database")]
    Store(#[from] StoreError),
    /// The disk is full; the path is the file that could not be written.
    #[error("no room for {}", .0.display())]
    NoRoom(PathBuf),
    /// A certificate or key cannot be used.
    #[error("the coordinator could not use its keys")]
    Pki(#[from] PkiError),
    /// A value in the database cannot be decoded.
    #[error("what is stored about {what} cannot be read")]
    Stored {
        /// What the value is: "a task".
        what: &'static str,
    },
}

impl AppError {
    /// Whether the disk of the state folder is full or fails.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        let full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
        let mut cause = match self {
            Self::Store(error) => return error.is_no_room(),
            Self::NoRoom(_) => return true,
            Self::Pki(error) => error.source(),
            _ => None,
        };
        while let Some(error) = cause {
            if error.downcast_ref().is_some_and(full) {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

impl From<BackupError> for AppError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Store(error) => error.into(),
            BackupError::Pki(error) => error.into(),
            BackupError::NoRoom { path, .. } => Self::NoRoom(path),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<VaultError> for AppError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Key(error) => error.into(),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<Invalid> for AppError {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid.to_string())
    }
}

impl AppError {
    pub(super) fn consent(node: &str, error: ConsentError) -> Self {
        Self::Consent {
            node: node.to_owned(),
            reason: error.to_string(),
        }
    }
}
