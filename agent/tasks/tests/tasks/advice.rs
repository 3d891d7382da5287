//! Following each advice literally loses or hides no file, and the next plan gets further.

use heeler_proto::v1::StepOutcome;
use heeler_tasks::engine::Outcome;

use crate::life::{FILE, Life, blocked, ensure};

const OTHER: &str = "/data/pve-files/other";

/// Runs the commands in `next`; other words are for the person.
fn follow(life: &Life, next: &str) -> usize {
    let typed = next.split_once("on the node: ").unwrap().1;
    let typed = typed.split("; then: heeler").next().unwrap_or_default();
    let mut count = 0;
    for command in typed.split("; ").flat_map(|part| part.split(" && ")) {
        let words: Vec<&str> = command.trim_start_matches("then: ").split(' ').collect();
        let known = ["zfs", "zpool", "mkdir", "mount", "umount"];
        let Some(program) = known.into_iter().find(|program| *program == words[0]) else {
            continue;
        };
        let done = life.machine.by_hand(program, &words[1..]);
        assert!(done.ok(), "{command}: {}", done.stderr);
        count += 1;
    }
    count
}

fn hand(life: &Life, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    let program = if words[0] == "zfs" { "zfs" } else { "zpool" };
    let done = life.machine.by_hand(program, &words[1..]);
    assert!(done.ok(), "{line}: {}", done.stderr);
}

#[tokio::test]
async fn renaming_back_hides_no_data() {
    for more in [
        &[][..],
        &["zfs set mountpoint=/srv/files data/old-files"],
        &["zfs set canmount=off data/old-files"],
        &["zfs set mountpoint=none data/old-files"],
    ] {
        let mut life = Life::with_pool().await;
        let task = ensure(life.recorded().await);
        hand(&life, "zfs rename data/pve-files data/old-files");
        more.iter().for_each(|line| hand(&life, line));
        let (found, _, next) = blocked(life.apply(&task).await);
        assert!(found.contains("data/old-files"), "{found}");
        assert!(
            !life.machine.by_hand("zfs", &["mount", "data/pve-files"]).ok(),
            "it was made"
        );
        assert_eq!(follow(&life, &next), 1, "{next}");
        assert_eq!(life.apply(&task).await, Outcome::Done, "{more:?}");
        assert_eq!(life.machine.file(FILE).unwrap(), b"precious");
    }
}

#[tokio::test]
async fn an_unmounted_renamed_dataset_is_found() {
    let mut life = Life::with_pool().await;
    let task = ensure(life.recorded().await);
    hand(&life, "zfs rename data/vm data/guests");
    let (_, _, next) = blocked(life.apply(&task).await);
    assert!(next.contains("zfs rename data/guests data/vm"), "{next}");
    follow(&life, &next);
    assert_eq!(life.apply(&task).await, Outcome::Done);
}

#[tokio::test]
async fn a_foreign_mount_stays_reachable() {
    let mut life = Life::with_pool().await;
    let task = ensure(life.recorded().await);
    hand(&life, "zfs create -o mountpoint=/data/pve-files data/others");
    life.machine.put_file(OTHER, b"theirs").unwrap();
    let (_, _, next) = blocked(life.apply(&task).await);
    follow(&life, &next);
    assert_eq!(life.apply(&task).await, Outcome::Done);
    assert_eq!(life.machine.file(FILE).unwrap(), b"precious");
    assert_eq!(life.machine.file("/mnt/data/others/other").unwrap(), b"theirs");

    let bind = ["--bind", "/boot/firmware", "/data/pve-files"];
    assert!(life.machine.by_hand("mount", &bind).ok());
    let (_, _, next) = blocked(life.apply(&task).await);
    assert_eq!(follow(&life, &next), 3, "{next}");
    assert_eq!(life.apply(&task).await, Outcome::Done);
    assert_eq!(life.machine.file(FILE).unwrap(), b"precious");
    let mounted = life
        .machine
        .by_hand("findmnt", &["-J", "-v", "-o", "SOURCE,TARGET,FSTYPE"]);
    assert!(mounted.stdout.contains("/mnt/data/pve-files"), "{}", mounted.stdout);
}

#[tokio::test]
async fn a_readonly_pool_becomes_writable_by_the_advice() {
    let mut life = Life::with_pool().await;
    let task = ensure(life.recorded().await);
    hand(&life, "zpool export data");
    hand(&life, "zpool import -o readonly=on data");
    let (found, _, next) = blocked(life.apply(&task).await);
    assert!(found.contains("readonly=on"), "{found}");
    follow(&life, &next);
    assert_eq!(life.apply(&task).await, Outcome::Done);
    assert_eq!(life.machine.file(FILE).unwrap(), b"precious");
}

