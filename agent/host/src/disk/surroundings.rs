use std::path::{Path, PathBuf};

use crate::findmnt::{self, Mount};
use crate::lsblk::{self, Device};
use crate::udev::{self, ById};
use crate::zfs::{self, Module};
use crate::zpool::{self, Importable, PoolStatus};
use crate::{RunError, System};

/// What must be known of the machine before one of its disks can be judged.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Every block device.
    pub devices: Vec<Device>,
    /// Every mount.
    pub mounts: Vec<Mount>,
    /// Every name below `/dev/disk/by-id`.
    pub by_id: ById,
    /// Whether ZFS can be asked.
    pub module: Module,
    /// Imported pools; None when ZFS cannot be asked.
    pub imported: Option<Vec<PoolStatus>>,
    /// Pools that could be imported; None when ZFS cannot be asked.
    pub importable: Option<Vec<Importable>>,
}

impl Surroundings {
    /// Looks at the machine; reads only.
    ///
    /// # Errors
    /// When a program that must be there fails. That ZFS is not there, or not loaded, is no error.
    pub async fn look(host: &dyn System) -> Result<Self, RunError> {
        let module = zfs::module(host).await?;
        let (imported, importable) = match module {
            Module::Loaded { .. } => (Some(zpool::status(host).await?), Some(zpool::importable(host).await?)),
            Module::NotLoaded | Module::NotInstalled | Module::TooOld => (None, None),
        };
        Ok(Self {
            devices: lsblk::devices(host).await?,
            mounts: findmnt::mounts(host).await?,
            by_id: udev::by_id(host).await?,
            module,
            imported,
            importable,
        })
    }

    /// Drives: whole disks that are hardware, and nothing that is made of other devices.
    pub fn disks(&self) -> impl Iterator<Item = &Device> {
        let virtual_ones = [
            "loop", "ram", "zram", "zd", "nbd", "md", "dm-", "sr", "fd", "drbd", "rbd",
        ];
        self.devices.iter().filter(move |device| {
            let name = device.kernel_name();
            let boot_area = name.starts_with("mmcblk") && (name.contains("boot") || name.contains("rpmb"));
            device.kind == "disk" && !boot_area && !virtual_ones.iter().any(|prefix| name.starts_with(prefix))
        })
    }

    /// The disk that a path or a name below `/dev/disk/by-id` leads to, be it the disk's or a partition's.
    #[must_use]
    pub fn disk_of(&self, path: &str) -> Option<&Device> {
        let device: PathBuf = match self.by_id.device(path) {
            Some(device) if !path.starts_with('/') || path.starts_with(udev::BY_ID) => device.to_owned(),
            _ => Path::new(path).to_owned(),
        };
        let mut disks = self.disks();
        disks.find(|disk| disk.stack().iter().any(|one| Path::new(&one.path) == device))
    }
}
