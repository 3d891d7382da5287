use std::path::Path;

use super::{Place, evidence::mounted, words};
use crate::findmnt::{self, Mount};
use crate::lsblk::{self, Device};
use crate::udev::{self, ById};
use crate::zfs::{self, Module};
use crate::zpool::{self, Importable, PoolStatus, Unreadable};
use crate::{RunError, System};

/// The facts about the whole machine that are needed to judge one disk.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// All block devices.
    pub devices: Vec<Device>,
    /// All mounts.
    pub mounts: Vec<Mount>,
    /// All names below `/dev/disk/by-id`.
    pub by_id: ById,
    /// Whether ZFS is installed and loaded.
    pub module: Module,
    /// Imported pools whose status was read; None when ZFS cannot be asked.
    pub imported: Option<Vec<PoolStatus>>,
    /// Imported pools whose status could not be read.
    pub unreadable: Vec<Unreadable>,
    /// The disks that hold the legs of imported pools.
    pub places: Vec<Place>,
    /// Pools that `zpool import` offers; None when ZFS cannot be asked.
    pub importable: Option<Vec<Importable>>,
    /// Whether `zpool import` exceeded its time limit: then a pool that is not listed may exist.
    pub unlisted: bool,
}

impl Surroundings {
    /// Collects the facts; only reads. Fails when a program that all disks need fails. Without ZFS, or with its module
    /// not loaded, it succeeds.
    pub async fn look(host: &dyn System) -> Result<Self, RunError> {
        let mut around = Self::of_pools(host).await?;
        if around.imported.is_some() {
            around.importable = match around.may_hold_more() {
                false => Some(Vec::new()),
                true => match zpool::importable(host).await {
                    Ok(pools) => Some(pools),
                    // One disk that hangs is enough for this; the check of each disk finds which.
                    Err(RunError::Timeout { .. }) => None,
                    Err(error) => return Err(error),
                },
            };
            around.unlisted = around.importable.is_none();
        }
        Ok(around)
    }

    /// Like [`Self::look`], without the pools that could be imported: listing those reads every device. Its errors are
    /// those of [`Self::look`].
    pub async fn of_pools(host: &dyn System) -> Result<Self, RunError> {
        let mut around = Self {
            devices: lsblk::devices(host).await?,
            mounts: findmnt::mounts(host).await?,
            by_id: udev::by_id(host).await?,
            module: zfs::module(host).await?,
            imported: None,
            unreadable: Vec::new(),
            places: Vec::new(),
            importable: None,
            unlisted: false,
        };
        if let Module::Loaded { .. } = around.module {
            around.look_at_pools(host).await?;
        }
        Ok(around)
    }

    /// Whether a disk here could have a pool that is not imported. `zpool import` reads every device, which takes
    /// longer than all other checks.
    fn may_hold_more(&self) -> bool {
        self.disks().any(|disk| {
            let of_system = words::system(&mounted(self, disk)).is_some();
            let no_zfs = disk.stack().iter().all(|one| one.content != "zfs_member");
            !(self.places.iter().any(|place| place.disk == disk.path) || of_system && no_zfs)
        })
    }

    /// The hardware drives: whole disks that are not made of other devices.
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

    /// The disk that a name below `/dev/disk/by-id` leads to, directly or through a partition.
    pub fn named(&self, name: &str) -> Option<&Device> {
        let device = self.by_id.device(name).filter(|_| !name.contains('/'))?;
        self.below(device).next()
    }

    /// The disks that contain a block device.
    pub(super) fn below<'a>(&'a self, device: &'a Path) -> impl Iterator<Item = &'a Device> {
        self.disks()
            .filter(move |disk| disk.stack().iter().any(|one| Path::new(&one.path) == device))
    }
}
