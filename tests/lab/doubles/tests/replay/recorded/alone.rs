//! A node that stands alone, and one that makes a cluster of one.

use super::left_out;
use crate::case::{Case, Count};

pub const BOOT: Case = Case {
    transcript: "boot-window.txt",
    before: &[],
    left_out: &[left_out(":1", "pmxcfs came up between two programs of the line")],
    beside: &[],
    expected: Count {
        commands: 5,
        left_out: 1,
        lines: 20,
    },
};

#[test]
fn a_node_that_just_booted_answers_as_recorded() {
    BOOT.replay();
}

pub const STANDALONE: Case = Case {
    transcript: "pvecm-standalone-create.txt",
    before: &[
        ("pve1", "touch $HEELER_DOUBLES_ROOT/etc/doubles/unsettled"),
        // What is older than the recording.
        (
            "pve1",
            "cd /etc/pve/priv; mkdir -p acme lock; touch authkey.key pve-root-ca.key pve-root-ca.srl shadow.cfg tfa.cfg; \
             touch token.cfg; mkdir /etc/ssh/sshd_config.d; touch /etc/ssh/sshd_config.d/pve.conf",
        ),
    ],
    left_out: &[left_out(
        "ls /var/log/pve/tasks/",
        "names and order of the logs hold times",
    )],
    beside: &[],
    expected: Count {
        commands: 34,
        left_out: 1,
        lines: 277,
    },
};

#[test]
fn a_node_that_stands_alone_answers_as_recorded() {
    STANDALONE.replay();
}
