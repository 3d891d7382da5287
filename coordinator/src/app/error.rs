use std::error::Error as _;
use std::path::PathBuf;

use heeler_proto::{ConsentError, Invalid, v1};
use heeler_store::StoreError;

use crate::backup::BackupError;
use crate::known::Unknown;
use crate::pki::PkiError;
use crate::told;
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
    #[error(
        "revision {accepted} is accepted, and this heeler.toml is based on revision {seen}: applying it would undo \
         the changes between them. Get the accepted one: heeler config pull. To overwrite it on purpose: heeler apply \
         --overwrite"
    )]
    Behind { seen: u64, accepted: u64 },
    #[error("{node}: {reason}. Nothing was done; look again and confirm: heeler apply {node}")]
    Consent {
        node: String,
        /// What is wrong, as a clause.
        reason: String,
    },
    #[error("{0}")]
    Denied(String),
    /// Another error, with what else a person is told.
    #[error("{}", told::text(told))]
    Told {
        /// The error that it is for callers.
        kind: Box<AppError>,
        /// The parts of the text; `what` is the error's text.
        told: v1::Told,
    },
    #[error("too many attempts: wait a minute")]
    Throttled,
    #[error("the coordinator could not use its database")]
    Store(#[from] StoreError),
    /// The disk is full; the path is the file that could not be written.
    #[error("no room for {}", .0.display())]
    NoRoom(PathBuf),
    #[error("the coordinator could not use its keys")]
    Pki(#[from] PkiError),
    #[error("what is stored about {what} cannot be read")]
    Stored {
        /// What the value is: "a task".
        what: &'static str,
    },
}

impl AppError {
    /// This error, about one of several nodes (empty for none), with what to type.
    pub(super) fn told(self, node: &str, next: impl Into<String>) -> Self {
        let told = v1::Told {
            node: node.to_owned(),
            what: self.to_string(),
            next: next.into(),
        };
        let kind = Box::new(self);
        Self::Told { kind, told }
    }

    /// Whether the disk of the state folder is full or fails.
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

impl From<Unknown> for AppError {
    fn from(unknown: Unknown) -> Self {
        Self::NotFound(unknown.what).told("", unknown.next)
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
