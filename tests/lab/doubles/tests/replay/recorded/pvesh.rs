//! `pvesh`: the API on the command line.

use super::left_out;
use super::members::THREE_NODES;
use crate::case::{Case, Count};

pub const PVESH: Case = Case {
    transcript: "pvesh.txt",
    before: &[
        THREE_NODES[0],
        THREE_NODES[1],
        THREE_NODES[2],
        (
            "pve1",
            "pveum user add alice@pam; pveum acl modify / --users alice@pam --roles Administrator",
        ),
    ],
    left_out: &[
        left_out("pvesh get /nodes/pve1/services", "units of the recorded machine"),
        left_out("pvesh get /nodes/pve1/disks/list", "disks of the recorded machine"),
        left_out("pvesh get /nodes/pve1/apt/", "packages of the recorded machine"),
        left_out(
            "pvesh get /nodes/pve1/certificates/",
            "certificates of the recorded machine",
        ),
        left_out("pvesh usage", "a text for people, which no program reads"),
        left_out("pveversion -v", "packages of the recorded machine"),
    ],
    beside: &[],
    expected: Count {
        commands: 30,
        left_out: 6,
        lines: 72,
    },
};

#[test]
fn pvesh_answers_as_recorded() {
    PVESH.replay();
}

pub const TASKS: Case = Case {
    transcript: "pvesh-tasks.txt",
    before: &[(
        "pve1",
        "echo '-id: invalid option' >$HEELER_DOUBLES_ROOT/etc/doubles/qemu-fails",
    )],
    left_out: &[],
    beside: &[],
    expected: Count {
        commands: 9,
        left_out: 0,
        lines: 35,
    },
};

#[test]
fn tasks_answer_as_recorded() {
    TASKS.replay();
}

pub const HTTP: Case = Case {
    transcript: "http-api.txt",
    before: &[],
    left_out: &[left_out(
        "curl ",
        "HTTP: the doubles have no daemon for it, and no agent asks it",
    )],
    beside: &[],
    expected: Count {
        commands: 0,
        left_out: 14,
        lines: 0,
    },
};

#[test]
fn the_api_over_http_is_left_out() {
    HTTP.replay();
}
