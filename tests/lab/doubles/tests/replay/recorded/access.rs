//! `pveum`: people, groups, tokens, roles; without pmxcfs, and as somebody else than root.

use super::left_out;
use super::members::THREE_NODES;
use crate::case::{Case, Count, LeftOut};

pub const PVEUM: Case = Case {
    transcript: "pveum.txt",
    before: &[],
    left_out: &[left_out("getent ", "users of the machine that runs the test")],
    beside: &[],
    expected: Count {
        commands: 55,
        left_out: 1,
        lines: 232,
    },
};

#[test]
fn pveum_answers_as_recorded() {
    PVEUM.replay();
}

pub const PVEUM_WITHOUT_PMXCFS: Case = Case {
    transcript: "pveum-pmxcfs-down.txt",
    before: &[],
    left_out: &[left_out("kill -9 ", "ends the process of pmxcfs")],
    beside: &[],
    expected: Count {
        commands: 19,
        left_out: 1,
        lines: 79,
    },
};

#[test]
fn pveum_without_pmxcfs_answers_as_recorded() {
    PVEUM_WITHOUT_PMXCFS.replay();
}

pub const ERROR_NUMBERS: Case = Case {
    transcript: "exitcode-errno.txt",
    before: &[
        (
            "pve1",
            "for n in b2 b3 b4 b5; do pveum user add $n@pam; done; touch /etc/pve/corosync.conf",
        ),
        (
            "pve1",
            "cd /etc/pve/priv; mkdir acme lock; touch authkey.key authorized_keys known_hosts tfa.cfg",
        ),
        (
            "pve1",
            "touch /etc/pve/priv/pve-root-ca.key /etc/pve/priv/pve-root-ca.srl",
        ),
    ],
    left_out: &[left_out("strace ", "system calls of Perl")],
    beside: &[],
    expected: Count {
        commands: 7,
        left_out: 1,
        lines: 46,
    },
};

#[test]
fn left_over_error_numbers_are_as_recorded() {
    ERROR_NUMBERS.replay();
}

pub const OTHERS_THAN_ROOT: Case = Case {
    transcript: "misc.txt",
    before: &THREE_NODES,
    left_out: &[LeftOut {
        command: "LANG=de_DE",
        reason: "Perl's warnings about a locale that is not installed",
        instead: "pveum user add b1@pam",
    }],
    beside: &[],
    expected: Count {
        commands: 9,
        left_out: 1,
        lines: 76,
    },
};

#[test]
fn others_than_root_are_refused_as_recorded() {
    OTHERS_THAN_ROOT.replay();
}

pub const WRITERS: Case = Case {
    transcript: "concurrent-writers.txt",
    before: &[],
    left_out: &[left_out("concurrent: pve2 and pve3", "which writer is first")],
    beside: &[],
    expected: Count {
        commands: 0,
        left_out: 1,
        lines: 0,
    },
};

#[test]
fn writers_on_two_nodes_are_left_out() {
    WRITERS.replay();
}
