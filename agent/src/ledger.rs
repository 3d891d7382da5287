use std::io;
use std::path::{Path, PathBuf};

use heeler_host::{Content, File, System};

use crate::assignment::Assignment;

const PATH: &str = "/var/lib/heeler-agent/ledger.json";

/// Why the last accepted assignment is unknown.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file could not be accessed.
    #[error("could not {action} {PATH}")]
    File {
        /// The verb after "could not".
        action: &'static str,
        source: io::Error,
    },
    /// The file is not one of Heeler's, or from a newer version.
    #[error(
        "{PATH} is not readable: install the agent that wrote it, or move the file away and run heeler apply again"
    )]
    Json(#[source] serde_json::Error),
}

/// The last assignment that this node accepted, ended or not; None when there was none.
///
/// # Errors
/// When the file exists and cannot be read.
pub async fn read(host: &dyn System) -> Result<Option<Assignment>, LedgerError> {
    match host.read(Path::new(PATH)).await {
        Ok(json) => serde_json::from_slice(&json).map(Some).map_err(LedgerError::Json),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LedgerError::File { action: "read", source }),
    }
}

/// Stores `assignment` as the last accepted one, atomically.
///
/// # Errors
/// When the file cannot be written.
pub async fn write(host: &dyn System, assignment: &Assignment) -> Result<(), LedgerError> {
    let json = serde_json::to_vec(assignment).map_err(LedgerError::Json)?;
    let file = File {
        path: PathBuf::from(PATH),
        content: Content::Plain(json),
        mode: 0o600,
    };
    host.write(&file).await.map_err(|source| LedgerError::File {
        action: "write",
        source,
    })
}
