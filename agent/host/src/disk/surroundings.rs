use std::path::Path;

use super::{Place, evidence::mounted, words};
use crate::findmnt::{self, Mount};
use crate::lsblk::{self, Device};
use crate::udev::{self, ById};
use crate::zfs::{self, Module};
use crate::zpool::{self, Importable, PoolStatus, Unreadable};
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
    /// Imported pools that could be read; None when ZFS cannot be asked.
    pub imported: Option<Vec<PoolStatus>>,
    /// Imported pools that could not.
    pub unreadable: Vec<Unreadable>,
    /// The disks that the legs of imported pools are on.
    pub places: Vec<Place>,
    /// Pools that could be imported; None when ZFS cannot be asked.
    pub importable: Option<Vec<Importable>>,
    /// ZFS did not finish listing them: nothing may be concluded from their absence.
    pub unlisted: bool,
}

impl Surroundings {
    /// Looks at the machine; reads only.
    ///
    /// # Errors
    /// When a program that must be there fails. That ZFS is not there, or not loaded, is no error.
    pub async fn look(host: &dyn System) -> Result<Self, RunError> {
        let mut around = Self::of_pools(host).await?;
        if around.imported.is_some() {
            around.importable = match around.may_hold_more() {
                false => Some(Vec::new()),
                true => match zpool::importable(host).await {
                    Ok(pools) => Some(pools),
                    // One disk that hangs does it; the look at each tells which.
                    Err(RunError::Timeout { .. }) => None,
                    Err(error) => return Err(error),
                },
            };
            around.unlisted = around.importable.is_none();
        }
        Ok(around)
    }

    /// Without the pools that could be imported: to list those reads every device.
    ///
    /// # Errors
    /// As [`Self::look`].
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

    /// Whether a pool that is not imported could be on any disk here: listing those reads every device, which takes
    /// longer than all else.
    fn may_hold_more(&self) -> bool {
        self.disks().any(|disk| {
            let of_system = words::system(&mounted(self, disk)).is_some();
            let no_zfs = disk.stack().iter().all(|one| one.content != "zfs_member");
            !(self.places.iter().any(|place| place.disk == disk.path) || of_system && no_zfs)
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

    /// The disk that a name below `/dev/disk/by-id` leads to, be it the disk's or a partition's.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Device> {
        let device = self.by_id.device(name).filter(|_| !name.contains('/'))?;
        self.below(device).next()
    }

    /// The disks that a block device lies on.
    pub(super) fn below<'a>(&'a self, device: &'a Path) -> impl Iterator<Item = &'a Device> {
        self.disks()
            .filter(move |disk| disk.stack().iter().any(|one| Path::new(&one.path) == device))
    }
}
