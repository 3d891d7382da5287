use std::path::Path;

use heeler_host::disk::{Disk, DiskState, Found, Inventory, MemberState, inventory};
use heeler_host::lsblk::Device;
use heeler_host::{RunError, System};
use heeler_proto::EraseDisk;

use crate::engine::Plan;
use crate::storage::words;

const FRONT_BYTES: usize = 1 << 20;
/// How lsblk shows swap space among mountpoints.
const SWAP: &str = "[SWAP]";

#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) disk: Disk,
    /// Whether its first MiB is zero. An erasure starts there, and everything that is put on a disk writes there.
    pub(super) front_is_zero: bool,
    pub(super) partitions: Vec<String>,
    /// Its mountpoints, and the devices that have it open.
    pub(super) in_use: Vec<String>,
    /// The commands that end the use, in order.
    pub(super) release: Vec<String>,
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
        release: release(&stack, &in_use),
        front_is_zero,
        partitions: partitions.collect(),
        disk: disk.clone(),
        in_use,
    }
}

/// The commands that end the use: inner mounts first, then what is stacked on the disk, the uppermost first.
fn release(stack: &[&Device], in_use: &[String]) -> Vec<String> {
    let mounts = in_use.iter().rev().filter(|used| !used.starts_with("/dev/"));
    let mounts = mounts.filter(|used| *used != SWAP);
    let mut commands: Vec<String> = mounts.map(|path| format!("umount {}", words::word(path))).collect();
    for one in stack.iter().rev() {
        let swaps = one.mountpoints.iter().any(|path| path == SWAP);
        let program = match one.kind.as_str() {
            "disk" | "part" => None,
            kind if kind.starts_with("raid") || matches!(kind, "linear" | "md") => Some("mdadm --stop"),
            // LVM, LUKS and all other mappings.
            _ => Some("dmsetup remove"),
        };
        for program in swaps.then_some("swapoff").into_iter().chain(program) {
            let command = format!("{program} {}", words::word(&one.path));
            if !commands.contains(&command) {
                commands.push(command);
            }
        }
    }
    commands
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
                "see which disk was meant: heeler disk list; a pool that is not wanted: zpool export {}, on the node",
                words::word(name)
            ),
        )),
        _ if !target.in_use.is_empty() => Some(Plan::blocked(
            format!("{found}; in use: {}", target.in_use.join(", ")),
            "a disk in use is never erased",
            format!("on the node, if it is not needed: {}", target.release.join("; ")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_use_has_its_own_command() {
        let device = |path: &str, kind: &str, mountpoints: &[&str]| Device {
            path: path.into(),
            kind: kind.into(),
            mountpoints: mountpoints.iter().map(|path| (*path).to_owned()).collect(),
            ..Device::default()
        };
        let all = [
            device("/dev/sda", "disk", &[]),
            device("/dev/sda1", "part", &["/srv/my files"]),
            device("/dev/sda2", "part", &["[SWAP]"]),
            device("/dev/md127", "raid1", &[]),
            device("/dev/mapper/open", "crypt", &[]),
            device("/dev/dm-0", "lvm", &["/srv/my files/inner"]),
        ];
        let stack: Vec<&Device> = all.iter().collect();
        let mut in_use: Vec<String> = all.iter().flat_map(|one| one.mountpoints.clone()).collect();
        in_use.extend(all.iter().skip(3).map(|one| one.path.clone()));
        in_use.sort_unstable();
        assert_eq!(
            release(&stack, &in_use).join("; "),
            "umount '/srv/my files/inner'; umount '/srv/my files'; dmsetup remove /dev/dm-0; \
             dmsetup remove /dev/mapper/open; mdadm --stop /dev/md127; swapoff /dev/sda2"
        );
    }
}
