use std::collections::BinaryHeap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Invalid, Mountpoint, NodeName, Serial};

/// A pool's name that `zpool create` accepts: at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PoolName(String);

impl PoolName {
    /// Fails for what `zpool create` refuses (zpoolconcepts(7): names that begin with mirror, raidz, draid, spare or log),
    /// for a space, and for more than 64 characters.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let reserved = ["mirror", "raidz", "draid", "spare", "log"]
            .iter()
            .any(|word| text.starts_with(word));
        let inner = text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
        if text.starts_with(|c: char| c.is_ascii_alphabetic()) && inner && !reserved && text.len() <= 64 {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("pool", format!("{text:?} is not a valid pool name")))
        }
    }
}
text!(PoolName);

/// The guid that ZFS gives a pool when it is created; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64")]
pub struct PoolGuid(pub u64);

impl PoolGuid {
    /// Fails when the text is not a decimal number from 1 to 2^64-1.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        text.parse()
            .ok()
            .filter(|guid| *guid != 0)
            .map(Self)
            .ok_or_else(|| Invalid::new("pool guid", format!("{text:?}")))
    }
}

impl TryFrom<u64> for PoolGuid {
    type Error = Invalid;
    fn try_from(guid: u64) -> Result<Self, Invalid> {
        match guid {
            0 => Err(Invalid::new("pool guid", "0")),
            guid => Ok(Self(guid)),
        }
    }
}

impl fmt::Display for PoolGuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The host id in `/etc/hostid`, by which ZFS knows the machine that last used a pool; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct HostId(pub u32);

impl HostId {
    /// Fails when the text is not eight hex digits, or zero.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let id = u32::from_str_radix(text, 16)
            .ok()
            .filter(|id| *id != 0 && text.len() == 8);
        id.map(Self)
            .ok_or_else(|| Invalid::new("hostid", format!("{text:?} is not eight hex digits")))
    }
}

impl TryFrom<u32> for HostId {
    type Error = Invalid;
    fn try_from(id: u32) -> Result<Self, Invalid> {
        match id {
            0 => Err(Invalid::new("hostid", "0")),
            id => Ok(Self(id)),
        }
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// The pool that a node should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolSpec {
    /// "data" by default.
    pub name: PoolName,
    /// The legs of its one mirror: two or more different serials.
    pub serials: Vec<Serial>,
    /// The datasets below the pool, parents before children.
    pub datasets: Vec<Dataset>,
    /// The most bytes of ZFS's cache (ARC). None: a tenth of the RAM, at most 1 GiB.
    pub arc_max_bytes: Option<u64>,
    /// The node's host id: the coordinator keeps it, and a re-flashed node gets the same one.
    pub hostid: HostId,
    /// The guid of the node's pool on record; None before the pool is first seen.
    pub recorded_guid: Option<PoolGuid>,
    /// The serials of that pool's legs on record.
    pub recorded_serials: Vec<Serial>,
    /// ZFS's `comment` property of the pool, which names its owner: 1 to 32 printable characters.
    pub comment: String,
}

/// A file system dataset below the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Full name, such as `data/pve-files`.
    pub name: String,
    /// The `mountpoint` property.
    pub mountpoint: Mountpoint,
}

/// A disk's serial that is on record as a leg of a pool in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveSerial {
    /// The serial of the leg.
    pub serial: Serial,
    /// The pool's guid.
    pub guid: PoolGuid,
    /// The node that has the pool.
    pub node: NodeName,
}

/// The full name of a dataset below a pool, such as `data/pve-files`. Fails for anything but components of letters,
/// digits and `_-.:` with slashes between them; at most 199 characters.
pub fn dataset_name(text: &str) -> Result<&str, Invalid> {
    let component = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
    };
    let fits = text.len() < 200 && !text.starts_with('-') && text.split('/').all(component);
    match fits && text.contains('/') {
        true => Ok(text),
        false => Err(Invalid::new(
            "dataset",
            format!("{text:?} is not the name of a dataset below a pool"),
        )),
    }
}

fn once(serials: &[Serial]) -> Result<(), Invalid> {
    let sorted = BinaryHeap::from_iter(serials).into_sorted_vec();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Invalid::new("serials", format!("{} is given twice", pair[0]))),
        None => Ok(()),
    }
}

impl PoolSpec {
    /// Fails when the parts contradict each other, or one of them is beyond its range.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if self.serials.len() < 2 {
            return Err(Invalid::new(
                "serials",
                format!("a mirror needs two or more disks, found {}", self.serials.len()),
            ));
        }
        once(&self.serials)?;
        once(&self.recorded_serials)?;
        for Dataset { name, .. } in &self.datasets {
            dataset_name(name)?;
            if name.split('/').next() != Some(self.name.as_str()) {
                return Err(Invalid::new(
                    "datasets",
                    format!("{name} is not below the pool {}", self.name),
                ));
            }
        }
        let comment = &self.comment;
        if comment.is_empty() || comment.len() > 32 || !comment.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Invalid::new(
                "comment",
                format!("{comment:?} (1 to 32 printable characters)"),
            ));
        }
        match self.arc_max_bytes {
            Some(0) => Err(Invalid::new("arc_max_bytes", "0")),
            _ => Ok(()),
        }
    }
}
