use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ask::{ALL_POOLS, ask};
use crate::{Command, RunError, System, json};

/// An imported pool, as `zpool status` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolStatus {
    /// The pool's name, such as `data`.
    pub name: String,
    /// The pool's guid, as `zpool status -g` shows it.
    pub guid: u64,
    /// ONLINE, DEGRADED, FAULTED, UNAVAIL, SUSPENDED…
    pub state: String,
    /// ZFS's message about what is wrong; empty when nothing is.
    pub status: String,
    /// Data errors that ZFS could not repair.
    pub errors: u64,
    /// The running scan, or the last one; None when there was none.
    pub scan: Option<Scan>,
    /// The leaf vdevs of all classes. A spare in use is listed twice: in place of the other disk, and as a spare.
    pub legs: Vec<Vdev>,
    /// One word for each top-level vdev: its type (`mirror`, `disk`, `raidz`…) for data, its class for the others.
    pub top_level: Vec<String>,
    /// Size of all data vdevs in bytes.
    pub size_bytes: u64,
    /// Allocated bytes on them.
    pub allocated_bytes: u64,
}

/// A scrub or resilver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// SCRUB, RESILVER or ERRORSCRUB.
    pub function: String,
    /// SCANNING, FINISHED or CANCELED.
    pub state: String,
    /// Start, Unix seconds.
    pub start_s: u64,
    /// End, Unix seconds; 0 while it runs.
    pub end_s: u64,
    /// Bytes that it reads in total.
    pub to_examine_bytes: u64,
    /// Bytes of these that need not be read.
    pub skipped_bytes: u64,
    /// Bytes that it has read.
    pub issued_bytes: u64,
    /// Whether it is paused.
    pub paused: bool,
    /// Bytes that a scrub repaired or a resilver wrote.
    pub repaired_bytes: u64,
    /// Errors that it could not repair.
    pub errors: u64,
}

/// The function of a vdev in its pool (zpoolconcepts(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Class {
    /// Stores data.
    #[default]
    Data,
    /// Stores the intent log.
    Log,
    /// Caches reads.
    Cache,
    /// Stores metadata: without it the pool cannot be imported.
    Special,
    /// Stores deduplication tables: without it the pool cannot be imported.
    Dedup,
    /// Replaces a disk that fails.
    Spare,
}

impl Class {
    /// From a heading of `zpool import`, or a key or class of `zpool status -j`; any other word is data.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "log" | "logs" => Self::Log,
            "l2cache" | "cache" => Self::Cache,
            "special" => Self::Special,
            "dedup" => Self::Dedup,
            "spare" | "spares" => Self::Spare,
            _ => Self::Data,
        }
    }

    /// Whether the pool cannot be imported without it.
    pub const fn is_needed(self) -> bool {
        matches!(self, Self::Data | Self::Special | Self::Dedup)
    }
}

/// An imported pool whose status could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unreadable {
    /// The pool's name, such as `data`.
    pub name: String,
    /// The pool's guid; 0 when unknown.
    pub guid: u64,
    /// What is missing in its status, as a message.
    pub reason: String,
}

/// All imported pools.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pools {
    /// The pools whose status was read.
    pub read: Vec<PoolStatus>,
    /// The pools whose status could not be read, with the reason.
    pub unreadable: Vec<Unreadable>,
}

/// A leaf vdev of an imported pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vdev {
    /// Serial of the disk that is proven to hold it; empty when there is no proof, or nobody has looked for one.
    pub serial: String,
    /// The vdev's guid, as `zpool status -g` shows it.
    pub guid: u64,
    /// ONLINE, OFFLINE, FAULTED, CANT_OPEN, UNAVAIL, REMOVED…
    pub state: String,
    /// Failed reads since the last `zpool clear`.
    pub read_errors: u64,
    /// Failed writes since the last `zpool clear`.
    pub write_errors: u64,
    /// Checksum errors since the last `zpool clear`.
    pub checksum_errors: u64,
    /// The path that ZFS opened last; it may lead to another disk by now.
    pub path: String,
    /// Data, log, cache, special, dedup or spare.
    pub class: Class,
    /// Its top-level vdev, such as `mirror-0`; empty when it is one itself.
    pub top: String,
    /// The `replacing-…` or `spare-…` vdev that it is part of; empty for most.
    pub place: String,
    /// As ZFS shows it; the guid when the disk is missing.
    #[serde(skip)]
    pub name: String,
}

impl Vdev {
    /// Whether ZFS has the device open: then its path leads to that very device.
    pub fn is_open(&self) -> bool {
        ["ONLINE", "HEALTHY", "DEGRADED", "AVAIL", "INUSE"].contains(&self.state.as_str())
    }
}

