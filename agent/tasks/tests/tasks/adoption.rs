//! Pools that are there before Heeler has one on record: a person made them, or the end of a creation was not seen.

use heeler_host::sim::{Fault, Loss};
use heeler_host::{Command, System as _};
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{A, B, FILE, Life, blocked, ensure, spec};

/// As a person or a playbook makes a pool: no comment, no properties, its root mounted.
async fn by_hand() -> Life {
    let life = Life::blank();
    // The coordinator takes note of the host id that a node has.
    life.machine
        .put_file("/etc/hostid", &spec().hostid.0.to_le_bytes())
        .unwrap();
    assert!(life.machine.by_hand("modprobe", &["zfs"]).ok());
    let create = ["create", "data", "mirror", "/dev/nvme0n1", "/dev/nvme1n1"];
    let done = life.machine.by_hand("zpool", &create);
    assert!(done.ok(), "{done:?}");
    assert!(life.machine.by_hand("zfs", &["create", "data/pve-files"]).ok());
    life.machine.put_file(FILE, b"precious").unwrap();
    life.machine.put_file("/data/beside", b"precious").unwrap();
    life
}

#[tokio::test]
async fn a_mirror_made_by_hand_is_taken_in() {
    let guid = by_hand().await.machine.pool_guid("data");
    at_every_point(by_hand, &ensure(spec()), async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        for boots in 0..2 {
            assert_eq!(life.machine.pool_guid("data"), guid, "{at} {boots}");
            for path in [FILE, "/data/beside"] {
                assert_eq!(
                    life.machine.file(path).as_deref(),
                    Some(&b"precious"[..]),
                    "{path} {at} {boots}"
                );
            }
            life.machine.boot();
        }
    })
    .await;
}

#[tokio::test]
async fn taking_a_pool_in_asks_for_no_consent() {
    let mut life = by_hand().await;
    assert!(life.acts(&ensure(spec())).await.is_empty());
    let reports = life.preview(&ensure(spec())).await;
    let meanings: Vec<&str> = reports
        .iter()
        .flat_map(|report| &report.ops)
        .map(|op| op.meaning.as_str())
        .collect();
    assert!(
        meanings.iter().any(|meaning| meaning.contains("take in the mirror")),
        "{meanings:?}"
    );
    assert_eq!(life.apply(&ensure(spec())).await, Outcome::Done);
    let before = life.changes().len();
    assert_eq!(life.apply(&ensure(life.recorded().await)).await, Outcome::Done);
    assert_eq!(life.changes().len(), before);
}

#[tokio::test]
async fn a_pool_on_other_disks_is_not_taken_in() {
    let mut life = by_hand().await;
    let mut pool = spec();
    pool.serials[1] = heeler_proto::Serial::new("S6XNNS0W100009").unwrap();
    let (found, ..) = blocked(life.apply(&ensure(pool)).await);
    assert!(found.contains("S6XNNS0W100009"), "{found}");
    assert!(
        !life.changes().iter().any(|what| what.starts_with("z")),
        "{:?}",
        life.changes()
    );
}

#[tokio::test]
async fn an_exported_unrecorded_pool_is_adopted_by_guid() {
    let mut life = Life::with_pool().await;
    let guid = life.guid().await;
    let export = Command::change("zpool").args(["export", "data"]);
    assert!(life.machine.run(&export).await.unwrap().ok());
    life.machine.clear_log();
    assert!(
        life.acts(&ensure(spec())).await.is_empty(),
        "an import of all legs asks nobody"
    );
    assert_eq!(life.apply(&ensure(spec())).await, Outcome::Done);
    assert_eq!(life.guid().await, guid);
    assert!(
        life.changes()
            .iter()
            .any(|what| what.ends_with(&format!("zpool.cache {guid}")))
    );
}

#[tokio::test]
async fn a_timed_out_creation_stays_begun_and_continues() {
    let mut life = Life::blank();
    let id = life.next_task();
    let acts = life.acts(&ensure(spec())).await;
    let consent = life.consent(&id, &acts[0]);
    // The dry run answers, but the creation does not.
    life.machine.fail_next("zpool", Fault::TimesOut);
    let outcome = life.carry_out(&id, &ensure(spec()), &[consent]).await;
    assert!(matches!(outcome, Outcome::Done | Outcome::Failed { .. }), "{outcome:?}");
    assert_eq!(life.apply(&ensure(spec())).await, Outcome::Done);
}

#[tokio::test]
async fn an_interrupted_creation_excuses_no_other_disks() {
    let mut life = Life::blank();
    // One of the points is in the middle of zpool create; its remains show which.
    let mut found = false;
    for point in Life::blank()
        .points(&ensure(spec()))
        .await
        .iter()
        .filter(|point| !point.journal)
    {
        life = Life::blank();
        let outcome = life.disturbed(&ensure(spec()), Some((point.at, Loss::Power))).await;
        if let Outcome::Blocked { reason, .. } = outcome {
            assert!(reason.why.contains("half-made by Heeler"), "{reason:?}");
            found = true;
            break;
        }
    }
    assert!(found, "a point lies in the middle of zpool create");
    // The journal is lost with the card, so nothing claims what is on the disks.
    life.machine.replace_root_disk();
    let (_, why, next) = blocked(life.apply(&ensure(spec())).await);
    assert!(!why.contains("half-made by Heeler"), "{why}");
    assert!(next.contains(A) || next.contains(B), "{next}");
}
