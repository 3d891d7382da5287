use std::path::Path;

use super::disk::gpt::{self, Partition};
use super::disk::{Bus, Content, Disk};
use super::state::State;

/// A whole disk, or a partition of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    /// Such as `nvme0n1p1`.
    pub(super) name: String,
    /// Index in the list of plugged-in disks.
    pub(super) disk: usize,
    pub(super) partition: Option<Partition>,
    /// Offset on the disk in bytes.
    pub(super) start: u64,
    pub(super) size: u64,
}

impl Device {
    /// Such as `/dev/nvme0n1p1`.
    pub(super) fn path(&self) -> String {
        format!("/dev/{}", self.name)
    }

    /// The names below /dev/disk/by-id, the preferred one first.
    pub(super) fn by_id(&self, disk: &Disk) -> Vec<String> {
        let names = disk.by_id().into_iter();
        match &self.partition {
            Some(partition) => names.map(|name| format!("{name}-part{}", partition.number)).collect(),
            None => names.collect(),
        }
    }
}

impl State {
    /// Each disk, followed by its partitions.
    pub(super) fn devices(&self) -> Vec<Device> {
        let mut devices = Vec::new();
        for (index, disk) in self.disks.iter().enumerate() {
            let name = disk.kernel_name();
            let table = gpt::read(&disk.bytes);
            devices.push(Device {
                name: name.clone(),
                disk: index,
                partition: None,
                start: 0,
                size: disk.bytes.size(),
            });
            let partitions = table.into_iter().flat_map(|table| table.partitions);
            devices.extend(partitions.map(|partition| Device {
                name: format!("{name}p{}", partition.number),
                disk: index,
                start: partition.start * 512,
                size: partition.sectors * 512,
                partition: Some(partition),
            }));
        }
        devices
    }

    /// The device with this path, also through links.
    pub(super) fn device(&self, path: impl AsRef<Path>) -> Option<Device> {
        let path = path.as_ref();
        let named = |path: &Path| {
            let name = path.strip_prefix("/dev").ok()?.to_str()?;
            self.devices().into_iter().find(|device| device.name == name)
        };
        // The kernel's own name is checked first, because resolving udev's links is slow.
        named(path).or_else(|| named(&self.canonical(path).ok()?))
    }

    /// The bus path of a leg, as ZFS stores it (`phys_path`).
    pub(super) fn phys_path(&self, path: &str) -> String {
        let found = self.device(path).map(|device| self.disks[device.disk].address());
        found.map(|address| format!("pci-{address}-nvme-1")).unwrap_or_default()
    }

    pub(super) fn disk_of(&self, serial: &str) -> Option<usize> {
        self.disks.iter().position(|disk| disk.serial == serial)
    }

    /// A sequence number above all of this boot.
    pub(super) fn next_sequence(&self) -> u64 {
        let all = self.disks.iter().chain(&self.drawer);
        all.map(|disk| disk.sequence).max().unwrap_or(0) + 1
    }

    /// Assigns the kernel's numbers in the order in which the drives answer, which differs at each boot.
    pub(super) fn number_disks(&mut self) {
        let nvme = self
            .disks
            .iter()
            .filter(|disk| matches!(disk.bus, Bus::Nvme(_)))
            .count();
        let turn = self.kernel.boots;
        for (at, disk) in self.disks.iter_mut().enumerate() {
            disk.sequence = at as u64 + 1;
            disk.number = match disk.bus {
                Bus::Nvme(slot) => (slot + turn) % nvme.max(1),
                Bus::Card => 0,
            };
        }
        // Slots may have gaps, and no two disks may share a number.
        let mut taken = Vec::new();
        for disk in &mut self.disks {
            if matches!(disk.bus, Bus::Nvme(_)) {
                while taken.contains(&disk.number) {
                    disk.number += 1;
                }
                taken.push(disk.number);
            }
        }
    }

    /// Whether it is mounted, used as swap, or held by another device.
    pub(super) fn is_held(&self, device: &Device) -> bool {
        self.mounted_at(device).is_some() || self.holder(device).is_some()
    }

    /// The device on top of it.
    pub(super) fn holder(&self, device: &Device) -> Option<&'static str> {
        let lvm = self.disks[device.disk].content == Content::LvmInUse && device.partition.is_none();
        lvm.then_some("dm-0")
    }

    /// Its mountpoint, or `[SWAP]`.
    pub(super) fn mounted_at(&self, device: &Device) -> Option<String> {
        let path = device.path();
        let mounts = self.mounts();
        let found = mounts.iter().find(|mount| mount.source == path);
        let swap = self.kernel.swaps.contains(&path).then(|| "[SWAP]".to_owned());
        found.map(|mount| mount.target.clone()).or(swap)
    }

    /// The imported pool that has it, or its disk, open.
    pub(super) fn pool_on(&self, device: &Device) -> Option<&super::zfs::Imported> {
        let serial = &self.disks.get(device.disk)?.serial;
        let holds = |pool: &&super::zfs::Imported| pool.open.iter().any(|leg| leg.serial.as_ref() == Some(serial));
        let reserved = device
            .partition
            .as_ref()
            .is_some_and(|partition| partition.kind == gpt::ZFS_RESERVED);
        self.kernel.pools.iter().find(holds).filter(|_| !reserved)
    }
}
