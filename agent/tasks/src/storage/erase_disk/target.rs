use std::path::Path;

use heeler_host::disk::{Disk, DiskState, Found, Inventory, MemberState, inventory};
use heeler_host::{RunError, System};
use heeler_proto::EraseDisk;

use crate::engine::Plan;
use crate::storage::words;

const FRONT_BYTES: usize = 1 << 20;

/// The disk to erase.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) disk: Disk,
    /// Whether its first MiB is zero. An erasure starts there, and everything that is put on a disk writes there.
    pub(super) front_is_zero: bool,
    /// Paths of its partitions.
    pub(super) partitions: Vec<String>,
    /// Its mountpoints, and the devices that have it open.
    pub(super) in_use: Vec<String>,
}

/// The disk with the task's serial; blocked unless there is exactly one.
pub(super) async fn look(host: &dyn System, task: &EraseDisk) -> Result<Result<Target, Plan>, RunError> {
    let inventory = inventory(host).await?;
    Ok(match inventory.find(task.serial.as_str()) {
        Found::One(disk) => {
            let front = host.read_device(Path::new(&disk.kernel_path), 0, FRONT_BYTES).await;
            let front_is_zero = front.is_ok_and(|bytes| bytes.iter().all(|byte| *byte == 0));
            Ok(target(&inventory, disk, front_is_zero))
        }
        Found::Missing => Err(missing(&inventory, task)),
        Found::Several(disks) => {
            let paths: Vec<&str> = disks.iter().map(|disk| disk.kernel_path.as_str()).collect();
            Err(Plan::blocked(
                format!(
                    "{} disks say that their serial is {}: {}",
                    disks.len(),
                    task.serial,
                    paths.join(", ")
                ),
                "Heeler cannot tell which of them is meant",
                "take one of them out of the node",
            ))
        }
    })
}

fn target(inventory: &Inventory, disk: &Disk, front_is_zero: bool) -> Target {
    let around = &inventory.around;
    let device = around.disks().find(|device| device.path == disk.kernel_path);
    let stack = device.map(|device| device.stack()).unwrap_or_default();
    let ours = |source: &str| stack.iter().any(|one| one.path == source);
    let mut in_use: Vec<String> = stack.iter().flat_map(|one| one.mountpoints.iter().cloned()).collect();
    in_use.extend(
        around
            .mounts
            .iter()
            .filter(|mount| ours(&mount.source))
            .map(|mount| mount.target.clone()),
    );
    let holders = stack.iter().filter(|one| one.kind != "disk" && one.kind != "part");
    in_use.extend(holders.map(|one| one.path.clone()));
    in_use.sort_unstable();
    in_use.dedup();
    let partitions = stack
        .iter()
        .filter(|one| one.kind == "part")
        .map(|one| one.path.clone());
    Target {
        front_is_zero,
        partitions: partitions.collect(),
        disk: disk.clone(),
        in_use,
    }
}

/// Why it is never erased, whatever the consent; None when it may be.
pub(super) fn refused(task: &EraseDisk, target: &Target) -> Option<Plan> {
    let found = words::finding(&target.disk);
    if let Some(live) = task.live.iter().find(|live| live.serial == task.serial) {
        return Some(Plan::blocked(
            format!(
                "{} is on record as holding pool {} of {}",
                task.serial, live.guid, live.node
            ),
            "a disk on record for an existing pool is never erased, even with a consent",
            "see which disk was meant: heeler disk list",
        ));
    }
    match &target.disk.state {
        DiskState::System { .. } => Some(Plan::blocked(
            found,
            "this node runs from it",
            "see which disk was meant: heeler disk list",
        )),
        DiskState::PoolMember {
            name,
            state: MemberState::Active,
            ..
        } => Some(Plan::blocked(
            found,
            "it is a leg of a pool that is in use",
            format!(
                "see which disk was meant: heeler disk list; a pool that is not wanted: zpool export {name}, on the node"
            ),
        )),
        _ if !target.in_use.is_empty() => Some(Plan::blocked(
            format!("{found}; in use: {}", target.in_use.join(", ")),
            "a disk in use is never erased",
            format!("on the node, if it is not needed: umount {}", target.in_use.join(" ")),
        )),
        _ if target.disk.by_id.is_empty() => Some(Plan::blocked(
            found,
            "it has no name below /dev/disk/by-id, and the kernel's names change from boot to boot",
            "on the node: udevadm trigger; then try again",
        )),
        _ => None,
    }
}

fn missing(inventory: &Inventory, task: &EraseDisk) -> Plan {
    let typed = task.serial.as_str();
    let mut disks = inventory.disks.iter();
    let meant = disks.find_map(|disk| Some((disk, words::slip(typed, &disk.serial)?)));
    let (hint, next) = match meant {
        Some((disk, slip)) => (
            format!(" ({slip})"),
            format!("perhaps: heeler disk erase {}", disk.serial),
        ),
        None => (String::new(), "see which disk was meant: heeler disk list".to_owned()),
    };
    let here = words::list(inventory.disks.iter().map(|disk| disk.serial.as_str()));
    Plan::blocked(
        format!("{typed} is not in this node{hint}. In this node: {here}"),
        "a disk is erased only by its exact serial",
        next,
    )
}
