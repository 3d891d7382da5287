//! A cluster of one node: how it is made, and how that fails.

use super::left_out;
use crate::case::{Case, Count};

pub const CREATE: Case = Case {
    transcript: "pvecm-create.txt",
    before: &[("pve1", "touch $HEELER_DOUBLES_ROOT/etc/doubles/unsettled")],
    left_out: &[],
    beside: &[],
    expected: Count {
        commands: 1,
        left_out: 0,
        lines: 18,
    },
};

#[test]
fn a_cluster_is_made_as_recorded() {
    CREATE.replay();
}

pub const FAILURES: Case = Case {
    transcript: "create-failures.txt",
    before: &[],
    left_out: &[],
    beside: &[],
    expected: Count {
        commands: 5,
        left_out: 0,
        lines: 56,
    },
};

#[test]
fn a_cluster_fails_as_recorded() {
    FAILURES.replay();
}

pub const SSH: Case = Case {
    transcript: "ssh-config-effects.txt",
    before: &[],
    left_out: &[left_out(
        "pvecm create",
        "the whole configuration and the keys of a real sshd",
    )],
    beside: &[],
    expected: Count {
        commands: 0,
        left_out: 1,
        lines: 0,
    },
};

#[test]
fn what_a_cluster_does_to_sshd_is_left_out() {
    SSH.replay();
}
