use std::collections::BinaryHeap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Invalid, Mountpoint, NodeName, Serial, v1};

/// A pool's name that `zpool create` accepts: at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PoolName(String);

impl PoolName {
    /// # Errors
    /// For what `zpool create` refuses (zpoolconcepts(7): names that begin with mirror, raidz, draid, spare or log),
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
pub struct PoolGuid(pub u64);

impl PoolGuid {
    /// # Errors
    /// When the text is not a decimal number from 1 to 2^64-1.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        text.parse()
            .ok()
            .filter(|guid| *guid != 0)
            .map(Self)
            .ok_or_else(|| Invalid::new("pool guid", format!("{text:?}")))
    }
}

impl fmt::Display for PoolGuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The host id in `/etc/hostid`, by which ZFS knows the machine that last used a pool; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostId(pub u32);

impl HostId {
    /// # Errors
    /// When the text is not eight hex digits, or zero.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let id = u32::from_str_radix(text, 16)
            .ok()
            .filter(|id| *id != 0 && text.len() == 8);
        id.map(Self)
            .ok_or_else(|| Invalid::new("hostid", format!("{text:?} is not eight hex digits")))
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// The pool that a node should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct Dataset {
    /// Full name, such as `data/pve-files`.
    pub name: String,
    /// The `mountpoint` property.
    pub mountpoint: Mountpoint,
}

/// A disk's serial that is on record as a leg of a pool in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveSerial {
    /// The serial of the leg.
    pub serial: Serial,
    /// The pool's guid.
    pub guid: PoolGuid,
    /// The node that has the pool.
    pub node: NodeName,
}

impl TryFrom<v1::LiveSerial> for LiveSerial {
    type Error = Invalid;
    fn try_from(wire: v1::LiveSerial) -> Result<Self, Invalid> {
        Ok(Self {
            serial: Serial::new(&wire.serial)?,
            guid: PoolGuid::parse(&wire.pool_guid)?,
            node: NodeName::new(&wire.node)?,
        })
    }
}

impl From<LiveSerial> for v1::LiveSerial {
    fn from(live: LiveSerial) -> Self {
        Self {
            serial: live.serial.into(),
            pool_guid: live.guid.to_string(),
            node: live.node.into(),
        }
    }
}

impl TryFrom<v1::Dataset> for Dataset {
    type Error = Invalid;
    fn try_from(wire: v1::Dataset) -> Result<Self, Invalid> {
        let component = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
        };
        let fits = |name: &str| name.len() < 200 && !name.starts_with('-') && name.split('/').all(component);
        if !wire.name.contains('/') || !fits(&wire.name) {
            return Err(Invalid::new(
                "dataset",
                format!("{:?} is not the name of a dataset below a pool", wire.name),
            ));
        }
        let mountpoint = Mountpoint::new(&wire.mountpoint)?;
        Ok(Self {
            name: wire.name,
            mountpoint,
        })
    }
}

impl From<Dataset> for v1::Dataset {
    fn from(dataset: Dataset) -> Self {
        Self {
            name: dataset.name,
            mountpoint: dataset.mountpoint.to_string(),
        }
    }
}

fn serials(wire: &[String]) -> Result<Vec<Serial>, Invalid> {
    let serials: Vec<Serial> = wire.iter().map(|text| Serial::new(text)).collect::<Result<_, _>>()?;
    let sorted = BinaryHeap::from_iter(&serials).into_sorted_vec();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Invalid::new("serials", format!("{} is given twice", pair[0]))),
        None => Ok(serials),
    }
}

impl TryFrom<v1::PoolSpec> for PoolSpec {
    type Error = Invalid;
    fn try_from(wire: v1::PoolSpec) -> Result<Self, Invalid> {
        let name = PoolName::new(&wire.name)?;
        let legs = serials(&wire.serials)?;
        if legs.len() < 2 {
            return Err(Invalid::new(
                "serials",
                format!("a mirror needs two or more disks, found {}", legs.len()),
            ));
        }
        let datasets: Vec<Dataset> = wire
            .datasets
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<_, _>>()?;
        let below = |dataset: &Dataset| dataset.name.split('/').next() == Some(name.as_str());
        if let Some(stray) = datasets.iter().find(|dataset| !below(dataset)) {
            return Err(Invalid::new(
                "datasets",
                format!("{} is not below the pool {name}", stray.name),
            ));
        }
        if wire.comment.is_empty() || wire.comment.len() > 32 || !wire.comment.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Invalid::new(
                "comment",
                format!("{:?} (1 to 32 printable characters)", wire.comment),
            ));
        }
        let recorded = Some(wire.recorded_guid).filter(|guid| !guid.is_empty());
        Ok(Self {
            name,
            serials: legs,
            datasets,
            arc_max_bytes: Some(wire.arc_max_bytes).filter(|bytes| *bytes > 0),
            hostid: HostId::parse(&wire.hostid)?,
            recorded_guid: recorded.map(|guid| PoolGuid::parse(&guid)).transpose()?,
            recorded_serials: serials(&wire.recorded_serials)?,
            comment: wire.comment,
        })
    }
}

impl From<PoolSpec> for v1::PoolSpec {
    fn from(spec: PoolSpec) -> Self {
        Self {
            name: spec.name.into(),
            serials: spec.serials.into_iter().map(Into::into).collect(),
            datasets: spec.datasets.into_iter().map(Into::into).collect(),
            arc_max_bytes: spec.arc_max_bytes.unwrap_or(0),
            hostid: spec.hostid.to_string(),
            recorded_guid: spec.recorded_guid.map(|guid| guid.to_string()).unwrap_or_default(),
            recorded_serials: spec.recorded_serials.into_iter().map(Into::into).collect(),
            comment: spec.comment,
        }
    }
}
