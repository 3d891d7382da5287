use super::{Config, Label, PoolState, label};
use crate::sim::state::State;

/// A leg of a pool on a plugged-in disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Present {
    pub(in crate::sim) guid: u64,
    pub(in crate::sim) serial: String,
    pub(in crate::sim) start: u64,
    pub(in crate::sim) size: u64,
    pub(in crate::sim) txg: u64,
    /// `nvme-…_S1-part1`.
    pub(in crate::sim) by_id: String,
}

/// A pool on plugged-in disks, imported or not.
#[derive(Debug, Clone)]
pub(in crate::sim) struct OnDisk {
    /// From the newest label.
    pub(in crate::sim) config: Config,
    pub(in crate::sim) present: Vec<Present>,
    /// Whether a leg with the newest label has readable content.
    pub(in crate::sim) whole: bool,
}

impl State {
    /// All pools with at least one readable label.
    pub(in crate::sim) fn pools_on_disk(&self) -> Vec<OnDisk> {
        let mut pools: Vec<OnDisk> = Vec::new();
        for device in self.devices() {
            let disk = &self.disks[device.disk];
            let labels = label::read(&disk.bytes, device.start, device.size)
                .into_iter()
                .flatten();
            // A label without a transaction group belongs to an incomplete `zpool create`.
            let newest = labels
                .filter(|label| label.config.txg > 0)
                .max_by_key(|label| label.config.txg);
            let Some(Label { config, guid }) = newest else { continue };
            let present = Present {
                guid,
                serial: disk.serial.clone(),
                start: device.start,
                size: device.size,
                txg: config.txg,
                by_id: device.by_id(disk).swap_remove(0),
            };
            let whole = label::contents(&disk.bytes, device.start).is_some();
            match pools.iter_mut().find(|pool| pool.config.guid == config.guid) {
                None => pools.push(OnDisk {
                    config,
                    present: vec![present],
                    whole,
                }),
                Some(pool) if config.txg > pool.config.txg => {
                    pool.config = config;
                    pool.whole = whole;
                    pool.present.push(present);
                }
                Some(pool) => {
                    pool.whole |= whole && config.txg == pool.config.txg;
                    pool.present.push(present);
                }
            }
        }
        pools
    }

    /// The pools that `zpool import` lists.
    pub(in crate::sim) fn importable(&self) -> Vec<OnDisk> {
        let imported = |guid: u64| self.kernel.pools.iter().any(|pool| pool.config.guid == guid);
        let mut pools = self.pools_on_disk();
        pools.retain(|pool| pool.config.state != PoolState::Destroyed && !imported(pool.config.guid));
        pools
    }

    /// The host id as libzfs reads it; 0 when there is none.
    pub(in crate::sim) fn hostid(&self) -> u32 {
        let file = self.os.files.read(std::path::Path::new("/etc/hostid"));
        let bytes = file.ok().and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        bytes.map_or(0, u32::from_le_bytes)
    }

    /// Whether another machine used it last and did not export it.
    pub(in crate::sim) fn was_elsewhere(&self, config: &Config) -> bool {
        config.state == PoolState::Active && config.hostid != self.hostid()
    }
}
