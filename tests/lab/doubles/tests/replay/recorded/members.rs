//! Members that leave, come back, or are away.

use super::left_out;
use crate::case::{Beside, Case, Count};

/// Three nodes, all online.
pub const THREE_NODES: [(&str, &str); 3] = [
    ("pve1", "pvecm create lab --link0 10.99.0.1 --link1 10.99.1.1"),
    (
        "pve2",
        "exchange-keys 10.99.0.1; pvecm add 10.99.0.1 --use_ssh --link0 10.99.0.2 --link1 10.99.1.2",
    ),
    (
        "pve3",
        "exchange-keys 10.99.0.1; pvecm add 10.99.0.1 --use_ssh --link0 10.99.0.3 --link1 10.99.1.3",
    ),
];

pub const REJOIN: Case = Case {
    transcript: "delnode-rejoin.txt",
    before: &[
        THREE_NODES[0],
        ("pve2", "exchange-keys 10.99.0.1"),
        ("pve3", "exchange-keys 10.99.0.1"),
    ],
    left_out: &[left_out(
        "pvecm status; echo rc=$?; pvesh",
        "the file system itself refuses the write",
    )],
    beside: &[
        Beside {
            line: 41,
            node: "pve3",
            script: "power off",
        },
        Beside {
            line: 121,
            node: "pve3",
            script: "reinstall",
        },
        Beside {
            line: 149,
            node: "pve3",
            script: "power off",
        },
        Beside {
            line: 160,
            node: "pve3",
            script: "reinstall",
        },
    ],
    expected: Count {
        commands: 17,
        left_out: 1,
        lines: 168,
    },
};

#[test]
fn a_member_leaves_and_joins_again_as_recorded() {
    REJOIN.replay();
}

pub const AWAY: Case = Case {
    transcript: "offline-node.txt",
    before: &[THREE_NODES[0], THREE_NODES[1], THREE_NODES[2], ("pve3", "power off")],
    left_out: &[],
    beside: &[],
    expected: Count {
        commands: 5,
        left_out: 0,
        lines: 11,
    },
};

#[test]
fn a_member_that_is_away_answers_as_recorded() {
    AWAY.replay();
}

const RACE: &str = "two joins that disturb each other";

pub const AT_ONCE: Case = Case {
    transcript: "concurrent-join.txt",
    before: &[THREE_NODES[0], THREE_NODES[1], THREE_NODES[2], ("pve3", "power off")],
    left_out: &[
        left_out(":1", RACE),
        left_out("systemctl restart corosync; sleep 10", RACE),
        left_out("pvecm nodes; pgrep", RACE),
        left_out(":154", RACE),
        left_out("pvecm nodes; ls /etc/pve/nodes;", RACE),
        left_out("pvesh get /nodes/pve3/status", "the processor of the recorded machine"),
    ],
    beside: &[
        Beside {
            line: 180,
            node: "pve3",
            script: "power on",
        },
        Beside {
            line: 194,
            node: "pve3",
            script: "cd /etc/pve/nodes/pve3; rm pve-ssl.* ssh_known_hosts",
        },
        Beside {
            line: 218,
            node: "pve2",
            script: "cd /etc/pve/nodes/pve2; rm pve-ssl.* ssh_known_hosts",
        },
    ],
    expected: Count {
        commands: 6,
        left_out: 6,
        lines: 140,
    },
};

#[test]
fn nodes_after_two_joins_at_once_answer_as_recorded() {
    AT_ONCE.replay();
}
