//! Copies of what lives on the SD card, on the node's pool.

use std::path::Path;
use std::time::Duration;

use heeler_host::sim::{Loss, Machine};
use heeler_host::{System as _, config_db, tar};
use heeler_proto::{KeepCopies, PoolName, Task};
use heeler_tasks::engine::Outcome;
use heeler_tasks::snapshot::calendar::Utc;
use heeler_tasks::snapshot::{copy, schedule};

use crate::every_point::at_every_point;
use crate::life::{Life, pi};

const FOLDER: &str = "/data/pve-files/.heeler/node";
const ALL: [&str; 5] = ["config.db", "config.db-wal", "etc.tar.gz", "json", "packages"];

/// An SQLite database of one page, with this mark in it.
fn database(mark: &str) -> Vec<u8> {
    let mut page = vec![0; 512];
    page[..18].copy_from_slice(b"SQLite format 3\0\x02\0");
    page[100..100 + mark.len()].copy_from_slice(mark.as_bytes());
    page
}

fn log(mark: &str) -> Vec<u8> {
    [&[0x37, 0x7f, 0x06, 0x82], mark.as_bytes()].concat()
}

/// A node with a mounted pool, Proxmox's database and a secret.
async fn node() -> Life {
    let life = Life::with_pool().await;
    put(&life.machine, config_db::DATABASE, &database("pages"));
    put(&life.machine, config_db::LOG, &log("frames"));
    put(&life.machine, "/etc/secret", b"hunter2");
    put(&life.machine, "/etc/pve/user.cfg", b"another file system");
    life
}

fn put(machine: &Machine, path: &str, bytes: &[u8]) {
    machine.put_file(path, bytes).unwrap();
}

async fn make(machine: &Machine, keep: u32) -> Result<u64, String> {
    let pool = PoolName::new("data").unwrap();
    copy::make(machine, &KeepCopies { pool, keep }, keep as usize).await
}

async fn newest_s(machine: &Machine) -> Option<u64> {
    copy::newest_s(machine, "data", machine.now_ms() / 1000).await.unwrap()
}

async fn names(machine: &Machine) -> Vec<String> {
    machine.list(Path::new(FOLDER)).await.unwrap_or_default()
}

/// The ends of the names of the copy with that time.
fn ends(names: &[String], at_s: u64) -> Vec<&str> {
    let begin = format!("{}.", Utc::of(at_s).stamp());
    names.iter().filter_map(|name| name.strip_prefix(&begin)).collect()
}

fn in_copy(machine: &Machine, at_s: u64, end: &str) -> Vec<u8> {
    machine
        .file(&format!("{FOLDER}/{}.{end}", Utc::of(at_s).stamp()))
        .unwrap_or_default()
}

