use serde::{Deserialize, Serialize};

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
