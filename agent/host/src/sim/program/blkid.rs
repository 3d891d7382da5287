use std::fmt::Write as _;

use super::{Output, complained, printed};
use crate::sim::disk::gpt;
use crate::sim::disk::signature;
use crate::sim::state::State;

/// `blkid -p -o export DEVICE`: exit code 2 when it recognises nothing, 8 when the signatures contradict each other.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let ["-p", "-o", "export", path] = args else {
        return None;
    };
    let Some(device) = state.device(path) else {
        return Some(complained(
            2,
            format!("blkid: error: {path}: No such file or directory\n"),
        ));
    };
    let bytes = &state.disks[device.disk].bytes;
    let found = signature::find(bytes, device.start, device.size);
    let table = gpt::read(bytes);
    let mut kinds: Vec<&str> = found.iter().map(|one| one.kind).collect();
    kinds.dedup();
    if kinds.len() > 1 {
        let text = format!(
            "blkid: error: {path}: ambivalent result (probably more filesystems on the device, use wipefs(8) to see more details)\n"
        );
        return Some(complained(8, text));
    }
    let mut text = String::new();
    let mut tag = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}={}", value.replace(' ', "\\ "));
    };
    if let Some(one) = found.first() {
        for (name, value) in [("LABEL", &one.label), ("UUID", &one.uuid)] {
            if let Some(value) = value {
                tag(name, value);
            }
        }
        for (name, value) in &one.extra {
            tag(name, value);
        }
        tag("TYPE", one.kind);
        tag("USAGE", one.usage.unwrap_or("other"));
    }
    match (&device.partition, &table) {
        (None, Some(table)) if found.is_empty() => {
            tag("PTUUID", table.id.to_lowercase().trim_start_matches("0x"));
            tag("PTTYPE", table.label);
        }
        (Some(partition), Some(table)) => {
            tag("PART_ENTRY_SCHEME", table.label);
            if !partition.name.is_empty() {
                tag("PART_ENTRY_NAME", &partition.name);
            }
            tag("PART_ENTRY_UUID", &partition.uuid.to_lowercase());
            tag("PART_ENTRY_TYPE", &partition.kind.to_lowercase());
            tag("PART_ENTRY_NUMBER", &partition.number.to_string());
            tag("PART_ENTRY_OFFSET", &partition.start.to_string());
            tag("PART_ENTRY_SIZE", &partition.sectors.to_string());
            tag("PART_ENTRY_DISK", &format!("259:{}", device.disk));
        }
        _ => {}
    }
    Some(match text.as_str() {
        "" => complained(2, ""),
        tags => printed(format!("DEVNAME={path}\n{tags}")),
    })
}
