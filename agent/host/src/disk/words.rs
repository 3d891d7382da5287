//! Messages about what is on a disk.

use super::{Evidence, MemberState};
use crate::blkid::Probe;
use crate::lsblk::Device;

/// The mountpoints that the machine runs from; None when the disk has none of them.
pub(super) fn system(mounted: &[String]) -> Option<String> {
    let ours = |at: &&String| {
        let at = at.as_str();
        let folders = ["/", "[SWAP]", "/usr", "/var", "/home", "/etc", "/opt", "/srv"];
        folders.contains(&at) || at == "/boot" || at.starts_with("/boot/") || at.starts_with("/var/")
    };
    let found: Vec<&str> = mounted.iter().filter(ours).map(String::as_str).collect();
    (!found.is_empty()).then(|| found.join(", ").replace("[SWAP]", "swap"))
}

/// The message about a leg of a pool.
pub(super) fn member(name: &str, guid: u64, state: MemberState, hostname: &str) -> String {
    // The label of a spare or a cache device does not name its pool.
    if name.is_empty() && guid == 0 {
        return "spare or cache device of a pool that its label does not name".to_owned();
    }
    let last = match hostname {
        "" => String::new(),
        hostname => format!(", last used by {hostname}"),
    };
    match state {
        MemberState::Active => format!("member of pool {name}"),
        MemberState::Exported => format!("member of exported pool {name} ({guid}){last}"),
        MemberState::Destroyed => format!("member of destroyed pool {name} ({guid}){last}"),
        MemberState::Former => format!("former member of pool {name} ({guid}), which continued without it"),
        MemberState::PotentiallyActive => format!("member of pool {name} ({guid}), not exported{last}"),
    }
}

/// The message about anything on the disk but a pool's label; None when nothing is found.
pub(super) fn finding(evidence: &Evidence) -> Option<String> {
    let device = &evidence.device;
    if let Some(at) = evidence.mounted.first() {
        return Some(format!("mounted at {at}"));
    }
    let whole = content(device, evidence.probes.first());
    let table = table(device, evidence.probes.first());
    let signature = || evidence.signatures.first().map(|one| signature(&one.kind));
    let ambivalent = || {
        evidence
            .probes
            .contains(&Probe::Ambivalent)
            .then(|| "signatures of several kinds".to_owned())
    };
    let other = || {
        evidence
            .probes
            .iter()
            .any(|probe| *probe != Probe::Nothing)
            .then(|| "content that blkid recognises".to_owned())
    };
    let holder = || evidence.holders.first().map(|name| format!("held by {name}"));
    let read_only = || device.read_only.then(|| "a disk that cannot be written".to_owned());
    whole
        .or(table)
        .or_else(ambivalent)
        .or_else(signature)
        .or_else(other)
        .or_else(holder)
        .or_else(read_only)
}

/// What the whole disk, or one partition, holds.
fn content(device: &Device, probe: Option<&Probe>) -> Option<String> {
    let tag = |name| match probe {
        Some(Probe::Found(tags)) => tags.get(name).map(String::as_str),
        _ => None,
    };
    let kind = tag("TYPE").or((!device.content.is_empty()).then_some(device.content.as_str()))?;
    let label = tag("LABEL").or((!device.label.is_empty()).then_some(device.label.as_str()));
    Some(match label {
        Some(label) => format!("{} {label:?}", signature(kind)),
        None => signature(kind),
    })
}

fn table(device: &Device, probe: Option<&Probe>) -> Option<String> {
    let probed = match probe {
        Some(Probe::Found(tags)) => tags.get("PTTYPE").map(String::as_str),
        _ => None,
    };
    let kind = probed.or((!device.partition_table.is_empty()).then_some(device.partition_table.as_str()));
    let kind = match kind {
        Some("gpt") => "GPT",
        Some("dos") => "DOS",
        Some(other) => other,
        None if device.children.is_empty() => return None,
        None => "",
    };
    let count = device.children.len();
    let what: Vec<String> = device.children.iter().filter_map(|part| content(part, None)).collect();
    let what = if what.is_empty() {
        String::new()
    } else {
        format!(": {}", what.join(", "))
    };
    Some(match (kind, count) {
        (kind, 0) => format!("empty {kind} partition table"),
        ("", 1) => format!("another device on top of it{what}"),
        (kind, 1) => format!("{kind} partition table with 1 partition{what}"),
        (kind, count) => format!("{kind} partition table with {count} partitions{what}"),
    })
}

fn signature(kind: &str) -> String {
    match kind {
        "LVM2_member" | "LVM1_member" => "LVM physical volume".to_owned(),
        "crypto_LUKS" => "LUKS encrypted volume".to_owned(),
        "linux_raid_member" => "member of a Linux RAID".to_owned(),
        crate::lsblk::UNREADABLE => "a disk that lsblk does not describe completely".to_owned(),
        "zfs_member" => "traces of a ZFS pool".to_owned(),
        "swap" => "swap space".to_owned(),
        "gpt" => "remains of a GPT partition table".to_owned(),
        "dos" | "PMBR" => "remains of a DOS partition table".to_owned(),
        "ext2" | "ext3" | "ext4" | "xfs" | "btrfs" | "vfat" | "exfat" | "ntfs" | "f2fs" | "iso9660" => {
            format!("{kind} file system")
        }
        other => format!("{other} signature"),
    }
}
