//! Facts about a machine, as the coordinator gets them.

mod hardware;
mod nic;
mod pool;

pub use hardware::{Hardware, hardware};
pub use nic::{Nic, Refusal, nics};
pub use pool::{PoolFact, PoolFacts, pools, pools_alone};

pub use crate::zpool::Vdev as LegFact;

use crate::disk::{Disk, inventory};
use crate::zfs::Module;
use crate::{RunError, System, findmnt, hostid, timedatectl};

/// All facts about a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Names, model, memory.
    pub hardware: Hardware,
    /// All drives.
    pub disks: Vec<Disk>,
    /// Bus addresses of the NVMe slots, in the order of their letters.
    pub slots: Vec<String>,
    /// All wired network cards.
    pub nics: Vec<Nic>,
    /// The imported pools.
    pub pools: PoolFacts,
    /// Size and free bytes of the file system at `/`, for a process without privileges; both 0 when unknown.
    pub root_bytes: (u64, u64),
    /// The host id in `/etc/hostid`; None when there is none.
    pub hostid: Option<u32>,
    /// Version of the loaded ZFS module, such as `2.3.2-2`; empty when it is not loaded.
    pub zfs_version: String,
    /// Whether the clock follows a time server; false when unknown.
    pub clock_synchronised: bool,
    /// When the facts were collected, Unix milliseconds by the machine's own clock.
    pub observed_at_ms: u64,
}

/// Collects all facts; only reads. Fails when a program that every machine needs fails.
pub async fn collect(host: &dyn System) -> Result<Facts, RunError> {
    let inventory = inventory(host).await?;
    Ok(Facts {
        hardware: hardware(host).await?,
        nics: nics(host).await?,
        pools: pools(host, &inventory.around).await,
        root_bytes: findmnt::root_bytes(host).await.unwrap_or_default(),
        hostid: hostid::read(host).await?,
        zfs_version: match &inventory.around.module {
            Module::Loaded { kernel, .. } => kernel.trim_start_matches("zfs-kmod-").to_owned(),
            Module::NotLoaded | Module::NotInstalled | Module::TooOld => String::new(),
        },
        disks: inventory.disks,
        slots: inventory.slots,
        // Without timedated nothing says that the clock is right.
        clock_synchronised: timedatectl::synchronised(host).await.unwrap_or(false),
        observed_at_ms: host.now_ms(),
    })
}
