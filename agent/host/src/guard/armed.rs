use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ARMED, CONFIRMED, DOUBT, GuardError, TIMER, UNDOING, UNDONE, failed, remove, write};
use crate::{System, UnitAction};

/// A change of the network, as far as its way back must know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// What is changed, in words and always the same ones for the same change.
    pub change: String,
    /// The new address, without prefix length: what peers are asked for.
    pub address: String,
    /// The card's name after it.
    pub name: String,
    /// The card's name before it.
    pub old_name: String,
    /// Every file that is written.
    pub files: Vec<PathBuf>,
    /// Who reads them.
    pub written: Written,
}

/// Who reads the configuration that is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Written {
    /// netplan and systemd-networkd.
    Netplan,
    /// ifupdown2.
    Interfaces,
}

/// A change that is pending, with all that undoes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Armed {
    /// Of no other change on this machine.
    pub id: String,
    /// What is changed.
    pub way: Way,
    /// Each file as it was, in the order of [`Way::files`].
    pub before: Vec<Option<Before>>,
}

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// What it held.
    pub text: String,
    /// Permission bits.
    pub mode: u32,
}

/// Makes sure of the way back: what is there now is kept, on the disk, and the timer runs.
///
/// # Errors
/// When that cannot be made sure: nothing may be changed then.
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
    let bytes = match host.read(path).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path)(error)),
    };
    let text = String::from_utf8(bytes).map_err(|_| GuardError::NotText {
        path: path.display().to_string(),
    })?;
    let mode = host.mode(path).await.map_err(failed("read", path))?;
    Ok(Some(Before { text, mode }))
}
