//! The transcripts, what each needs, and what is left out of it.

mod access;
mod alone;
mod clusters;
mod guests;
mod joins;
pub mod members;
mod pmxcfs;
mod pvesh;
mod quorum;
mod storage;

use std::fs;
use std::path::Path;

use crate::case::{Case, Count, LeftOut};

const ALL: [&Case; 28] = [
    &access::PVEUM,
    &access::PVEUM_WITHOUT_PMXCFS,
    &access::ERROR_NUMBERS,
    &access::OTHERS_THAN_ROOT,
    &clusters::CREATE,
    &clusters::FAILURES,
    &clusters::SSH,
    &joins::OVER_SSH,
    &joins::WITH_PASSWORD,
    &joins::ON_A_TERMINAL,
    &joins::IN_VAIN,
    &members::REJOIN,
    &members::AWAY,
    &members::AT_ONCE,
    &alone::BOOT,
    &alone::STANDALONE,
    &pmxcfs::PMXCFS,
    &access::WRITERS,
    &guests::GUESTS,
    &guests::NOT_STARTED,
    &guests::STARTED,
    &guests::ON_NODES,
    &pvesh::TASKS,
    &pvesh::HTTP,
    &pvesh::PVESH,
    &quorum::QUORUM,
    &storage::FOLDERS,
    &storage::POOLS,
];

const fn left_out(command: &'static str, reason: &'static str) -> LeftOut {
    LeftOut::new(command, reason)
}

#[test]
fn every_transcript_is_replayed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let files = fs::read_dir(folder).unwrap();
    let mut files: Vec<String> = files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    let mut replayed: Vec<&str> = ALL.iter().map(|case| case.transcript).collect();
    files.sort();
    replayed.sort_unstable();
    assert_eq!(files, replayed);
}

/// Each replay proves its own part of this sum.
#[test]
fn the_lines_of_all_transcripts_are_counted() {
    let mut sum = Count::default();
    for Case { expected, .. } in ALL {
        sum.commands += expected.commands;
        sum.left_out += expected.left_out;
        sum.lines += expected.lines;
    }
    let expected = Count {
        commands: 500,
        left_out: 65,
        lines: 3058,
    };
    assert_eq!(sum, expected);
}
