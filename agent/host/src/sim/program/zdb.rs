use std::fmt::Write as _;

use super::{Output, complained};
use crate::sim::state::State;
use crate::sim::zfs::{Label, label};

/// `zdb -l DEVICE`: exit code 0 with labels, 1 when some cannot be read, 2 without any. Needs no module.
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
                text.push_str(&pairs(state, found));
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

fn pairs(state: &State, label: &Label) -> String {
    let config = &label.config;
    let mut text = format!(
        "    version: 5000\n    name: '{}'\n    state: {}\n    txg: {}\n    pool_guid: {}\n    errata: 0\n    \
         min_alloc: 4096\n    max_alloc: 4096\n",
        config.name, config.state as u8, config.txg, config.guid
    );
    if !config.comment.is_empty() {
        let _ = writeln!(text, "    comment: '{}'", config.comment);
    }
    if config.hostid != 0 {
        let _ = writeln!(text, "    hostid: {}", config.hostid);
    }
    let _ = writeln!(text, "    hostname: '{}'", config.hostname);
    let mirrored = config.legs.len() > 1;
    let top = if mirrored { config.mirror_guid } else { label.guid };
    let _ = writeln!(
        text,
        "    top_guid: {top}\n    guid: {}\n    vdev_children: 1\n    vdev_tree:",
        label.guid
    );
    let disk = |text: &mut String, pad: &str, id: usize| {
        let leg = &config.legs[id];
        let name = leg.path.rsplit('/').next().unwrap_or_default();
        let slot = state.phys_path(&leg.path);
        let _ = writeln!(
            text,
            "{pad}type: 'disk'\n{pad}id: {id}\n{pad}guid: {}\n{pad}path: '{}'",
            leg.guid, leg.path
        );
        let _ = writeln!(
            text,
            "{pad}devid: '{name}'\n{pad}phys_path: '{slot}'\n{pad}whole_disk: 1"
        );
    };
    let pad = " ".repeat(8);
    if mirrored {
        let _ = writeln!(
            text,
            "{pad}type: 'mirror'\n{pad}id: 0\n{pad}guid: {}",
            config.mirror_guid
        );
    } else {
        disk(&mut text, &pad, 0);
    }
    let _ = writeln!(
        text,
        "{pad}metaslab_array: 133\n{pad}metaslab_shift: 30\n{pad}ashift: 12"
    );
    let _ = writeln!(
        text,
        "{pad}asize: {}\n{pad}min_alloc: 4096\n{pad}is_log: 0\n{pad}create_txg: 4",
        config.asize
    );
    if mirrored {
        for id in 0..config.legs.len() {
            let _ = writeln!(text, "{pad}children[{id}]:");
            disk(&mut text, &" ".repeat(12), id);
            let _ = writeln!(text, "{pad}    create_txg: 4");
        }
    }
    let features = [
        "com.delphix:hole_birth",
        "com.delphix:embedded_data",
        "com.klarasystems:vdev_zaps_v2",
    ];
    let lines = features.map(|feature| format!("        {feature}\n")).concat();
    text + "    features_for_read:\n" + &lines
}
