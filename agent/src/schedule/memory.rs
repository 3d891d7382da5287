use std::io;
use std::path::Path;

use heeler_host::{File, System};
use heeler_tasks::snapshot::round::Run;
use serde::{Deserialize, Serialize};

use super::trust::Trust;

pub const PATH: &str = "/var/lib/heeler-agent/schedule/memory";

/// What the schedule stores over a restart. Losing it is safe: snapshots are taken all the same, and pruning waits
/// until the clock is proven.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    #[serde(default)]
    pub trust: Trust,
    /// The sum of rounds that are not reported yet.
    #[serde(default)]
    pub sum: Option<Run>,
    /// The problems that were reported last.
    #[serde(default)]
    pub problems: Vec<String>,
    #[serde(default)]
    pub scrub: ScrubMemory,
    #[serde(default)]
    pub copy: CopyMemory,
}

/// Needed because the pool may be away when a person asks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CopyMemory {
    pub pool: String,
    /// Since when copies are on the schedule, Unix seconds.
    pub since_s: u64,
    /// When the newest whole copy was made, Unix seconds; 0 when none is known of.
    pub last_s: u64,
    /// Why the last attempt made none; empty when it did.
    pub problem: String,
}

/// Needed because ZFS stores only the last scan, which may be a resilver.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScrubMemory {
    pub pool: String,
    /// Since when the pool is on the schedule, Unix seconds.
    pub since_s: u64,
    /// When the last complete scrub ended, Unix seconds; 0 when unknown.
    pub last_s: u64,
    /// When the last scrub was started or stopped, Unix seconds.
    pub tried_s: u64,
    /// Whether a scrub that the schedule started runs.
    pub running: bool,
    /// Why a due scrub has not started; reported once.
    pub obstacle: String,
}

impl Memory {
    /// Reads the file. When it cannot be read, the memory is lost and the clock counts as unproven. Without a file
    /// the agent is new, and its clock is trusted.
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

    /// Writes the file. Fails when it cannot be written.
    pub async fn write(&self, host: &dyn System) -> io::Result<()> {
        let file = File::private(PATH, serde_json::to_vec(self).map_err(io::Error::other)?);
        host.write(&file).await
    }
}
