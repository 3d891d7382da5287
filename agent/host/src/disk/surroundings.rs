use std::path::{Path, PathBuf};

use super::{evidence::mounted, words};
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
        let mut around = Self {
            devices: lsblk::devices(host).await?,
            mounts: findmnt::mounts(host).await?,
            by_id: udev::by_id(host).await?,
            module: zfs::module(host).await?,
            imported: None,
            importable: None,
        };
        if let Module::Loaded { .. } = around.module {
            around.imported = Some(zpool::status(host).await?);
            around.importable = Some(if around.may_hold_more() {
                zpool::importable(host).await?
            } else {
                Vec::new()
            });
        }
        Ok(around)
    }

    /// Whether a pool that is not imported could be on any disk here: listing those reads every device, which takes
    /// longer than all else.
    fn may_hold_more(&self) -> bool {
        let legs = self.imported.iter().flatten().flat_map(|pool| &pool.legs);
        let members: Vec<&str> = legs
            .filter_map(|leg| Some(self.disk_of(&leg.path)?.path.as_str()))
            .collect();
        self.disks().any(|disk| {
            let of_system = words::system(&mounted(self, disk)).is_some();
            let no_zfs = disk.stack().iter().all(|one| one.content != "zfs_member");
            !(members.contains(&disk.path.as_str()) || of_system && no_zfs)
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

    /// Serial of the disk that a vdev's path or an importable leg's name leads to; None when it is not there.
    #[must_use]
    pub fn serial_of(&self, path: &str) -> Option<&str> {
        let disk = self.disk_of(path)?;
        Some(disk.serial.as_str()).filter(|serial| !serial.is_empty())
    }
}
