//! The node has its pool, imported, or created with a consent.

mod arc_capped;
mod datasets_exist;
mod host_id_set;
mod pool_exists;
mod properties_kept;
mod zfs_loaded;
mod zfs_units_enabled;

use heeler_proto::EnsurePool;

use arc_capped::ArcCapped;
use datasets_exist::DatasetsExist;
use host_id_set::HostIdSet;
use pool_exists::PoolExists;
use properties_kept::PropertiesKept;
use zfs_loaded::ZfsLoaded;
use zfs_units_enabled::ZfsUnitsEnabled;

use crate::engine::{AnyStep, Plan};
use crate::task::{Past, Work};

impl Work for EnsurePool {
    const USES_POOL: bool = true;

    /// The host id is set before the module reads it, and the module is loaded before pools are examined.
    fn steps(&self, past: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        let pool = &self.pool;
        vec![
            Box::new(HostIdSet { hostid: pool.hostid }),
            Box::new(ZfsLoaded),
            Box::new(PoolExists::new(self, past.interrupted)),
            Box::new(PropertiesKept::of(pool)),
            Box::new(DatasetsExist {
                datasets: pool.datasets.clone(),
            }),
            Box::new(ArcCapped {
                wanted_bytes: pool.arc_max_bytes,
            }),
            Box::new(ZfsUnitsEnabled),
        ]
    }
}

/// Blocked: ZFS is not installed or too old.
fn no_zfs(found: &str) -> Plan {
    Plan::blocked(
        found,
        "a pool needs ZFS 2.3 or newer, its programs and its kernel module",
        "on the node: apt-get install zfsutils-linux zfs-dkms",
    )
}
