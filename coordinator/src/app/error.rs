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
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// What was sent cannot be.
    #[error("{0}")]
    Invalid(String),
    /// It can be, but not now, or not here.
    #[error("{0}")]
    Refused(String),
    /// The candidate's author has not seen what is accepted.
    #[error(
        "revision {accepted} is accepted, and this heeler.toml is based on revision {seen}: applying it would undo \
         the changes between them. Get the accepted one: heeler config pull. To overwrite it on purpose: heeler apply \
         --overwrite"
    )]
    Behind {
        /// The parent that the candidate names.
        seen: u64,
        /// What is accepted.
        accepted: u64,
    },
    /// A permission is missing or does not fit.
    #[error("{node}: {reason}. Nothing was done; look again and confirm: heeler apply {node}")]
    Consent {
        /// Where.
        node: String,
        /// What is wrong.
        reason: String,
    },
    /// Who asks may not.
    #[error("{0}")]
    Denied(String),
    /// Too many attempts.
    #[error("too many attempts: wait a minute")]
    Throttled,
    /// The database.
    #[error("the coordinator could not use its database")]
    Store(#[from] StoreError),
    /// A file does not fit on the disk.
    #[error("no room for {}", .0.display())]
    NoRoom(PathBuf),
    /// Certificates.
    #[error("the coordinator could not use its keys")]
    Pki(#[from] PkiError),
    /// What was stored cannot be read back.
    #[error("what is stored about {what} cannot be read")]
    Stored {
        /// What.
        what: &'static str,
    },
}

impl AppError {
    /// There is no room for the coordinator's state, or its disk fails.
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
