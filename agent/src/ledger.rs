use std::io;
use std::path::Path;

use heeler_host::{File, System, content};

use crate::assignment::Assignment;

const PATH: &str = "/var/lib/heeler-agent/ledger.json";

/// Why the last accepted assignment is unknown.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("could not {action} {PATH}")]
    File { action: &'static str, source: io::Error },
    #[error(
        "{PATH} is not readable: install the agent that wrote it, or move the file away and run heeler apply again"
    )]
    Json(#[source] serde_json::Error),
}

/// The last assignment that this node accepted, ended or not; None when there was none. Fails when the file exists and
/// cannot be read.
pub async fn read(host: &dyn System) -> Result<Option<Assignment>, LedgerError> {
    let json = content(host, Path::new(PATH)).await;
    let json = json.map_err(|source| LedgerError::File { action: "read", source })?;
    json.map(|json| serde_json::from_slice(&json))
        .transpose()
        .map_err(LedgerError::Json)
}

/// Stores `assignment` as the last accepted one, atomically. Fails when the file cannot be written.
pub async fn write(host: &dyn System, assignment: &Assignment) -> Result<(), LedgerError> {
    let json = serde_json::to_vec(assignment).map_err(LedgerError::Json)?;
    let file = File::private(PATH, json);
    host.write(&file).await.map_err(|source| LedgerError::File {
        action: "write",
        source,
    })
}
