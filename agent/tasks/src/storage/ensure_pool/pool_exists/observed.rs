use heeler_host::disk::{Disk, Inventory, inventory};
use heeler_host::facts::{PoolFact, PoolFacts};
use heeler_host::zfs::{Module, module};
use heeler_host::zpool::{self, Class, Importable, ImportableLeg, Unreadable};
use heeler_host::{RunError, System, hostid};
use heeler_proto::PoolSpec;

use super::places::Places;
use crate::storage::all_imported;

/// The facts about pools and disks.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Whether ZFS could be asked. If not, the other fields are empty and prove nothing.
    pub(super) loaded: bool,
    pub(super) imported: Vec<PoolFact>,
    /// Imported pools whose status could not be read.
    pub(super) unreadable: Vec<Unreadable>,
    /// Pools that can be imported. Empty, like the disks, when the pool is imported already.
    pub(super) importable: Vec<Candidate>,
    pub(super) disks: Vec<Disk>,
    /// Why `zpool create -n` refuses the planned creation; None when it does not.
    pub(super) objection: Option<String>,
    /// The host id in `/etc/hostid`; None when there is none.
    pub(super) hostid: Option<u32>,
}

#[derive(Debug, Clone)]
pub struct Candidate {
    pub(super) pool: Importable,
    pub(super) legs: Vec<CandidateLeg>,
}

/// A leaf vdev of an importable pool.
#[derive(Debug, Clone, Default)]
pub struct CandidateLeg {
    /// None when its disk is not in this node.
    pub(super) serial: Option<String>,
    /// Whether it works and its disk is in this node.
    pub(super) online: bool,
    pub(super) class: Class,
    /// The `replacing-…` or `spare-…` vdev that it is part of; empty for most.
    pub(super) place: String,
}

impl Candidate {
    /// Serials of its disks in this node, without logs, caches and spares.
    pub(super) fn serials(&self) -> impl Iterator<Item = &str> {
        self.needed().filter_map(|leg| leg.serial.as_deref())
    }

    pub(super) fn online(&self) -> impl Iterator<Item = &str> {
        let online = self.needed().filter(|leg| leg.online);
        online.filter_map(|leg| leg.serial.as_deref())
    }

    /// The vdevs that are needed to import it.
    pub(super) fn needed(&self) -> impl Iterator<Item = &CandidateLeg> {
        self.legs.iter().filter(|leg| leg.class.is_needed())
    }

    /// The places of its mirror, with the serials in each: several while a disk is replaced, none when its disk is
    /// not in this node.
    pub(super) fn places(&self) -> Places<'_> {
        let data = self.legs.iter().filter(|leg| leg.class == Class::Data);
        Places::of(data.map(|leg| (leg.place.as_str(), leg.serial.as_deref())))
    }

    /// Whether it is complete: then the import loses nothing, whatever is on record.
    pub(super) fn is_whole(&self) -> bool {
        self.pool.state == "ONLINE" && self.needed().all(|leg| leg.online)
    }
}

impl Observed {
    /// Whether an importable pool is this node's own from before a re-flash: ZFS takes it for another machine's until
    /// the host id on record is set.
    pub(super) fn awaits_hostid(&self, spec: &PoolSpec) -> bool {
        let own = |pool: &Importable| {
            let mut labels = self.disks.iter().flat_map(|disk| &disk.labels);
            labels.any(|label| label.pool_guid == pool.guid && label.hostid == u64::from(spec.hostid.0))
        };
        let mut pools = self.importable.iter().map(|candidate| &candidate.pool);
        self.hostid != Some(spec.hostid.0) && pools.any(|pool| pool.last_used_elsewhere() && own(pool))
    }

    pub(super) async fn look(host: &dyn System, spec: &PoolSpec) -> Result<Self, RunError> {
        let Module::Loaded { .. } = module(host).await? else {
            return Ok(Self::default());
        };
        let PoolFacts { read, unreadable } = all_imported(host).await?;
        let mut seen = Self {
            loaded: true,
            imported: read,
            unreadable,
            hostid: hostid::read(host).await?,
            ..Self::default()
        };
        if seen.imported_as(spec).is_some() || seen.unreadable_as(spec).is_some() {
            return Ok(seen);
        }
        let inventory = inventory(host).await?;
        if inventory.around.unlisted {
            return Err(RunError::timeout(&zpool::importable_command()));
        }
        let importable = inventory.around.importable.clone();
        seen.loaded = importable.is_some();
        for pool in importable.unwrap_or_default() {
            let legs = pool.legs.iter().map(|leg| {
                let serial = serial(&inventory, pool.guid, leg);
                CandidateLeg {
                    online: serial.is_some() && ["ONLINE", "DEGRADED"].contains(&leg.state.as_str()),
                    serial,
                    class: leg.class,
                    place: leg.place.clone(),
                }
            });
            seen.importable.push(Candidate {
                legs: legs.collect(),
                pool,
            });
        }
        seen.disks = inventory.disks;
        Ok(seen)
    }

    /// The imported pool that is on record or has the wanted name.
    pub(super) fn imported_as(&self, spec: &PoolSpec) -> Option<&PoolFact> {
        let recorded = |pool: &&PoolFact| spec.recorded_guid.is_some_and(|guid| guid.0 == pool.guid);
        let named = |pool: &&PoolFact| pool.name == spec.name.as_str();
        self.imported
            .iter()
            .find(recorded)
            .or_else(|| self.imported.iter().find(named))
    }

    /// Like [`Self::imported_as`], among the unreadable pools.
    pub(super) fn unreadable_as(&self, spec: &PoolSpec) -> Option<&Unreadable> {
        let recorded = |pool: &&Unreadable| spec.recorded_guid.is_some_and(|guid| guid.0 == pool.guid);
        let is = |pool: &&Unreadable| recorded(pool) || pool.name == spec.name.as_str();
        self.unreadable.iter().find(is)
    }

    pub(super) fn disk(&self, serial: &str) -> Option<&Disk> {
        self.disks.iter().find(|disk| disk.serial == serial)
    }
}

/// The serial of the disk with a listed name. With the state ONLINE, ZFS has just read the pool's label there;
/// otherwise the labels are searched.
fn serial(inventory: &Inventory, pool: u64, leg: &ImportableLeg) -> Option<String> {
    let device = inventory.around.named(&leg.name);
    let mut disks = inventory.disks.iter();
    let disk = disks.find(|disk| match device {
        Some(device) => {
            let proven = leg.state == "ONLINE" || disk.labels.iter().any(|label| label.pool_guid == pool);
            disk.kernel_path == device.path && proven
        }
        // A missing vdev is listed by its guid.
        None => disk
            .labels
            .iter()
            .any(|label| label.pool_guid == pool && leg.name.parse() == Ok(label.guid)),
    });
    disk.map(|disk| disk.serial.clone()).filter(|serial| !serial.is_empty())
}
