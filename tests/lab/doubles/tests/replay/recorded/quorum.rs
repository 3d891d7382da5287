//! A cluster that loses its quorum, and a member that is deleted.

use super::left_out;
use super::members::THREE_NODES;
use crate::case::{Beside, Case, Count};

pub const QUORUM: Case = Case {
    transcript: "quorum-delnode.txt",
    before: &[
        THREE_NODES[0],
        THREE_NODES[1],
        THREE_NODES[2],
        ("pve1", "pveum user add early@pam; pvesm add dir d1 --path /srv/d1"),
        ("pve3", "power off"),
    ],
    left_out: &[left_out("touch ", "the file system itself refuses the write")],
    beside: &[
        Beside {
            line: 85,
            node: "pve2",
            script: "power off",
        },
        Beside {
            line: 441,
            node: "pve3",
            script: "power on",
        },
        Beside {
            line: 545,
            node: "pve2",
            script: "power on",
        },
    ],
    expected: Count {
        commands: 46,
        left_out: 1,
        lines: 384,
    },
};

#[test]
fn writes_without_quorum_fail_as_recorded() {
    QUORUM.replay();
}
