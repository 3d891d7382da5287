//! Undoes a network change unless it is confirmed in time.
//!
//! The old files are saved in one file before anything is changed. As long as it exists, `heeler-guard.timer` starts
//! `heeler-agent guard undo` 90 s after it was armed and 90 s after each boot. That needs neither a running agent nor
//! its journal, and an undo that is interrupted continues when it runs again. A change that took effect with a reboot
//! is undone with another.

mod armed;
mod undo;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{File, System, UnitAction, UnitError, ping};

pub use armed::{Armed, Way, Written, arm};
pub use undo::{Undoing, undo};

/// The timer that starts the undo.
pub const TIMER: &str = "heeler-guard.timer";
/// How long a change may stay unconfirmed: `OnActiveSec` of the timer.
pub const UNDONE_AFTER: Duration = Duration::from_secs(90);
/// The service that undoes the change.
pub const SERVICE: &str = "heeler-guard.service";

const ARMED: &str = "/var/lib/heeler-agent/guard/armed";
const CONFIRMED: &str = "/var/lib/heeler-agent/guard/confirmed";
const DOUBT: &str = "/var/lib/heeler-agent/guard/doubt";
const UNDOING: &str = "/var/lib/heeler-agent/guard/undoing";
/// Follows the id in `UNDOING` once files may have been restored: from then on a confirmation has no effect.
const FOR_GOOD: &str = " for good";
/// Follows [`FOR_GOOD`] and precedes the id of the boot that the undo ends with a reboot.
const REBOOTS: &str = ", reboots ";
const UNDONE: &str = "/var/lib/heeler-agent/guard/undone";

/// Why the guard failed.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error("could not {action} {path}")]
    File {
        action: &'static str,
        path: String,
        source: io::Error,
    },
    #[error("{path} is not UTF-8 text, so it could not be restored later; nothing was changed")]
    NotText { path: String },
    /// systemd refused, or did not answer.
    #[error(transparent)]
    Unit(#[from] UnitError),
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> GuardError {
    let path = path.display().to_string();
    move |source| GuardError::File { action, path, source }
}

/// The state of the guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardState {
    /// No change is pending, and the last one was not undone.
    Idle,
    /// A change is pending.
    Armed(Armed),
    /// The last change was undone.
    Undone(Undone),
}

/// A change that was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// [`Armed::id`] of the change.
    pub id: String,
    /// [`Way::change`] of the change.
    pub change: String,
    /// When, Unix milliseconds by the machine's clock.
    pub at_ms: u64,
    /// Why it was not confirmed, and what could not be restored.
    pub reason: String,
}

/// The state of the guard. Fails when its files cannot be read.
pub async fn state(host: &dyn System) -> Result<GuardState, GuardError> {
    if let Some(armed) = json::<Armed>(host, ARMED).await? {
        return Ok(GuardState::Armed(armed));
    }
    Ok(json(host, UNDONE).await?.map_or(GuardState::Idle, GuardState::Undone))
}

/// Confirms the pending change `id`; [`settle`] then reports it. False when it is not pending, or this machine itself
/// finds it wrong ([`fault`]). Fails when the confirmation cannot be written; then the change is not confirmed.
pub async fn confirm(host: &dyn System, id: &str) -> Result<bool, GuardError> {
    let Some(armed) = json::<Armed>(host, ARMED).await?.filter(|armed| armed.id == id) else {
        return Ok(false);
    };
    if fault(host, &armed.way).await?.is_some() {
        return Ok(false);
    }
    write(host, CONFIRMED, id.as_bytes().to_vec()).await?;
    Ok(true)
}

/// Why this machine itself finds the change wrong, whoever else reaches it; the reason is saved as with [`doubt`].
/// None when nothing is wrong. Fails when the reason cannot be written.
pub async fn fault(host: &dyn System, way: &Way) -> Result<Option<String>, GuardError> {
    let Some(router) = &way.router else { return Ok(None) };
    let reason = match ping::reaches(host, &way.name, router).await {
        Ok(true) => return Ok(None),
        Ok(false) => format!("{router}, the router, does not answer over {}", way.name),
        Err(error) => format!("{router}, the router, could not be asked over {}: {error}", way.name),
    };
    doubt(host, &reason).await?;
    Ok(Some(reason))
}

/// Saves why the change is not confirmed yet; the reason is shown if it is undone. Fails when the file cannot be
/// written.
pub async fn doubt(host: &dyn System, reason: &str) -> Result<(), GuardError> {
    write(host, DOUBT, reason.as_bytes().to_vec()).await
}

/// The end of a pending change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Still pending.
    Open,
    /// It stays.
    Confirmed,
    /// It was undone, for this reason.
    Undone(String),
}

/// Makes a confirmed change permanent, and says how the change ended. Fails when the guard's files cannot be accessed,
/// or the timer cannot be stopped.
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
    // An undo that has begun decides, and reports the end itself.
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

/// Whether the undo of the change `id` may have restored files already: then it is only finished, never confirmed.
/// Fails when the guard's file cannot be read.
pub async fn is_undoing(host: &dyn System, id: &str) -> Result<bool, GuardError> {
    let undoing = text(host, UNDOING).await?.unwrap_or_default();
    Ok(undoing.strip_prefix(id).is_some_and(|rest| rest.starts_with(FOR_GOOD)))
}

/// The kernel's id of this boot (random(4)). Fails when it cannot be read.
pub async fn boot_id(host: &dyn System) -> Result<String, GuardError> {
    let path = Path::new("/proc/sys/kernel/random/boot_id");
    let bytes = host.read(path).await.map_err(failed("read", path))?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

async fn text(host: &dyn System, path: &str) -> Result<Option<String>, GuardError> {
    let path = Path::new(path);
    match host.read(path).await {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// The guard writes its files atomically, so a malformed one is an error.
async fn json<T: for<'a> Deserialize<'a>>(host: &dyn System, path: &str) -> Result<Option<T>, GuardError> {
    let Some(text) = text(host, path).await? else {
        return Ok(None);
    };
    let read = serde_json::from_slice(text.as_bytes()).map_err(io::Error::from);
    read.map(Some).map_err(failed("read", Path::new(path)))
}

async fn write(host: &dyn System, path: &str, bytes: Vec<u8>) -> Result<(), GuardError> {
    let path = PathBuf::from(path);
    let file = File::private(path.clone(), bytes);
    host.write(&file).await.map_err(failed("write", &path))
}

async fn remove(host: &dyn System, path: &str) -> Result<(), GuardError> {
    let path = Path::new(path);
    host.remove(path).await.map_err(failed("remove", path))
}