#[tokio::test]
async fn the_schedule_is_on_disk_wherever_it_is_interrupted() {
    let task = Task::read("schedule copies", br#"{"pool":"data","keep":14}"#).unwrap();
    at_every_point(
        async || Life::of(pi().build()),
        &task,
        async |life, outcome, at| {
            assert_eq!(outcome, Outcome::Done, "{at}");
            let file = life.machine.file(schedule::COPIES).unwrap();
            assert_eq!(
                String::from_utf8_lossy(&file),
                "heeler copies 1\ndata  14 copies, one a day\n",
                "{at}"
            );
        },
    )
    .await;
    let mut life = Life::of(pi().build());
    assert_eq!(life.apply(&task).await, Outcome::Done);
    let before = life.changes().len();
    assert_eq!(life.apply(&task).await, Outcome::Done);
    assert_eq!(life.changes().len(), before, "a second apply changes nothing");
}

#[tokio::test]
async fn a_copy_has_all_that_lives_on_the_card() {
    let life = node().await;
    let machine = &life.machine;
    let at_s = make(machine, 14).await.unwrap();
    assert_eq!(ends(&names(machine).await, at_s), ALL);
    assert_eq!(in_copy(machine, at_s, "config.db"), database("pages"));
    assert_eq!(in_copy(machine, at_s, "config.db-wal"), log("frames"));
    let etc = in_copy(machine, at_s, "etc.tar.gz");
    let etc = String::from_utf8_lossy(&etc);
    assert!(etc.contains("/etc/secret\nhunter2") && !etc.contains("another file system"));
    let packages = String::from_utf8(in_copy(machine, at_s, "packages")).unwrap();
    assert!(
        packages.lines().count() > 1 && packages.contains("install"),
        "{packages}"
    );
    for name in names(machine).await {
        let mode = machine.mode(&Path::new(FOLDER).join(&name)).await.unwrap();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(machine.file(tar::ARCHIVE), None, "it takes memory from the guests");
    assert_eq!(newest_s(machine).await, Some(at_s));
}

#[tokio::test]
async fn an_interrupted_copy_does_not_count_and_is_cleared() {
    let mut interrupted = 0;
    for loss in [Loss::Power, Loss::Agent] {
        for point in 0.. {
            let life = node().await;
            let machine = &life.machine;
            let first_s = make(machine, 14).await.unwrap();
            machine.pass(Duration::from_secs(copy::DAY_S));
            machine.lose_at(machine.points() + point, loss);
            let cut = tokio::select! {
                biased;
                _ = machine.lost() => true,
                made = make(machine, 14) => made.is_err(),
            };
            if !cut {
                break;
            }
            interrupted += 1;
            match loss {
                Loss::Power => machine.boot(),
                _ => machine.restart_agent(),
            }
            let newest = newest_s(machine).await.unwrap();
            let there = names(machine).await;
            assert_eq!(ends(&there, newest), ALL, "{loss:?} {point}: what counts is whole");
            assert_eq!(ends(&there, first_s), ALL, "{loss:?} {point}");
            machine.pass(Duration::from_secs(60));
            make(machine, 14).await.unwrap();
            let there = names(machine).await;
            assert_eq!(there.len() % ALL.len(), 0, "{loss:?} {point}: {there:?}");
        }
    }
    assert!(interrupted > 20, "{interrupted}");
}

#[tokio::test]
async fn only_the_newest_copies_and_foreign_files_stay() {
    let life = node().await;
    let machine = &life.machine;
    put(machine, &format!("{FOLDER}/20260101T000000Z.notes"), b"mine");
    let left = format!("{FOLDER}/.20260101T000000Z.etc.tar.gz.412-7.new");
    put(machine, &left, b"half");
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(make(machine, 3).await.unwrap());
        machine.pass(Duration::from_secs(copy::DAY_S));
    }
    let there = names(machine).await;
    let counts: Vec<usize> = made.iter().map(|at_s| ends(&there, *at_s).len()).collect();
    assert_eq!(counts, [0, 0, 5, 5, 5]);
    assert_eq!(there.len(), 16, "and the person's file: {there:?}");
}

#[tokio::test]
async fn a_new_copy_stays_after_a_wrong_clock() {
    let life = node().await;
    let machine = &life.machine;
    for at_s in [1_900_000_000, 1_900_100_000] {
        put(machine, &format!("{FOLDER}/{}.json", Utc::of(at_s).stamp()), b"{}");
    }
    let at_s = make(machine, 1).await.unwrap();
    assert_eq!(ends(&names(machine).await, at_s), ALL);
    assert_eq!(newest_s(machine).await, Some(at_s), "one of the future does not count");
}

#[tokio::test]
async fn nothing_is_written_while_the_pool_is_not_mounted() {
    let life = node().await;
    let machine = &life.machine;
    assert_eq!(machine.by_hand("zpool", &["export", "data"]).code, 0);
    let refused = make(machine, 14).await.unwrap_err();
    assert!(refused.contains("no dataset of the pool data is mounted"), "{refused}");
    assert_eq!(names(machine).await, [""; 0], "something is on the card");
}

#[tokio::test]
async fn a_link_below_the_dataset_is_not_followed() {
    let life = node().await;
    life.machine.put_link(FOLDER, "/etc").unwrap();
    let refused = make(&life.machine, 14).await.unwrap_err();
    assert!(refused.contains("is a link"), "{refused}");
}

#[tokio::test]
async fn a_foreign_database_or_a_huge_etc_makes_no_copy() {
    let life = node().await;
    let machine = &life.machine;
    put(machine, config_db::DATABASE, b"somebody's notes");
    let refused = make(machine, 14).await.unwrap_err();
    assert!(refused.contains("not an SQLite database"), "{refused}");
    put(machine, config_db::DATABASE, &database("pages"));
    put(machine, "/etc/large", &vec![b'x'; 33 << 20]);
    let refused = make(machine, 14).await.unwrap_err();
    assert!(refused.contains("more than 32 MiB"), "{refused}");
    assert_eq!(newest_s(machine).await, None);
    assert_eq!(machine.file(tar::ARCHIVE), None);
}

#[tokio::test]
async fn a_node_without_proxmox_is_copied_too() {
    let life = Life::with_pool().await;
    let at_s = make(&life.machine, 14).await.unwrap();
    assert_eq!(
        ends(&names(&life.machine).await, at_s),
        ["etc.tar.gz", "json", "packages"]
    );
}
