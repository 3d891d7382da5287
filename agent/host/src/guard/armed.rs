use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ARMED, CONFIRMED, DOUBT, GuardError, TIMER, UNDOING, UNDONE, failed, remove, write};
use crate::{System, UnitAction, content};

/// A network change, with all that is needed to undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// What is changed, as a message; the same text for the same change.
    pub change: String,
    /// The new address without prefix length, which other nodes try to reach.
    pub address: String,
    /// The card's name after the change.
    pub name: String,
    /// The card's name before the change.
    pub old_name: String,
    /// All files that the change writes.
    pub files: Vec<PathBuf>,
    /// The program that reads these files.
    pub written: Written,
}

/// The program that reads the changed files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Written {
    /// netplan, for systemd-networkd.
    Netplan,
    /// ifupdown2.
    Interfaces,
}

/// A pending change, with all that is needed to undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Armed {
    /// Unique on this machine: the boot id and the time.
    pub id: String,
    /// The change.
    pub way: Way,
    /// The old version of each of [`Way::files`], in their order; None for a file that did not exist.
    pub before: Vec<Option<Before>>,
}

/// The old version of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The whole content.
    pub text: String,
    /// Permission bits.
    pub mode: u32,
}

/// Prepares the undo: saves the present files on the disk and starts the timer. Fails when it cannot be prepared; then
/// nothing may be changed.
pub async fn arm(host: &dyn System, way: &Way) -> Result<(), GuardError> {
    for stale in [UNDOING, UNDONE, CONFIRMED, DOUBT] {
        remove(host, stale).await?;
    }
    let mut before = Vec::with_capacity(way.files.len());
    for path in &way.files {
        before.push(as_it_is(host, path).await?);
    }
    let boot = Path::new("/proc/sys/kernel/random/boot_id");
    let boot_id = host.read(boot).await.map_err(failed("read", boot))?;
    let armed = Armed {
        id: format!("{}-{}", String::from_utf8_lossy(&boot_id).trim(), host.now_ms()),
        way: way.clone(),
        before,
    };
    let bytes = serde_json::to_vec(&armed).map_err(|error| failed("write", Path::new(ARMED))(error.into()))?;
    write(host, ARMED, bytes).await?;
    Ok(host.unit(TIMER, UnitAction::Restart).await?)
}

async fn as_it_is(host: &dyn System, path: &Path) -> Result<Option<Before>, GuardError> {
    let Some(bytes) = content(host, path).await.map_err(failed("read", path))? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).map_err(|_| GuardError::NotText {
        path: path.display().to_string(),
    })?;
    let mode = host.mode(path).await.map_err(failed("read", path))?;
    Ok(Some(Before { text, mode }))
}
