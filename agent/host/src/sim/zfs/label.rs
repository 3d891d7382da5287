use serde::{Deserialize, Serialize};

use super::{Config, Contents};
use crate::sim::disk::Bytes;
use crate::sim::disk::signature::Signature;

const KIB: u64 = 1 << 10;
const LABEL: u64 = 256 * KIB;
/// Size of the name-value pairs in a label.
const PAIRS: u64 = 16 * KIB;
/// Size of the uberblocks in a label: a ring with one for each transaction group.
const RING: u64 = 128 * KIB;
const UBERBLOCK: u64 = 4 * KIB;
/// Offset of the pool's content, where real ZFS has its first metaslab.
const CONTENTS: u64 = 4096 * KIB;
const MAGIC: u64 = 0x00ba_b10c;

/// One of the four labels of a vdev.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Label {
    pub(in crate::sim) config: Config,
    /// Guid of the vdev with this label.
    pub(in crate::sim) guid: u64,
}

/// Offsets of the four labels: two at the start, two at the end.
fn places(start: u64, size: u64) -> [u64; 4] {
    let end = start + size / LABEL * LABEL;
    [start, start + LABEL, end - 2 * LABEL, end - LABEL]
}

fn put(disk: &mut Bytes, at: u64, room: u64, value: &impl Serialize) {
    let json = serde_json::to_vec(value).unwrap_or_default();
    assert!(
        json.len() as u64 + 4 <= room,
        "the simulated pool holds too much: {} bytes",
        json.len()
    );
    disk.clear(at, room);
    disk.write(at, &(json.len() as u32).to_le_bytes());
    disk.write(at + 4, &json);
}

fn get<T: for<'a> Deserialize<'a>>(disk: &Bytes, at: u64, room: u64) -> Option<T> {
    let length = disk.read(at, 4).try_into().map(u32::from_le_bytes).ok()?;
    if length == 0 || u64::from(length) > room {
        return None;
    }
    serde_json::from_slice(&disk.read(at + 4, length as usize)).ok()
}

/// Writes labels without a pool's state, as an interrupted `zpool create` leaves them (`vdev_label_init`).
pub(in crate::sim) fn write_bare(disk: &mut Bytes, start: u64, size: u64, config: &Config, guid: u64) {
    let config = Config {
        txg: 0,
        ..config.clone()
    };
    for at in places(start, size) {
        disk.clear(at, LABEL);
        put(
            disk,
            at + PAIRS,
            112 * KIB,
            &Label {
                config: config.clone(),
                guid,
            },
        );
    }
}

/// Writes the pool as of `config.txg` to one leg.
pub(in crate::sim) fn write(disk: &mut Bytes, start: u64, size: u64, config: &Config, contents: &Contents, guid: u64) {
    put(disk, start + CONTENTS, 64 << 20, contents);
    for at in places(start, size) {
        put(
            disk,
            at + PAIRS,
            112 * KIB,
            &Label {
                config: config.clone(),
                guid,
            },
        );
        let slot = at + RING + config.txg % 32 * UBERBLOCK;
        disk.write(slot, &MAGIC.to_le_bytes());
        disk.write(slot + 8, &5000_u64.to_le_bytes());
        disk.write(slot + 16, &config.txg.to_le_bytes());
    }
}

/// Reads labels 0 to 3; None for one that cannot be read.
pub(in crate::sim) fn read(disk: &Bytes, start: u64, size: u64) -> [Option<Label>; 4] {
    if size < 64 << 20 {
        return [const { None }; 4];
    }
    places(start, size).map(|at| get(disk, at + PAIRS, 112 * KIB))
}

/// Reads the pool's content; None when it is damaged.
pub(in crate::sim) fn contents(disk: &Bytes, start: u64) -> Option<Contents> {
    get(disk, start + CONTENTS, 64 << 20)
}

/// Clears all four labels, as `zpool labelclear` does.
pub(in crate::sim) fn clear(disk: &mut Bytes, start: u64, size: u64) {
    for at in places(start, size) {
        disk.clear(at, LABEL);
    }
}

/// The signatures that libblkid reports for a leg (util-linux 2.41), from the name-value pairs of each label.
pub(in crate::sim) fn signatures(disk: &Bytes, start: u64, size: u64) -> Vec<Signature> {
    let found = places(start, size).into_iter().zip(read(disk, start, size));
    let extra = |label: &Label| {
        let values = [
            ("VERSION", "5000"),
            ("FSBLOCKSIZE", "4096"),
            ("BLOCK_SIZE", "4096"),
            ("ENDIANNESS", "LITTLE"),
        ];
        let values = values.map(|(name, value)| (name, value.to_owned()));
        values
            .into_iter()
            .chain([("UUID_SUB", label.guid.to_string())])
            .collect()
    };
    found
        .filter_map(|(at, label)| {
            let label = label?;
            Some(Signature {
                offset: at + PAIRS - start,
                kind: "zfs_member",
                uuid: Some(label.config.guid.to_string()),
                label: Some(label.config.name.clone()),
                usage: Some("filesystem"),
                extra: extra(&label),
            })
        })
        .collect()
}
