use serde_json::Value;

use crate::ask::ask;
use crate::{Command, RunError, System, json};

/// An imported pool, as `zpool status` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolStatus {
    /// Its name.
    pub name: String,
    /// Its guid.
    pub guid: u64,
    /// ONLINE, DEGRADED, FAULTED, UNAVAIL, SUSPENDED…
    pub state: String,
    /// ZFS's own words about what is wrong; empty when nothing is.
    pub status: String,
    /// Data errors that could not be repaired.
    pub errors: u64,
    /// The scan in hand, or the last one.
    pub scan: Option<Scan>,
    /// The leaves of every top-level vdev, whatever its class.
    pub legs: Vec<Vdev>,
    /// `mirror`, `disk`, `raidz`…: of each top-level vdev.
    pub top_level: Vec<String>,
    /// Whole size of the vdevs.
    pub size_bytes: u64,
    /// In use.
    pub allocated_bytes: u64,
}

/// A scrub or resilver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// SCRUB, RESILVER, ERRORSCRUB.
    pub function: String,
    /// SCANNING, FINISHED, CANCELED.
    pub state: String,
    /// Unix seconds.
    pub start_s: u64,
    /// Unix seconds; 0 while it runs.
    pub end_s: u64,
    /// To look at in all.
    pub to_examine_bytes: u64,
    /// Of these, not looked at.
    pub skipped_bytes: u64,
    /// Looked at.
    pub issued_bytes: u64,
    /// A person has paused it.
    pub paused: bool,
}

/// A leaf vdev.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vdev {
    /// As ZFS shows it; the guid when the disk is gone.
    pub name: String,
    /// Its guid.
    pub guid: u64,
    /// As ZFS opened it, or last did.
    pub path: String,
    /// ONLINE, OFFLINE, FAULTED, CANT_OPEN, UNAVAIL, REMOVED…
    pub state: String,
    /// Counted since the last clear.
    pub read_errors: u64,
    /// Likewise.
    pub write_errors: u64,
    /// Likewise.
    pub checksum_errors: u64,
}

/// `zpool status -j --json-int -p -P`.
#[must_use]
pub fn status_command() -> Command {
    Command::new("zpool").args(["status", "-j", "--json-int", "-p", "-P"])
}

/// Every imported pool.
///
/// # Errors
/// Also when the module is not loaded: that is never read as "no pool".
pub async fn status(host: &dyn System) -> Result<Vec<PoolStatus>, RunError> {
    let command = status_command();
    let output = ask(host, &command).await?;
    parse(&command, &output.stdout)
}

pub(crate) fn parse(command: &Command, text: &str) -> Result<Vec<PoolStatus>, RunError> {
    let value = json::zfs(command, text)?;
    json::members(&value, "pools")
        .map(|(name, pool)| {
            read(name, pool).ok_or_else(|| RunError::unreadable(command, format!("pool {name} is not as expected")))
        })
        .collect()
}

fn read(name: &str, pool: &Value) -> Option<PoolStatus> {
    let mut legs = Vec::new();
    let mut top_level = Vec::new();
    let (mut size_bytes, mut allocated_bytes) = (0, 0);
    for (_, root) in json::members(pool, "vdevs") {
        size_bytes += json::number(root, "total_space").unwrap_or(0);
        allocated_bytes += json::number(root, "alloc_space").unwrap_or(0);
        for (_, vdev) in json::members(root, "vdevs") {
            top_level.push(json::text(vdev, "vdev_type")?.to_owned());
            leaves(vdev, &mut legs)?;
        }
    }
    for class in ["dedup", "special", "logs", "l2cache", "spares"] {
        for (_, vdev) in json::members(pool, class) {
            top_level.push(class.to_owned());
            leaves(vdev, &mut legs)?;
        }
    }
    Some(PoolStatus {
        name: name.to_owned(),
        guid: json::number(pool, "pool_guid").filter(|guid| *guid != 0)?,
        state: json::text(pool, "state")?.to_owned(),
        status: json::text(pool, "status").map_or_else(String::new, one_line),
        errors: json::number(pool, "error_count").unwrap_or(0),
        scan: pool.get("scan_stats").and_then(scan),
        legs,
        top_level,
        size_bytes,
        allocated_bytes,
    })
}

/// Sentences come with line breaks and tabs in them.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn scan(scan: &Value) -> Option<Scan> {
    let function = json::text(scan, "function").filter(|function| *function != "NONE")?;
    Some(Scan {
        function: function.to_owned(),
        state: json::text(scan, "state")?.to_owned(),
        start_s: json::number(scan, "start_time").unwrap_or(0),
        end_s: json::number(scan, "end_time").unwrap_or(0),
        to_examine_bytes: json::number(scan, "to_examine").unwrap_or(0),
        skipped_bytes: json::number(scan, "skipped").unwrap_or(0),
        issued_bytes: json::number(scan, "issued").unwrap_or(0),
        paused: json::number(scan, "scrub_pause").unwrap_or(0) != 0,
    })
}

/// None when a vdev lacks what every vdev has: half a picture of a pool would be taken for the whole.
fn leaves(vdev: &Value, legs: &mut Vec<Vdev>) -> Option<()> {
    let mut children = json::members(vdev, "vdevs").peekable();
    if children.peek().is_some() {
        return children.try_for_each(|(_, child)| leaves(child, legs));
    }
    legs.push(Vdev {
        name: json::text(vdev, "name")?.to_owned(),
        guid: json::number(vdev, "guid")?,
        path: json::text(vdev, "path").unwrap_or_default().to_owned(),
        state: json::text(vdev, "state")?.to_owned(),
        read_errors: json::number(vdev, "read_errors").unwrap_or(0),
        write_errors: json::number(vdev, "write_errors").unwrap_or(0),
        checksum_errors: json::number(vdev, "checksum_errors").unwrap_or(0),
    });
    Some(())
}
