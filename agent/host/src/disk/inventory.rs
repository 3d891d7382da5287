use std::time::Duration;

use super::evidence::begun;
use super::{DiskState, Surroundings, Use, collect, disk_state, slot};
use crate::lsblk::Device;
use crate::side_by_side::side_by_side;
use crate::zdb::Label;
use crate::{RunError, System};

/// A drive of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Serial that the drive reports; empty when it reports none.
    pub serial: String,
    /// Preferred path below `/dev/disk/by-id`; empty when udev made none.
    pub by_id: String,
    /// Model that the drive reports; may be empty.
    pub model: String,
    /// Size of the whole device in bytes.
    pub size_bytes: u64,
    /// `A`, `B`… for NVMe disks, by the order of their bus addresses; None for others and past `Z`.
    pub slot: Option<char>,
    /// nvme, usb, sata, mmc…; empty when unknown.
    pub transport: String,
    /// Kernel's path, such as `/dev/nvme0n1`: only for display, because it can change at boot.
    pub kernel_path: String,
    /// What the disk holds, and whether it may be used.
    pub state: DiskState,
    /// ZFS labels on the disk and its partitions.
    pub labels: Vec<Label>,
    /// [`Evidence::only_marks_of_zfs`](super::Evidence::only_marks_of_zfs).
    pub only_marks_of_zfs: bool,
}

impl Disk {
    /// The state as one word.
    pub const fn in_use(&self) -> Use {
        self.state.in_use()
    }
}

/// The time limit for all checks of one disk that answers slowly: its look reads thousands of places. One that does not
/// answer at all is given up after 10 s. With the commands before, the whole look ends within the three minutes that
/// the coordinator waits.
const PATIENCE: Duration = Duration::from_secs(120);

/// All drives, and what is around them.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// NVMe disks by bus address, then the others by the kernel's name.
    pub disks: Vec<Disk>,
    /// Bus addresses of the NVMe slots, in the order of their letters; includes a slot that is empty now.
    pub slots: Vec<String>,
    /// Block devices, mounts and pools of the machine.
    pub around: Surroundings,
}

/// The result of a search by serial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// One disk has the serial.
    One(&'a Disk),
    /// Several disks report the same serial: none of them may be changed.
    Several(Vec<&'a Disk>),
    /// No disk has the serial.
    Missing,
}

impl Inventory {
    /// Finds the disk with this serial.
    pub fn find(&self, serial: &str) -> Found<'_> {
        let mut found: Vec<&Disk> = self.disks.iter().filter(|disk| disk.serial == serial).collect();
        match (found.pop(), found.is_empty()) {
            (None, _) => Found::Missing,
            (Some(disk), true) => Found::One(disk),
            (Some(disk), false) => {
                found.push(disk);
                Found::Several(found)
            }
        }
    }
}

/// Checks and judges every drive; only reads.
///
/// The disks are checked in parallel, each for at most [`PATIENCE`], so that a slow one does not delay the others.
/// Fails when a program that all disks need fails. A failure on one disk makes only that disk unproven.
pub async fn inventory(host: &dyn System) -> Result<Inventory, RunError> {
    let around = Surroundings::look(host).await?;
    let looks = around.disks().map(|device| {
        let around = &around;
        async move {
            let address = slot::address(host, device.kernel_name()).await;
            (address, judged(host, around, device).await)
        }
    });
    let mut found: Vec<(Option<String>, Disk)> = side_by_side(looks).await;
    found.sort_by(|a, b| (a.0.is_none(), &a.0, &a.1.kernel_path).cmp(&(b.0.is_none(), &b.0, &b.1.kernel_path)));
    let present = found.iter().filter_map(|(address, _)| address.clone()).collect();
    let slots = slot::lettered(host, present).await;
    let mut disks: Vec<Disk> = Vec::with_capacity(found.len());
    for (address, mut disk) in found {
        let index = slots.iter().position(|slot| Some(slot) == address.as_ref());
        disk.slot = index.and_then(slot::letter);
        disks.push(disk);
    }
    refuse_twins(&mut disks);
    Ok(Inventory { disks, slots, around })
}

async fn judged(host: &dyn System, around: &Surroundings, device: &Device) -> Disk {
    let mut seen = None;
    let look = Box::pin(async { seen = Some(collect(host, around, device).await) });
    host.in_time(&device.path, PATIENCE, look).await;
    let answers = seen.is_some();
    let evidence = seen.unwrap_or_else(|| begun(around, device));
    let mut state = disk_state(&evidence);
    if !answers && !matches!(state, DiskState::System { .. } | DiskState::PoolMember { .. }) {
        let missing = format!("this disk did not answer within {} s", PATIENCE.as_secs());
        state = DiskState::Unproven { missing };
    }
    Disk {
        serial: device.serial.clone(),
        by_id: around.by_id.preferred(&device.path, &device.serial).unwrap_or_default(),
        model: device.model.clone(),
        size_bytes: device.size_bytes,
        slot: None,
        transport: device.transport.clone(),
        kernel_path: device.path.clone(),
        state,
        only_marks_of_zfs: evidence.only_marks_of_zfs(),
        labels: evidence.labels.unwrap_or_default(),
    }
}

/// A disk without a serial, or with the serial of another, is never blank: a change by serial could hit the wrong
/// disk.
fn refuse_twins(disks: &mut [Disk]) {
    let serials: Vec<String> = disks.iter().map(|disk| disk.serial.clone()).collect();
    for disk in disks.iter_mut().filter(|disk| disk.state == DiskState::Blank) {
        let same = serials.iter().filter(|serial| **serial == disk.serial).count();
        let finding = match (disk.serial.as_str(), disk.by_id.as_str(), same) {
            ("", ..) => "no serial number".to_owned(),
            (_, "", _) => "no name below /dev/disk/by-id".to_owned(),
            (_, _, 1) => continue,
            (serial, _, count) => format!("serial {serial} on {count} disks"),
        };
        disk.state = DiskState::Foreign { finding };
    }
}