/// `zpool status -j --json-int -p -P`.
pub fn status_command() -> Command {
    Command::look("zpool")
        .args(["status", "-j", "--json-int", "-p", "-P"])
        .timeout(ALL_POOLS)
}

/// The imported pools whose status could be read. Fails when ZFS fails, also because its module is not loaded: then
/// pools may exist.
pub async fn status(host: &dyn System) -> Result<Vec<PoolStatus>, RunError> {
    Ok(look(host).await?.read)
}

/// All imported pools; one that cannot be read does not affect the others. Fails when ZFS fails, also because its
/// module is not loaded: then pools may exist.
pub async fn look(host: &dyn System) -> Result<Pools, RunError> {
    let command = status_command();
    let output = ask(host, &command).await?;
    parse(&command, &output.stdout)
}

pub(crate) fn parse(command: &Command, text: &str) -> Result<Pools, RunError> {
    let value = json::zfs(command, text)?;
    let mut pools = Pools::default();
    for (name, pool) in json::members(&value, "pools") {
        match read(name, pool) {
            Ok(pool) => pools.read.push(pool),
            Err(lacking) => pools.unreadable.push(Unreadable {
                name: name.clone(),
                guid: json::number(pool, "pool_guid").unwrap_or(0),
                reason: format!("zpool status says no {lacking}"),
            }),
        }
    }
    Ok(pools)
}

/// The error is the name of what is missing.
fn read(name: &str, pool: &Value) -> Result<PoolStatus, &'static str> {
    let mut read = PoolStatus {
        name: name.to_owned(),
        guid: json::number(pool, "pool_guid")
            .filter(|guid| *guid != 0)
            .ok_or("guid of it")?,
        state: json::text(pool, "state").ok_or("state of it")?.to_owned(),
        status: json::text(pool, "status").map_or_else(String::new, one_line),
        errors: json::count(pool, "error_count"),
        scan: pool.get("scan_stats").and_then(scan),
        legs: Vec::new(),
        top_level: Vec::new(),
        size_bytes: 0,
        allocated_bytes: 0,
    };
    for (_, root) in json::members(pool, "vdevs") {
        let space = |key| json::number(root, key).unwrap_or(0);
        read.size_bytes = read.size_bytes.saturating_add(space("total_space"));
        read.allocated_bytes = read.allocated_bytes.saturating_add(space("alloc_space"));
        for (_, vdev) in json::members(root, "vdevs") {
            let kind = json::text(vdev, "vdev_type").ok_or("type of a vdev")?;
            read.top_level.push(kind.to_owned());
            let class = Class::of(json::text(vdev, "class").unwrap_or_default());
            leaves(vdev, class, ("", ""), &mut read.legs)?;
        }
    }
    if read.legs.is_empty() {
        return Err("vdevs of it");
    }
    for class in ["dedup", "special", "logs", "l2cache", "spares"] {
        for (_, vdev) in json::members(pool, class) {
            read.top_level.push(class.to_owned());
            leaves(vdev, Class::of(class), ("", ""), &mut read.legs)?;
        }
    }
    Ok(read)
}

/// ZFS's messages contain line breaks and tabs.
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
        repaired_bytes: json::number(scan, "processed").unwrap_or(0),
        errors: json::count(scan, "errors"),
    })
}

/// An error when a vdev lacks a required field: an incomplete pool must not look whole.
fn leaves(vdev: &Value, class: Class, within: (&str, &str), legs: &mut Vec<Vdev>) -> Result<(), &'static str> {
    let name = json::text(vdev, "name").ok_or("name of a vdev")?;
    let mut children = json::members(vdev, "vdevs").peekable();
    if children.peek().is_some() {
        let (top, place) = within;
        let top = if top.is_empty() { name } else { top };
        let shared = matches!(json::text(vdev, "vdev_type"), Some("replacing" | "spare"));
        let place = if shared { name } else { place };
        return children.try_for_each(|(_, child)| leaves(child, class, (top, place), legs));
    }
    let count = |key| json::count(vdev, key);
    legs.push(Vdev {
        serial: String::new(),
        name: name.to_owned(),
        guid: json::number(vdev, "guid").ok_or("guid of a vdev")?,
        path: json::text(vdev, "path").unwrap_or_default().to_owned(),
        class,
        top: within.0.to_owned(),
        place: within.1.to_owned(),
        state: json::text(vdev, "state").ok_or("state of a vdev")?.to_owned(),
        read_errors: count("read_errors"),
        write_errors: count("write_errors"),
        checksum_errors: count("checksum_errors"),
    });
    Ok(())
}
