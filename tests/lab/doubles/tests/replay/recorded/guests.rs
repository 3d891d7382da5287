//! `qm`: virtual machines.

use super::left_out;
use super::members::THREE_NODES;
use crate::case::{Case, Count};

const QEMU_FAILS: &str = "echo '-id: invalid option' >$HEELER_DOUBLES_ROOT/etc/doubles/qemu-fails";
const IMAGES: &str = "a wrong qemu-img on the recorded machine";
const COMMAND_LINE: &str = "the command line of qemu, which no double has";

pub const GUESTS: Case = Case {
    transcript: "qm.txt",
    before: &[],
    left_out: &[
        left_out("qm importdisk", IMAGES),
        left_out("qm disk import", IMAGES),
        left_out("qm set 205 --scsi1", IMAGES),
    ],
    beside: &[],
    expected: Count {
        commands: 62,
        left_out: 3,
        lines: 342,
    },
};

#[test]
fn guests_answer_as_recorded() {
    GUESTS.replay();
}

pub const NOT_STARTED: Case = Case {
    transcript: "qm-start.txt",
    before: &[("pve1", QEMU_FAILS)],
    left_out: &[left_out("qm showcmd", COMMAND_LINE)],
    beside: &[],
    expected: Count {
        commands: 15,
        left_out: 1,
        lines: 88,
    },
};

#[test]
fn a_guest_that_does_not_start_answers_as_recorded() {
    NOT_STARTED.replay();
}

pub const STARTED: Case = Case {
    transcript: "qm-start-shimmed.txt",
    before: &[],
    left_out: &[left_out(
        "qm set 212",
        "a bridge without a card on the recorded machine",
    )],
    beside: &[],
    expected: Count {
        commands: 34,
        left_out: 1,
        lines: 182,
    },
};

#[test]
fn a_guest_that_runs_answers_as_recorded() {
    STARTED.replay();
}

pub const ON_NODES: Case = Case {
    transcript: "qm-cluster.txt",
    before: &[THREE_NODES[0], THREE_NODES[1], THREE_NODES[2], ("pve2", QEMU_FAILS)],
    left_out: &[left_out("qm list; echo", "what pvestatd sent some seconds before")],
    beside: &[],
    expected: Count {
        commands: 13,
        left_out: 1,
        lines: 25,
    },
};

#[test]
fn guests_on_other_nodes_answer_as_recorded() {
    ON_NODES.replay();
}
