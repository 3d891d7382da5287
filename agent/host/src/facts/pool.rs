use serde::{Deserialize, Serialize};

use crate::disk::Surroundings;
use crate::zpool::{self, Vdev};
use crate::{RunError, System};

/// An imported pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PoolFact {
    /// Its name.
    pub name: String,
    /// Its guid.
    pub guid: u64,
    /// ONLINE, DEGRADED, FAULTED, SUSPENDED…
    pub state: String,
    /// Whole size.
    pub size_bytes: u64,
    /// In use.
    pub allocated_bytes: u64,
    /// Data errors that could not be repaired.
    pub errors: u64,
    /// NONE, SCRUB or RESILVER.
    pub scan_function: String,
    /// SCANNING, FINISHED, CANCELED; empty when there was no scan.
    pub scan_state: String,
    /// When the last scan ended, Unix milliseconds; 0 when none did.
    pub scan_end_ms: u64,
    /// Leaf vdevs.
    pub legs: Vec<LegFact>,
    /// The pool's comment: whose it is.
    pub comment: String,
}

/// A leaf vdev.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LegFact {
    /// Of the disk that it is on; empty when the disk is gone.
    pub serial: String,
    /// Its guid.
    pub guid: u64,
    /// ONLINE, OFFLINE, FAULTED, UNAVAIL, REMOVED…
    pub state: String,
    /// Counted by ZFS since the last clear.
    pub read_errors: u64,
    /// Likewise.
    pub write_errors: u64,
    /// Likewise.
    pub checksum_errors: u64,
    /// As ZFS opened it.
    pub path: String,
}

/// Every imported pool; none when ZFS cannot be asked, which [`crate::zfs::module`] tells apart.
///
/// # Errors
/// When a pool that is there cannot be read.
pub async fn pools(host: &dyn System, around: &Surroundings) -> Result<Vec<PoolFact>, RunError> {
    let mut facts = Vec::new();
    for pool in around.imported.iter().flatten() {
        let properties = zpool::properties(host, &pool.name).await?;
        let number = |name: &str| properties.get(name).and_then(|value| value.parse().ok());
        let comment = properties.get("comment").filter(|comment| *comment != "-");
        facts.push(PoolFact {
            name: pool.name.clone(),
            guid: pool.guid,
            state: pool.state.clone(),
            size_bytes: number("size").unwrap_or(pool.size_bytes),
            allocated_bytes: number("allocated").unwrap_or(pool.allocated_bytes),
            errors: pool.errors,
            scan_function: pool
                .scan
                .as_ref()
                .map_or_else(|| "NONE".to_owned(), |scan| scan.function.clone()),
            scan_state: pool.scan.as_ref().map_or_else(String::new, |scan| scan.state.clone()),
            scan_end_ms: pool.scan.as_ref().map_or(0, |scan| scan.end_s.saturating_mul(1000)),
            legs: pool.legs.iter().map(|leg| fact(leg, around)).collect(),
            comment: comment.cloned().unwrap_or_default(),
        });
    }
    Ok(facts)
}

fn fact(leg: &Vdev, around: &Surroundings) -> LegFact {
    let gone = matches!(leg.state.as_str(), "UNAVAIL" | "REMOVED" | "CANT_OPEN");
    let serial = if gone { None } else { around.serial_of(&leg.path) };
    LegFact {
        serial: serial.unwrap_or_default().to_owned(),
        guid: leg.guid,
        state: leg.state.clone(),
        read_errors: leg.read_errors,
        write_errors: leg.write_errors,
        checksum_errors: leg.checksum_errors,
        path: leg.path.clone(),
    }
}
