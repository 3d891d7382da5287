use std::collections::BTreeSet;

use heeler_host::disk::{Disk, DiskState, Use};
use heeler_proto::{PoolSpec, Serial};

use super::observed::Observed;
use crate::engine::{Key, Plan};
use crate::storage::words;

/// The disk of each wanted serial, in their order; blocked unless there is exactly one of each.
pub(super) fn named<'a>(spec: &PoolSpec, seen: &'a Observed) -> Result<Vec<&'a Disk>, Plan> {
    let mut disks = Vec::with_capacity(spec.serials.len());
    for serial in &spec.serials {
        let found: Vec<&Disk> = seen
            .disks
            .iter()
            .filter(|disk| disk.serial == serial.as_str())
            .collect();
        match found.as_slice() {
            [disk] => disks.push(*disk),
            [] => return Err(missing(spec, serial, seen)),
            several => {
                let paths: Vec<&str> = several.iter().map(|disk| disk.kernel_path.as_str()).collect();
                return Err(Plan::blocked(
                    format!(
                        "{} disks say that their serial is {serial}: {}",
                        several.len(),
                        paths.join(", ")
                    ),
                    "Heeler cannot tell which of them is meant",
                    "take one of them out, or name other disks in heeler.toml",
                )
                .at(Key::Disks, serial.as_str()));
            }
        }
    }
    Ok(disks)
}

/// Why these disks cannot be used for a new pool; None when each looks blank. `begun` says that a creation on them
/// was interrupted.
pub(super) fn refused(disks: &[&Disk], begun: bool) -> Option<Plan> {
    let full: Vec<&Disk> = disks
        .iter()
        .filter(|disk| disk.state != DiskState::Blank)
        .copied()
        .collect();
    let first = full.first()?;
    let found: Vec<String> = full.iter().map(|disk| words::finding(disk)).collect();
    let found = found.join("; ");
    if begun && full.iter().all(|disk| disk.only_marks_of_zfs) {
        let why =
            "half-made by Heeler: zpool create was interrupted or failed, and left only its own labels on the disks";
        let next = format!("{}; then: heeler apply", erase(&full));
        return Some(Plan::blocked(found, why, next).at(Key::Disks, &first.serial));
    }
    let why = first.state.refusal().unwrap_or_default();
    let system = full.iter().any(|disk| matches!(disk.in_use(), Use::System | Use::Pool));
    let pools: BTreeSet<&str> = full
        .iter()
        .filter_map(|disk| match &disk.state {
            DiskState::PoolMember { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let elsewhere = "name other disks in heeler.toml: heeler disk list";
    let unproven = full.iter().any(|disk| matches!(disk.state, DiskState::Unproven { .. }));
    let next = if system {
        elsewhere.to_owned()
    } else if unproven {
        // A check that failed says nothing about what is on the disk: never a reason to erase it.
        format!(
            "check it again when the node is less busy: heeler plan; if it stays so, see on the node: dmesg; or {elsewhere}"
        )
    } else if !pools.is_empty() {
        // Other disks may hold the rest of the pool.
        let serials = full.iter().map(|disk| disk.serial.as_str());
        format!("{elsewhere}. {}", words::erase(&words::list(pools), serials))
    } else {
        format!(
            "if nothing on it is needed: {}; else name other disks in heeler.toml",
            erase(&full)
        )
    };
    Some(Plan::blocked(found, why, next).at(Key::Disks, &first.serial))
}

fn erase(disks: &[&Disk]) -> String {
    let commands: Vec<String> = disks
        .iter()
        .map(|disk| format!("heeler disk erase {}", disk.serial))
        .collect();
    commands.join("; ")
}

fn missing(spec: &PoolSpec, serial: &Serial, seen: &Observed) -> Plan {
    let unnamed = |disk: &&Disk| !spec.serials.iter().any(|named| named.as_str() == disk.serial);
    let others: Vec<&Disk> = seen.disks.iter().filter(unnamed).collect();
    let meant = others
        .iter()
        .find_map(|disk| Some((*disk, words::slip(serial.as_str(), &disk.serial)?)));
    let hint = meant.map_or_else(String::new, |(_, slip)| format!(" ({slip})"));
    let free: Vec<&Disk> = others
        .iter()
        .filter(|disk| disk.state == DiskState::Blank)
        .copied()
        .collect();
    let (label, listed) = if free.is_empty() {
        ("Not in heeler.toml", &others)
    } else {
        ("Free", &free)
    };
    let list: Vec<String> = listed.iter().map(|disk| words::finding(disk)).collect();
    let list = if list.is_empty() {
        String::new()
    } else {
        format!(". {label}: {}", list.join("; "))
    };
    let found = format!("{serial} is not in this node{hint}{list}");
    let why = "a pool is made only of the disks that heeler.toml names, all of them present";
    match meant {
        Some((disk, _)) => {
            let edit = format!("{} instead of {serial}", disk.serial);
            Plan::blocked(found, why, "").edit(Key::Disks, serial.as_str(), edit)
        }
        None => Plan::blocked(found, why, "correct its disks in heeler.toml: heeler disk list")
            .at(Key::Disks, serial.as_str()),
    }
}
