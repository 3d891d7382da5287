//! The way back from a network change: undone unless it is confirmed.
//!
//! What the change replaces is kept in one file, which is on the disk before anything is touched: as long as it is
//! there, `heeler-guard.timer` starts `heeler-agent guard undo` 90 s after it was armed, and 90 s after each boot. The
//! agent may be dead, its journal torn, the machine cut off in the middle of the undo: it is all found again.

mod armed;
mod undo;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Content, File, System, UnitAction, UnitError};

pub use armed::{Armed, Way, Written, arm};
pub use undo::{Undoing, undo};

/// What starts the undo.
pub const TIMER: &str = "heeler-guard.timer";
/// How long a change may be unconfirmed: OnActiveSec of the timer.
pub const UNDONE_AFTER: Duration = Duration::from_secs(90);
/// The undo.
pub const SERVICE: &str = "heeler-guard.service";

const ARMED: &str = "/var/lib/heeler-agent/guard/armed";
const CONFIRMED: &str = "/var/lib/heeler-agent/guard/confirmed";
const DOUBT: &str = "/var/lib/heeler-agent/guard/doubt";
const UNDOING: &str = "/var/lib/heeler-agent/guard/undoing";
/// Behind the id in UNDOING: no confirmation counts any more, for files may have been put back.
const FOR_GOOD: &str = " for good";
const UNDONE: &str = "/var/lib/heeler-agent/guard/undone";

/// Why the guard cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// A file.
    #[error("could not {action} {path}")]
    File {
        /// What completes "could not …".
        action: &'static str,
        /// On which file.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file that must be put back as it was, and is no text.
    #[error("{path} is not UTF-8 text, so it could not be put back as it was; nothing was changed")]
    NotText {
        /// The file.
        path: String,
    },
    /// systemd.
    #[error(transparent)]
    Unit(#[from] UnitError),
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> GuardError {
    let path = path.display().to_string();
    move |source| GuardError::File { action, path, source }
}

/// How the guard stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardState {
    /// No change is pending.
    Idle,
    /// A change is pending.
    Armed(Armed),
    /// The last change was undone.
    Undone(Undone),
}

/// A change that was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// [`Armed::id`].
    pub id: String,
    /// [`Way::change`].
    pub change: String,
    /// Unix milliseconds by the machine's clock.
    pub at_ms: u64,
    /// Why nobody confirmed it, and what could not be put back.
    pub reason: String,
}

/// How the guard stands.
///
/// # Errors
/// When its files cannot be read.
pub async fn state(host: &dyn System) -> Result<GuardState, GuardError> {
    if let Some(armed) = json::<Armed>(host, ARMED).await? {
        return Ok(GuardState::Armed(armed));
    }
    Ok(json(host, UNDONE).await?.map_or(GuardState::Idle, GuardState::Undone))
}

/// Somebody who may has confirmed the pending change: the next look of whoever waits for it finds so. False when it is
/// no longer pending.
///
/// # Errors
/// When it cannot be written down: it is not confirmed then.
pub async fn confirm(host: &dyn System, id: &str) -> Result<bool, GuardError> {
    let pending = json::<Armed>(host, ARMED).await?.is_some_and(|armed| armed.id == id);
    if pending {
        write(host, CONFIRMED, id.as_bytes().to_vec()).await?;
    }
    Ok(pending)
}

/// Why it is not confirmed yet, for the person, should it come to be undone.
///
/// # Errors
/// When it cannot be written down.
pub async fn doubt(host: &dyn System, reason: &str) -> Result<(), GuardError> {
    write(host, DOUBT, reason.as_bytes().to_vec()).await
}

/// How a pending change ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Not yet.
    Open,
    /// It stays.
    Confirmed,
    /// It does not.
    Undone(String),
}

/// Lets a change that is confirmed stay, and says how it ended.
///
/// # Errors
/// When the guard's files cannot be read or removed, or the timer not be stopped.
pub async fn settle(host: &dyn System, id: &str) -> Result<End, GuardError> {
    let armed = json::<Armed>(host, ARMED).await?.is_some_and(|armed| armed.id == id);
    let confirmed = text(host, CONFIRMED).await?.as_deref() == Some(id);
    let undoing = async || {
        Ok::<_, GuardError>(
            text(host, UNDOING)
                .await?
                .is_some_and(|undoing| undoing.starts_with(id)),
        )
    };
    // An undo that has begun decides by itself, and says how it ended.
    if armed && !confirmed || undoing().await? {
        return Ok(End::Open);
    }
    if armed {
        remove(host, ARMED).await?;
    }
    if undoing().await? {
        return Ok(End::Open);
    }
    if let Some(undone) = json::<Undone>(host, UNDONE).await?.filter(|undone| undone.id == id) {
        return Ok(End::Undone(undone.reason));
    }
    remove(host, CONFIRMED).await?;
    remove(host, DOUBT).await?;
    host.unit(TIMER, UnitAction::Stop).await?;
    Ok(End::Confirmed)
}

async fn text(host: &dyn System, path: &str) -> Result<Option<String>, GuardError> {
    let path = Path::new(path);
    match host.read(path).await {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// A file of the guard's is written whole or not at all: what cannot be read is none of ours.
async fn json<T: for<'a> Deserialize<'a>>(host: &dyn System, path: &str) -> Result<Option<T>, GuardError> {
    let Some(text) = text(host, path).await? else {
        return Ok(None);
    };
    let read = serde_json::from_slice(text.as_bytes()).map_err(io::Error::from);
    read.map(Some).map_err(failed("read", Path::new(path)))
}

async fn write(host: &dyn System, path: &str, bytes: Vec<u8>) -> Result<(), GuardError> {
    let path = PathBuf::from(path);
    let file = File {
        path: path.clone(),
        content: Content::Plain(bytes),
        mode: 0o600,
    };
    host.write(&file).await.map_err(failed("write", &path))
}

async fn remove(host: &dyn System, path: &str) -> Result<(), GuardError> {
    let path = Path::new(path);
    host.remove(path).await.map_err(failed("remove", path))
}
