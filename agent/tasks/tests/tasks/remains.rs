//! A disk of 256 GB with a file system by real tools and its front wiped never becomes part of a pool.

use std::path::Path;

use heeler_host::disk::{DiskState, NotBlank, Reading, inventory};
use heeler_host::sim::{Content, DiskSpec, Machine};

use crate::life::{A, B, Life, blocked, ensure, pi, spec};

const SIZE: u64 = 256_060_514_304;
const WIPES: [u64; 4] = [1 << 20, 4 << 20, 8 << 20, 64 << 20];

fn recordings() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/fixtures/remains");
    let mut all: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let kind = entry.file_name().into_string().unwrap();
            (kind, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    all.sort();
    all
}

fn machine(recording: &str, wiped: u64) -> Machine {
    let content = Content::Remains(recording.to_owned(), wiped);
    let spec = DiskSpec::holding(A, content).size(SIZE);
    pi().disk(spec).disk(DiskSpec::blank(B).size(SIZE)).build()
}

async fn state(machine: &Machine) -> DiskState {
    let disks = inventory(machine).await.unwrap().disks;
    disks.into_iter().find(|disk| disk.serial == A).unwrap().state
}

/// Where the reading of every byte stops.
async fn read(machine: &Machine) -> u64 {
    let device = format!("/dev/disk/by-id/nvme-SAMSUNG_MZ9LQ128HBHQ-00000_{A}");
    let mut reading = Reading::resume(machine, A, Path::new(&device), SIZE).await.unwrap();
    loop {
        match reading.go_on(machine).await {
            Ok(()) => assert!(!reading.is_whole(), "it was taken for blank"),
            Err(NotBlank::Data { offset, .. }) => return offset,
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn old_data_of_every_kind_is_refused() {
    let recordings = recordings();
    assert!(recordings.len() >= 25, "{}", recordings.len());
    let mut missed = Vec::new();
    for (kind, recording) in &recordings {
        for wiped in WIPES {
            let machine = machine(recording, wiped);
            if machine.is_blank(A) {
                continue;
            }
            match state(&machine).await {
                DiskState::Blank => missed.push(format!("{kind} {}", wiped >> 20)),
                other => assert!(other.refusal().is_some(), "{kind}: {other:?}"),
            }
            assert!(read(&machine).await < SIZE, "{kind}");
        }
    }
    assert_eq!(missed, MISSED, "kind and MiB wiped");
}

/// A few letters between the samples, which only the full reading finds.
const MISSED: [&str; 4] = ["text 1", "text 4", "text 8", "text 64"];

#[tokio::test]
async fn the_look_names_what_it_finds() {
    for (kind, told) in [
        ("ext4", "ext4 superblock at byte 134217728"),
        ("gpt-ext4", "ext4 superblock at byte 135266304"),
        ("xfs", "XFS superblock at byte "),
        ("btrfs", "btrfs superblock at byte 67108864"),
    ] {
        let (_, recording) = recordings().into_iter().find(|(name, _)| name == kind).unwrap();
        let machine = machine(&recording, 64 << 20);
        let finding = state(&machine).await.finding();
        assert!(finding.starts_with(told), "{kind}: {finding}");
    }
}

#[tokio::test]
async fn a_creation_stops_at_data_the_look_missed() {
    let machine = machine("", 0);
    machine.write_disk(A, 200_000_000_001, b"the only copy of a letter");
    let before = machine.hash_disk(A);
    assert_eq!(state(&machine).await, DiskState::Blank);
    let mut life = Life::of(machine.clone());
    let (found, _, next) = blocked(life.apply(&ensure(spec())).await);
    assert_eq!(found, format!("{A}: text at byte 200000000001"));
    assert!(next.contains(&format!("heeler disk erase {A}")), "{next}");
    assert_eq!(machine.hash_disk(A), before);
    assert!(machine.is_blank(B));
}
