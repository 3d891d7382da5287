use heeler_host::disk::{Disk, inventory};
use heeler_host::facts::PoolFact;
use heeler_host::zfs::{Module, module};
use heeler_host::zpool::Importable;
use heeler_host::{RunError, System, hostid};
use heeler_proto::PoolSpec;

use crate::storage::imported;

/// All that is known about pools and disks.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Whether ZFS could be asked. When not, the rest is empty and says nothing.
    pub(super) loaded: bool,
    pub(super) imported: Vec<PoolFact>,
    /// Empty, as are the disks, when the pool is imported already.
    pub(super) importable: Vec<Candidate>,
    pub(super) disks: Vec<Disk>,
    /// Why zpool would refuse the creation that is all that is left to do.
    pub(super) objection: Option<String>,
    /// What `/etc/hostid` holds now.
    pub(super) hostid: Option<u32>,
}

/// A pool that could be imported.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub(super) pool: Importable,
    pub(super) legs: Vec<CandidateLeg>,
}

/// One of its leaves.
#[derive(Debug, Clone)]
pub struct CandidateLeg {
    /// None when its disk is not here.
    pub(super) serial: Option<String>,
    /// ONLINE, and on a disk that is here.
    pub(super) online: bool,
}

impl Candidate {
    /// Serials of the disks that it lies on, as far as they are here.
    pub(super) fn serials(&self) -> impl Iterator<Item = &str> {
        self.legs.iter().filter_map(|leg| leg.serial.as_deref())
    }

    /// Those of its legs that work.
    pub(super) fn online(&self) -> impl Iterator<Item = &str> {
        self.legs
            .iter()
            .filter(|leg| leg.online)
            .filter_map(|leg| leg.serial.as_deref())
    }
}

impl Observed {
    /// ZFS takes the pool for another machine's, and it is this node's own from before it was flashed anew: once the
    /// host id on record is back, it is seen for what it is.
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
        let mut seen = Self {
            loaded: true,
            imported: imported(host).await?,
            hostid: hostid::read(host).await?,
            ..Self::default()
        };
        if seen.imported_as(spec).is_some() {
            return Ok(seen);
        }
        let inventory = inventory(host).await?;
        let importable = inventory.around.importable.clone();
        seen.loaded = importable.is_some();
        for pool in importable.unwrap_or_default() {
            let legs = pool.legs.iter().map(|leg| {
                let serial = inventory.around.serial_of(&leg.name).map(str::to_owned);
                CandidateLeg {
                    online: serial.is_some() && leg.state == "ONLINE",
                    serial,
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

    /// The imported pool that is on record, or has the name of the one that is wanted.
    pub(super) fn imported_as(&self, spec: &PoolSpec) -> Option<&PoolFact> {
        let recorded = |pool: &&PoolFact| spec.recorded_guid.is_some_and(|guid| guid.0 == pool.guid);
        let named = |pool: &&PoolFact| pool.name == spec.name.as_str();
        self.imported
            .iter()
            .find(recorded)
            .or_else(|| self.imported.iter().find(named))
    }

    pub(super) fn disk(&self, serial: &str) -> Option<&Disk> {
        self.disks.iter().find(|disk| disk.serial == serial)
    }
}
