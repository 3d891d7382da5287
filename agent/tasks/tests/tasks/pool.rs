//! EnsurePool from blank disks to a pool whose state holds, and no further change.

use std::path::Path;

use heeler_host::sim::Fault;
use heeler_proto::v1::StepOutcome;
use heeler_proto::{Dataset, Mountpoint, PoolSpec};
use heeler_tasks::engine::Outcome;

use crate::life::{A, B, FILE, Life, blocked, ensure, spec};

#[tokio::test]
async fn two_blank_disks_become_a_pool_that_survives_reboot() {
    let life = Life::with_pool().await;
    assert_eq!(life.machine.file("/etc/hostid").unwrap(), [0x0c, 0xb1, 0xba, 0]);
    life.machine.boot();
    assert_eq!(life.machine.file(FILE).unwrap(), b"precious");
    let pools = heeler_tasks::storage::imported(&life.machine).await.unwrap();
    assert_eq!(pools.len(), 1);
    let mut legs: Vec<&str> = pools[0].legs.iter().map(|leg| leg.serial.as_str()).collect();
    legs.sort_unstable();
    assert_eq!((pools[0].comment.as_str(), legs), ("heeler:k8sctl/pi5l", vec![A, B]));
}

#[tokio::test]
async fn a_preview_changes_nothing_and_a_second_run_changes_nothing() {
    let mut life = Life::blank();
    life.machine.clear_log();
    let reports = life.preview(&ensure(spec())).await;
    assert!(reports.iter().any(|report| report.outcome() == StepOutcome::Change));
    assert_eq!(life.changes(), [""; 0], "a preview only looks");

    assert_eq!(life.apply(&ensure(spec())).await, Outcome::Done);
    for wanted in [spec(), life.recorded().await] {
        life.machine.clear_log();
        let task = ensure(wanted);
        let reports = life.preview(&task).await;
        assert!(
            reports.iter().all(|report| report.outcome() == StepOutcome::Satisfied),
            "{reports:?}"
        );
        assert_eq!(life.apply(&task).await, Outcome::Done);
        assert_eq!(life.changes(), [""; 0]);
    }
}

#[tokio::test]
async fn storage_that_is_not_mounted_cannot_be_written_to() {
    let life = Life::with_pool().await;
    life.machine.pull_disk(A);
    life.machine.pull_disk(B);
    life.machine.boot();
    assert!(life.machine.put_file(FILE, b"beside the pool").is_err());
}

fn with_dataset(mountpoint: &str) -> PoolSpec {
    let mut wanted = spec();
    wanted.datasets.push(Dataset {
        name: "data/images".into(),
        mountpoint: Mountpoint::At(mountpoint.into()),
    });
    wanted
}

#[tokio::test]
async fn a_nested_dataset_covers_no_files() {
    let mut life = Life::with_pool().await;
    let folder = Path::new(FILE).parent().unwrap();
    let inner = folder.join("images");
    life.machine
        .put_file(&inner.join("only-copy.iso").display().to_string(), b"x")
        .unwrap();
    let wanted = PoolSpec {
        datasets: with_dataset(&inner.display().to_string()).datasets,
        ..life.recorded().await
    };
    let (found, why, _) = blocked(life.apply(&ensure(wanted)).await);
    assert!(found.contains("only-copy.iso") && why.contains("hide"), "{found} {why}");
}

#[tokio::test]
async fn a_mountpoint_above_a_mounted_dataset_is_refused() {
    let mut life = Life::with_pool().await;
    let above = Path::new(FILE)
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .display()
        .to_string();
    let wanted = PoolSpec {
        datasets: with_dataset(&above).datasets,
        ..life.recorded().await
    };
    let (found, _, next) = blocked(life.apply(&ensure(wanted)).await);
    assert!(
        found.contains("is mounted below") && next.contains("another mountpoint"),
        "{found} {next}"
    );
}

#[tokio::test]
async fn a_mountpoint_through_a_link_is_refused() {
    let mut life = Life::with_pool().await;
    life.machine.put_link("/srv/files", "/data").unwrap();
    let wanted = PoolSpec {
        datasets: with_dataset("/srv/files/images").datasets,
        ..life.recorded().await
    };
    let (_, _, next) = blocked(life.apply(&ensure(wanted)).await);
    assert!(next.contains("mountpoint = \"/data/images\""), "{next}");
}

#[tokio::test]
async fn a_node_without_zfs_gets_no_pool() {
    let mut life = Life::of(crate::life::pi().blank(A).blank(B).without_zfs().build());
    let (_, _, next) = blocked(life.apply(&ensure(spec())).await);
    assert!(next.contains("apt-get install zfsutils-linux zfs-dkms"), "{next}");
    assert!(life.machine.is_blank(A) && life.machine.is_blank(B));
}

#[tokio::test]
async fn a_failed_op_ends_the_task() {
    let mut life = Life::blank();
    life.machine.fail_next(
        "/etc/modules-load.d/zfs.conf",
        Fault::CannotWrite(std::io::ErrorKind::StorageFull),
    );
    let Outcome::Failed { step, reason } = life.apply(&ensure(spec())).await else {
        panic!("failed")
    };
    assert_eq!(step, "ZfsLoaded");
    assert!(
        reason.contains("/etc/modules-load.d/zfs.conf") && reason.contains("no storage space"),
        "{reason}"
    );
    assert_eq!(
        life.changes(),
        ["write /etc/hostid", "write /etc/modules-load.d/zfs.conf"]
    );
    assert_eq!(life.apply(&ensure(spec())).await, Outcome::Done);
}

#[tokio::test]
async fn a_silent_program_never_means_absence() {
    let silent = || Fault::complains(1, "internal error: out of memory\n");
    for program in ["lsblk", "zpool", "findmnt"] {
        let mut life = Life::with_pool().await;
        let task = ensure(life.recorded().await);
        life.machine.clear_log();
        for _ in 0..40 {
            life.machine.fail_next(program, silent());
        }
        let outcome = life.apply(&task).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{program}: {outcome:?}");
        assert_eq!(life.changes(), [""; 0], "{program}");
    }
}

#[tokio::test]
async fn a_converged_look_runs_few_programs() {
    let life = Life::with_pool().await;
    let task = ensure(life.recorded().await);
    life.machine.clear_log();
    let glance = heeler_host::Glance::at(&life.machine);
    heeler_host::facts::collect(&glance).await.unwrap();
    let steps = heeler_tasks::preview(&glance, &task, &[]).await;
    assert!(
        !steps.iter().any(|step| step.outcome() == StepOutcome::Change),
        "{steps:#?}"
    );
    let mut asked: Vec<String> = life.machine.log().into_iter().map(|entry| entry.what).collect();
    let count = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), count, "{asked:#?}");
    assert!(count <= 10, "{asked:#?}");
}
