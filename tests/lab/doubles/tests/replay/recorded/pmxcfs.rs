//! `pmxcfs`: what it needs before it starts.

use super::left_out;
use crate::case::{Case, Count, LeftOut};

pub const PMXCFS: Case = Case {
    transcript: "pmxcfs-misc.txt",
    before: &[],
    left_out: &[
        LeftOut {
            command: ":1",
            reason: "systemd and its journal",
            instead: "cp /etc/hosts /tmp/h; systemctl stop pve-cluster",
        },
        left_out("systemctl stop pve-cluster; pmxcfs -l", "ends the process of pmxcfs"),
        left_out(
            "systemctl stop pve-cluster; touch /etc/pve/stray; systemctl start pve-cluster; echo rc=$?; sleep 1",
            "systemd",
        ),
        left_out(
            "systemctl stop pve-cluster; touch",
            "a command was missing in the recording",
        ),
        left_out(
            "systemctl stop pve-cluster; rm -f",
            "a command was missing in the recording",
        ),
        left_out("hostname newname", "a host name that changes while pmxcfs runs"),
        left_out("echo > /etc/pve/testfile", "limits of the real file system"),
    ],
    beside: &[],
    expected: Count {
        commands: 2,
        left_out: 8,
        lines: 26,
    },
};

#[test]
fn pmxcfs_starts_as_recorded() {
    PMXCFS.replay();
}
