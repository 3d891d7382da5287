//! Nodes that join: over ssh, with a password, in vain.

use super::left_out;
use crate::case::{Beside, Case, Count, LeftOut};

const NAMES: &str = "names and order of the logs hold times";

pub const OVER_SSH: Case = Case {
    transcript: "pvecm-add.txt",
    before: &[
        (
            "pve1",
            "pvecm create lab --link0 10.99.0.1 --link1 10.99.1.1; pveum user add early@pam; cd $HEELER_DOUBLES_ROOT; \
             echo F7:7E:F1:00:6F:DC:E8:E5:B8:76:28:06:B0:20:22:32:1E:C3:75:3A:6C:A1:86:67:3D:D6:3F:1A:77:34:0F:A8 \
             >etc/doubles/fingerprint",
        ),
        ("pve2", "pveum user add carol@pam"),
    ],
    left_out: &[
        left_out(":87", "sshd's penalty for failed logins"),
        left_out(":321", NAMES),
    ],
    beside: &[Beside {
        line: 119,
        node: "pve2",
        script: "exchange-keys 10.99.0.1",
    }],
    expected: Count {
        commands: 22,
        left_out: 2,
        lines: 220,
    },
};

#[test]
fn a_node_joins_over_ssh_as_recorded() {
    OVER_SSH.replay();
}

pub const WITH_PASSWORD: Case = Case {
    transcript: "pvecm-add-api.txt",
    before: &[
        (
            "pve1",
            "pvecm create lab --link0 10.99.0.1 --link1 10.99.1.1; pvesm add dir d1 --path /srv/d1; \
             cd $HEELER_DOUBLES_ROOT; echo labroot >etc/doubles/root-password; \
             echo F7:7E:F1:00:6F:DC:E8:E5:B8:76:28:06:B0:20:22:32:1E:C3:75:3A:6C:A1:86:67:3D:D6:3F:1A:77:34:0F:A8 \
             >etc/doubles/fingerprint",
        ),
        (
            "pve2",
            "exchange-keys 10.99.0.1; pvecm add 10.99.0.1 --use_ssh --link0 10.99.0.2 --link1 10.99.1.2",
        ),
    ],
    left_out: &[left_out("tail -n 30 /var/log/pve/tasks/*/*clusterjoin*", NAMES)],
    beside: &[],
    expected: Count {
        commands: 9,
        left_out: 1,
        lines: 63,
    },
};

#[test]
fn a_node_joins_with_a_password_as_recorded() {
    WITH_PASSWORD.replay();
}

pub const ON_A_TERMINAL: Case = Case {
    transcript: "tty-prompts.txt",
    before: &[],
    left_out: &[left_out("pvecm add", "a terminal, on which a person answers")],
    beside: &[],
    expected: Count {
        commands: 0,
        left_out: 2,
        lines: 0,
    },
};

#[test]
fn joins_on_a_terminal_are_left_out() {
    ON_A_TERMINAL.replay();
}

pub const IN_VAIN: Case = Case {
    transcript: "join-hang.txt",
    before: &[
        ("pve1", "pvecm create lab --link0 10.99.0.1 --link1 10.99.1.1"),
        (
            "pve2",
            "exchange-keys 10.99.0.1; printf '172.31.0.2\\n172.31.1.2\\n' >>$HEELER_DOUBLES_ROOT/etc/addresses",
        ),
        ("pve3", "exchange-keys 10.99.0.1"),
    ],
    left_out: &[
        LeftOut {
            command: "timeout 30 pvecm add 10.99.0.1 --use_ssh --link0 172",
            reason: "the signal that ends the wait",
            instead: "timeout 30 pvecm add 10.99.0.1 --use_ssh --link0 172.31.0.2 --link1 172.31.1.2 || true",
        },
        LeftOut {
            command: "systemctl stop pve-cluster corosync; pmxcfs -l",
            reason: "ends the process of pmxcfs",
            instead: "reinstall",
        },
    ],
    beside: &[],
    expected: Count {
        commands: 6,
        left_out: 2,
        lines: 127,
    },
};

#[test]
fn a_join_that_hangs_answers_as_recorded() {
    IN_VAIN.replay();
}
