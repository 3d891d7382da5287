//! A node whose root disk was replaced gets its pool back, with its data.

use heeler_host::sim::Machine;
use heeler_host::{Command, System as _};
use heeler_proto::HostId;
use heeler_tasks::engine::Outcome;

use crate::life::{A, B, FILE, Life, blocked, ensure, spec};

#[tokio::test]
async fn a_complete_pool_is_imported_unasked() {
    let mut life = Life::with_pool().await;
    let recorded = life.recorded().await;
    life.machine.replace_root_disk();
    assert!(life.acts(&ensure(recorded.clone())).await.is_empty());
    assert_eq!(life.apply(&ensure(recorded.clone())).await, Outcome::Done);
    assert_eq!(life.machine.file(FILE).unwrap(), b"precious");
    assert_eq!(Some(life.guid().await), recorded.recorded_guid);
}

#[tokio::test]
async fn a_missing_host_id_stops_the_import() {
    let mut life = Life::with_pool().await;
    let mut recorded = life.recorded().await;
    life.machine.replace_root_disk();
    recorded.hostid = HostId(0x0bad_cafe);
    let (found, why, _) = blocked(life.apply(&ensure(recorded.clone())).await);
    assert!(found.contains("00bab10c") && why.contains("host id"), "{found}: {why}");
    recorded.hostid = spec().hostid;
    assert_eq!(life.apply(&ensure(recorded)).await, Outcome::Done);
    assert_eq!(life.machine.file(FILE).unwrap(), b"precious");
}

#[tokio::test]
async fn an_incomplete_pool_is_imported_only_with_consent() {
    let mut life = Life::with_pool().await;
    let task = ensure(life.recorded().await);
    life.machine.replace_root_disk();
    life.machine.pull_disk(A);
    life.machine.boot();
    let id = life.next_task();
    let (found, why, _) = blocked(life.carry_out(&id, &task, &[]).await);
    assert!(
        found.contains("no consent") && why.contains(&format!("without {A}")),
        "{found}: {why}"
    );
    assert_eq!(life.acts(&task).await.len(), 1);
    assert_eq!(life.apply(&task).await, Outcome::Done);
    assert_eq!(life.machine.file(FILE).unwrap(), b"precious");
}

#[tokio::test]
async fn blank_replacements_never_become_a_new_pool() {
    let life = Life::with_pool().await;
    let task = ensure(life.recorded().await);
    let mut fresh = Life::blank();
    let (found, why, _) = blocked(fresh.apply(&task).await);
    assert!(
        found.contains("no disk in this node carries pool data (") && why.contains("even with a consent"),
        "{found}: {why}"
    );
    assert!(fresh.machine.is_blank(A) && fresh.machine.is_blank(B));
}

#[tokio::test]
async fn a_pool_in_use_elsewhere_is_not_imported() {
    let theirs = Life::with_pool().await;
    let task = ensure(theirs.recorded().await);
    theirs.machine.cut_power();
    let here = Machine::builder("pi5x").seed(9).build();
    for serial in [A, B] {
        theirs.machine.move_disk(serial, &here);
    }
    here.boot();
    let mut life = Life::of(here);
    let Outcome::Blocked { .. } = life.apply(&with_other_host_id(&task)).await else {
        panic!("should have stopped")
    };
    let status = life
        .machine
        .run(&Command::look("zpool").args(["status", "-j", "--json-int", "-p", "-P"]))
        .await
        .unwrap();
    assert!(!status.stdout.contains("\"data\""), "{}", status.stdout);
}

fn with_other_host_id(task: &heeler_proto::Task) -> heeler_proto::Task {
    let mut task = task.clone();
    if let heeler_proto::Task::EnsurePool(ensure) = &mut task {
        ensure.pool.hostid = HostId(0x0000_0042);
    }
    task
}
