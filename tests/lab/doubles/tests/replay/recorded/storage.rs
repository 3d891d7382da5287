//! `pvesm`: storages in folders and in pools.

use super::left_out;
use crate::case::{Case, Count, LeftOut};

const REAL_ZFS: &str = "real ZFS, which the lab has too: no double";

pub const FOLDERS: Case = Case {
    transcript: "pvesm.txt",
    before: &[],
    left_out: &[left_out(
        "pvesm lvmscan",
        "a kernel without device mapper, as no machine of the lab has",
    )],
    beside: &[],
    expected: Count {
        commands: 61,
        left_out: 1,
        lines: 270,
    },
};

#[test]
fn pvesm_with_folders_answers_as_recorded() {
    FOLDERS.replay();
}

pub const POOLS: Case = Case {
    transcript: "pvesm-zfs.txt",
    before: &[("pve4", "mkdir $HEELER_DOUBLES_ROOT/zfs")],
    left_out: &[
        LeftOut {
            command: "zpool create ",
            reason: REAL_ZFS,
            instead: "mkdir -p $HEELER_DOUBLES_ROOT/zfs/tank/vmdata",
        },
        left_out("zfs list ", REAL_ZFS),
        left_out("zfs get ", REAL_ZFS),
        left_out("zpool list;", REAL_ZFS),
        left_out("zpool export tank;", "pvestatd imports the pool again at once"),
        left_out("zpool export tank", REAL_ZFS),
        left_out("pvesh get /nodes/pve4/disks/list", "disks of the recorded machine"),
    ],
    beside: &[],
    expected: Count {
        commands: 28,
        left_out: 7,
        lines: 101,
    },
};

#[test]
fn pvesm_with_pools_answers_as_recorded() {
    POOLS.replay();
}
