//! What a machine is made of and holds, for the coordinator and the person.

mod hardware;
mod nic;
mod pool;

pub use hardware::{Hardware, hardware};
pub use nic::{Nic, Refusal, nics};
pub use pool::{LegFact, PoolFact, PoolFacts, pools, pools_alone};

use crate::disk::{Disk, inventory};
use crate::zfs::Module;
use crate::{RunError, System, findmnt, hostid, timedatectl};

/// Everything that a coordinator is told of a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Names, model, memory.
    pub hardware: Hardware,
    /// Every drive.
    pub disks: Vec<Disk>,
    /// Bus addresses of the NVMe slots, in the order of their letters.
    pub slots: Vec<String>,
    /// Every wired network card.
    pub nics: Vec<Nic>,
    /// Imported pools.
    pub pools: PoolFacts,
    /// Of the file system at `/`: its size, and what can still be written; both 0 when it could not be asked.
    pub root_bytes: (u64, u64),
    /// `/etc/hostid`.
    pub hostid: Option<u32>,
    /// Version of the loaded ZFS module; empty when it is not loaded.
    pub zfs_version: String,
    /// Whether the clock follows a time server; false when that cannot be told.
    pub clock_synchronised: bool,
    /// Unix milliseconds by the machine's own clock.
    pub observed_at_ms: u64,
}

/// Looks at the whole machine; reads only.
///
/// # Errors
/// When a program that must be there fails.
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
        // A machine without timedated keeps no time that we could vouch for.
        clock_synchronised: timedatectl::synchronised(host).await.unwrap_or(false),
        observed_at_ms: host.now_ms(),
    })
}
