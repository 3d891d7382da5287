use std::fmt::Write as _;

use super::{complained, printed};
use crate::Output;
use crate::sim::disk::gpt;
use crate::sim::state::State;

/// `sfdisk --dump DEVICE`.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let ["--dump", path] = args else { return None };
    let Some(device) = state.device(path) else {
        return Some(complained(
            1,
            format!("sfdisk: cannot open {path}: No such file or directory\n"),
        ));
    };
    let disk = &state.disks[device.disk];
    let table = gpt::read(&disk.bytes).filter(|_| device.partition.is_none());
    let Some(table) = table else {
        return Some(complained(
            1,
            format!("sfdisk: {path}: does not contain a recognized partition table\n"),
        ));
    };
    let mut text = format!(
        "label: {}\nlabel-id: {}\ndevice: {path}\nunit: sectors\n",
        table.label, table.id
    );
    if table.label == "gpt" {
        let (first, last) = table.usable;
        let _ = writeln!(text, "first-lba: {first}\nlast-lba: {last}");
    }
    text.push_str("sector-size: 512\n");
    for (index, part) in table.partitions.iter().enumerate() {
        let node = if path.contains("/by-id/") {
            format!("{path}-part{}", part.number)
        } else {
            format!("{path}p{}", part.number)
        };
        let kind = part.kind.trim_start_matches("0x");
        let line = format!(
            "{node} : start={:12}, size={:12}, type={kind}",
            part.start, part.sectors
        );
        let line = match (table.label, part.name.as_str()) {
            ("gpt", "") => format!("{line}, uuid={}", part.uuid),
            ("gpt", name) => format!("{line}, uuid={}, name=\"{name}\"", part.uuid),
            _ => line,
        };
        let _ = writeln!(text, "{}{line}", if index == 0 { "\n" } else { "" });
    }
    Some(printed(text))
}