#[tokio::test]
async fn host_id_advice_brings_the_pool_back() {
    let mut life = Life::with_pool().await;
    let task = ensure(life.recorded().await);
    life.machine.put_file("/etc/hostid", &[1, 2, 3, 4]).unwrap();
    let (found, _, next) = blocked(life.apply(&task).await);
    assert!(found.contains("while data is imported"), "{found}");
    follow(&life, &next);
    assert_eq!(life.apply(&task).await, Outcome::Done);
    assert_eq!(life.machine.file(FILE).unwrap(), b"precious");
}

#[tokio::test]
async fn a_pool_with_another_comment_is_claimed_with_its_data() {
    let mut life = Life::with_pool().await;
    let task = ensure(crate::life::spec());
    hand(&life, "zpool set comment=somebody data");
    let (_, _, next) = blocked(life.apply(&task).await);
    let next = next.split(". If not").next().unwrap().to_owned();
    follow(&life, &next);
    assert_eq!(life.apply(&task).await, Outcome::Done);
    assert_eq!(life.machine.file(FILE).unwrap(), b"precious");
}

#[tokio::test]
async fn no_advice_forces_an_import() {
    let life = Life::with_pool().await;
    let task = ensure(heeler_proto::PoolSpec {
        hostid: heeler_proto::HostId(7),
        ..life.recorded().await
    });
    let other = crate::life::pi().build();
    for serial in [crate::life::A, crate::life::B] {
        life.machine.move_disk(serial, &other);
    }
    let mut there = Life::of(other);
    let (_, _, next) = blocked(there.apply(&task).await);
    assert!(!next.contains(" -f") && next.contains("zpool export data"), "{next}");
}

#[tokio::test]
async fn corrected_properties_survive_a_power_cut() {
    for line in [
        "zpool set cachefile=none data",
        "zpool set autotrim=off data",
        "zpool set comment=mine data",
        "zpool set ashift=9 data",
        "zfs set compression=off data",
        "zfs set acltype=off data",
        "zfs set atime=on data",
        "zfs set canmount=on data",
        "zfs set canmount=noauto data/pve-files",
        "zfs set canmount=off data/pve-files",
        "zfs set mountpoint=/srv/files data/pve-files",
        "zfs set mountpoint=none data/pve-files",
    ] {
        let mut life = Life::with_pool().await;
        let task = ensure(life.recorded().await);
        hand(&life, line);
        let reports = life.preview(&task).await;
        let drift = reports.iter().filter(|report| report.outcome() == StepOutcome::Change);
        assert_eq!(drift.count(), 1, "{line}: {reports:?}");
        assert_eq!(life.apply(&task).await, Outcome::Done, "{line}");
        life.machine.cut_power();
        life.machine.boot();
        let reports = life.preview(&task).await;
        assert!(
            reports.iter().all(|report| report.outcome() == StepOutcome::Satisfied),
            "{line}: {reports:?}"
        );
        assert_eq!(life.machine.file(FILE).unwrap(), b"precious", "{line}");
    }
}

#[tokio::test]
async fn a_cache_file_without_the_pool_is_written_again() {
    // Emptied, and with another pool alone.
    for content in [&b""[..], &7_u64.to_ne_bytes()] {
        let mut life = Life::with_pool().await;
        let task = ensure(life.recorded().await);
        life.machine.put_file("/etc/zfs/zpool.cache", content).unwrap();
        life.machine.clear_log();
        assert_eq!(life.apply(&task).await, Outcome::Done);
        assert_eq!(life.changes(), ["zpool set cachefile=/etc/zfs/zpool.cache data"]);
        life.machine.cut_power();
        life.machine.boot();
        let reports = life.preview(&task).await;
        assert!(
            reports.iter().all(|report| report.outcome() == StepOutcome::Satisfied),
            "{reports:?}"
        );
    }
}

#[tokio::test]
async fn properties_that_creation_did_not_set_are_not_fought() {
    let mut life = Life::with_pool().await;
    let task = ensure(life.recorded().await);
    hand(&life, "zfs set compression=zstd data/pve-files");
    hand(&life, "zfs set recordsize=16384 data");
    life.machine.clear_log();
    assert_eq!(life.apply(&task).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
}
