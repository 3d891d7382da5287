//! The simulated machine prints what the real programs printed: the same text except for guids and dates, and the
//! same JSON keys.

use std::collections::BTreeSet;
use std::path::PathBuf;

use heeler_host::Output;
use heeler_host::sim::{Content, DiskSpec, Machine};
use serde_json::Value;

use crate::{A, B, node};

mod disks;
mod machine;
mod odd;
mod packages;
mod pools;
mod snapshots;

const UTIL: &str = "util-linux-2.41.5";
const ZFS: &str = "zfs-2.3.9";

/// The lab's disks.
fn lab(content: Content) -> Machine {
    let disk = |serial: &str, content: Content| DiskSpec {
        serial: serial.to_owned(),
        model: "QEMU NVMe Ctrl".to_owned(),
        size_bytes: 2 << 30,
        content,
    };
    // The time when another host's pool was recorded.
    let clock_ms = 1_795_357_898_000;
    node()
        .clock(clock_ms)
        .disk(disk(A, content))
        .disk(disk(B, Content::Blank))
        .build()
}

fn path(serial: &str) -> String {
    format!("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{serial}")
}

fn recorded(folder: &str, name: &str) -> Output {
    let file = |end: &str| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures")
            .join(folder)
            .join(format!("{name}.{end}"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Output {
        code: file("rc").trim().parse().expect("a number"),
        stdout: file("stdout"),
        stderr: file("stderr"),
    }
}

/// Replaces guids, UUIDs and large numbers, which differ between machines, by `#`.
fn without_numbers(text: &str) -> String {
    let odd = |word: &str| {
        let hex = word.chars().all(|c| c.is_ascii_hexdigit());
        word.len() >= 6 && hex && word.chars().any(|c| c.is_ascii_digit())
    };
    let uuid = |word: &str| {
        let lengths: Vec<usize> = word.split('-').map(str::len).collect();
        lengths == [8, 4, 4, 4, 12]
    };
    let plain = |word: &str| match word {
        word if uuid(word) => "#".to_owned(),
        word => word
            .split('-')
            .map(|part| if odd(part) { "#" } else { part })
            .collect::<Vec<_>>()
            .join("-"),
    };
    let mut bare = String::new();
    let mut at = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            at.push(c);
        } else {
            bare.push_str(&plain(&at));
            bare.push(c);
            at.clear();
        }
    }
    bare.trim_end().to_owned()
}

fn same_text(ours: &Output, folder: &str, name: &str) {
    let real = recorded(folder, name);
    assert_eq!(
        without_numbers(&ours.stdout),
        without_numbers(&real.stdout),
        "{name}: stdout"
    );
    assert_eq!(
        without_numbers(&ours.stderr),
        without_numbers(&real.stderr),
        "{name}: stderr"
    );
    assert_eq!(ours.code, real.code, "{name}: exit code");
}

/// All paths of keys; names of pools, datasets and vdevs become `*`.
fn keys(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        let named = [".pools", ".datasets", ".vdevs"].iter().any(|end| at.ends_with(end));
        match value {
            Value::Object(fields) => {
                for (key, below) in fields {
                    let key = if named { "*" } else { key };
                    walk(below, &format!("{at}.{key}"), found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{at}[]"), found)),
            _ => {}
        }
        found.insert(at.to_owned());
    }
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found
}

/// Keys of the real output that the simulation may lack, because no parser reads them.
fn left_out(key: &str) -> bool {
    ["feature@", ".scan_stats", ".scan_processed"]
        .iter()
        .any(|part| key.contains(part))
}

fn same_keys(ours: &Output, folder: &str, name: &str) {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let real = recorded(folder, name);
    let real_keys: BTreeSet<String> = keys(&parse(&real.stdout))
        .into_iter()
        .filter(|key| !left_out(key))
        .collect();
    assert_eq!(keys(&parse(&ours.stdout)), real_keys, "{name}");
    assert_eq!((ours.code, &ours.stderr), (real.code, &real.stderr), "{name}");
}

/// The tag names in the output of `blkid -o export`.
fn tags(output: &Output) -> BTreeSet<&str> {
    output
        .stdout
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .collect()
}

/// Device, offset and type of each signature, in order.
fn same_signatures(ours: &Output, name: &str) {
    let signatures = |output: &Output| {
        let all = serde_json::from_str::<Value>(&output.stdout).expect("JSON")["signatures"].clone();
        let bare = |one: &Value| [&one["device"], &one["offset"], &one["type"]].map(Value::clone);
        all.as_array().expect("a list").iter().map(bare).collect::<Vec<_>>()
    };
    assert_eq!(signatures(ours), signatures(&recorded(UTIL, name)), "{name}");
}
