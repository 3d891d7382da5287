//! Proxmox has its storages on the pool, and keeps what is heavy off the SD card.

mod storages_active;
mod storages_exist;

use heeler_proto::EnsureStorages;

use super::guests_can_run::GuestsCanRun;
use super::proxmox_up::ProxmoxUp;
use crate::engine::AnyStep;
use crate::task::{Past, Work};

use storages_active::StoragesActive;
use storages_exist::StoragesExist;

impl Work for EnsureStorages {
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        vec![
            Box::new(ProxmoxUp),
            Box::new(GuestsCanRun),
            Box::new(StoragesExist { task: self.clone() }),
            Box::new(StoragesActive { task: self.clone() }),
        ]
    }
}
