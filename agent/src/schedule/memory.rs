use std::io;
use std::path::{Path, PathBuf};

use heeler_host::{Content, File, System};
use heeler_tasks::snapshot::round::Run;
use serde::{Deserialize, Serialize};

use super::trust::Trust;

/// Where it is.
pub const PATH: &str = "/var/lib/heeler-agent/schedule/memory";

/// What the lane remembers over a restart. Nothing is decided by it alone: where it cannot be read snapshots are taken
/// all the same, and pruning waits until the clock has proven itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Whether the clock can be believed.
    #[serde(default)]
    pub trust: Trust,
    /// Rounds that could not be told one by one.
    #[serde(default)]
    pub sum: Option<Run>,
    /// What was told last of what does not work.
    #[serde(default)]
    pub problems: Vec<String>,
    /// The pool's scrubs.
    #[serde(default)]
    pub scrub: ScrubMemory,
}

/// ZFS remembers only the last scan, which may be a resilver.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScrubMemory {
    /// Of which pool this is.
    pub pool: String,
    /// Since when the pool is on the schedule, Unix seconds.
    pub since_s: u64,
    /// When the last complete scrub ended, Unix seconds; 0 when none is known.
    pub last_s: u64,
    /// When the last one was begun or stopped by a person, Unix seconds.
    pub tried_s: u64,
    /// One of ours is under way.
    pub running: bool,
    /// Why one that is due has not begun: told once.
    pub obstacle: String,
}

impl Memory {
    /// From the disk. What cannot be read is forgotten, and with it what the clock said before; a new agent's clock has
    /// not jumped.
    pub async fn read(host: &dyn System) -> Self {
        let lost = || Self {
            trust: Trust::unproven(),
            ..Self::default()
        };
        match host.read(Path::new(PATH)).await {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|_| lost()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(_) => lost(),
        }
    }

    /// To the disk.
    pub async fn write(&self, host: &dyn System) -> io::Result<()> {
        let file = File {
            path: PathBuf::from(PATH),
            content: Content::Plain(serde_json::to_vec(self).map_err(io::Error::other)?),
            mode: 0o600,
        };
        host.write(&file).await
    }
}
