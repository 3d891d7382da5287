use std::fmt::Write as _;

use super::{Output, complained};
use crate::sim::state::State;
use crate::sim::zfs::{Label, label};

/// `zdb -l DEVICE`: 0 when there are labels, 1 when some cannot be read, 2 when there is none. Needs no module.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let ["-l", path] = args else { return None };
    let Some(device) = state.device(path) else {
        return Some(complained(
            1,
            format!("cannot stat '{path}': No such file or directory\n"),
        ));
    };
    let labels = label::read(&state.disks[device.disk].bytes, device.start, device.size);
    let mut text = String::new();
    let mut failed = 0;
    let mut shown: Vec<&Label> = Vec::new();
    for (number, found) in labels.iter().enumerate() {
        match found {
            None => {
                let _ = writeln!(text, "failed to unpack label {number}");
                failed += 1;
            }
            Some(found) if shown.contains(&found) => {}
            Some(found) => {
                shown.push(found);
                let same = labels
                    .iter()
                    .enumerate()
                    .filter(|(_, other)| other.as_ref() == Some(found));
                let numbers: Vec<String> = same.map(|(number, _)| format!("{number} ")).collect();
                let rule = "-".repeat(36);
                let _ = writeln!(text, "{rule}\nLABEL {number} \n{rule}");
                text.push_str(&pairs(found));
                let _ = writeln!(text, "    labels = {}", numbers.concat());
            }
        }
    }
    Some(Output {
        code: match failed {
            0 => 0,
            4 => 2,
            _ => 1,
        },
        stdout: text,
        stderr: String::new(),
    })
}

fn pairs(label: &Label) -> String {
    let config = &label.config;
    let mut text = format!(
        "    version: 5000\n    name: '{}'\n    state: {}\n    txg: {}\n    pool_guid: {}\n    errata: 0\n",
        config.name, config.state as u8, config.txg, config.guid
    );
    if config.hostid != 0 {
        let _ = writeln!(text, "    hostid: {}", config.hostid);
    }
    let _ = writeln!(text, "    hostname: '{}'", config.hostname);
    if !config.comment.is_empty() {
        let _ = writeln!(text, "    comment: '{}'", config.comment);
    }
    let mirrored = config.legs.len() > 1;
    let top = if mirrored { config.mirror_guid } else { label.guid };
    let _ = writeln!(
        text,
        "    top_guid: {top}\n    guid: {}\n    vdev_children: 1\n    vdev_tree:",
        label.guid
    );
    let disk = |text: &mut String, indent: usize, id: usize| {
        let leg = &config.legs[id];
        let pad = " ".repeat(indent);
        let _ = write!(
            text,
            "{pad}type: 'disk'\n{pad}id: {id}\n{pad}guid: {}\n{pad}path: '{}'\n{pad}whole_disk: 1\n",
            leg.guid, leg.path
        );
    };
    if mirrored {
        let _ = write!(
            text,
            "        type: 'mirror'\n        id: 0\n        guid: {}\n",
            config.mirror_guid
        );
    } else {
        disk(&mut text, 8, 0);
    }
    let _ = write!(
        text,
        "        metaslab_array: 256\n        metaslab_shift: 30\n        ashift: 12\n        asize: {}\n        is_log: 0\n        create_txg: 4\n",
        config.asize
    );
    if mirrored {
        for id in 0..config.legs.len() {
            let _ = writeln!(text, "        children[{id}]:");
            disk(&mut text, 12, id);
            text.push_str("            create_txg: 4\n");
        }
    }
    text.push_str("    features_for_read:\n        com.delphix:hole_birth\n        com.delphix:embedded_data\n");
    text
}
