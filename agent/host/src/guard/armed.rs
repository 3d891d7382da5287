use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ARMED, CONFIRMED, DOUBT, GuardError, TIMER, UNDOING, UNDONE, boot_id, failed, remove, write};
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
    /// Units whose start at boot the change may switch on or off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// The router that must answer over the card `name` before anybody may confirm the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<String>,
    /// Whether the change takes effect with a reboot; undoing it in a later boot then needs another.
    #[serde(default)]
    pub at_boot: bool,
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
    /// Whether each of [`Way::units`] started at boot; None for a unit that can neither be switched on nor off.
    #[serde(default)]
    pub started: Vec<Option<bool>>,
}

impl Armed {
    /// Whether it was armed in the boot with this id.
    pub fn is_of_boot(&self, boot_id: &str) -> bool {
        self.id.starts_with(boot_id)
    }
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
    let mut started = Vec::with_capacity(way.units.len());
    for unit in &way.units {
        started.push(match host.unit_state(unit).await?.enabled.as_str() {
            "enabled" => Some(true),
            "disabled" => Some(false),
            _ => None,
        });
    }
    let armed = Armed {
        id: format!("{}-{}", boot_id(host).await?, host.now_ms()),
        way: way.clone(),
        before,
        started,
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
