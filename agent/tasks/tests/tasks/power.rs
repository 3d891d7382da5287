//! Power fails, or the agent is killed, at every point of every task.

use heeler_host::sim::{Content, DiskSpec, Loss};
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{A, B, FILE, Life, ensure, erase, pi, spec};

#[tokio::test]
async fn an_interrupted_creation_is_continued_or_explained() {
    at_every_point(
        async || Life::blank(),
        &ensure(spec()),
        async |life, outcome, at| {
            if let Outcome::Blocked { reason, .. } = &outcome {
                assert!(
                    reason.why.contains("half-made by Heeler") || reason.found.contains("is not imported"),
                    "{at}: {reason:?}"
                );
                for serial in [A, B]
                    .iter()
                    .filter(|serial| reason.next.contains(&format!("heeler disk erase {serial}")))
                {
                    assert_eq!(life.apply(&erase(serial)).await, Outcome::Done, "{at}");
                }
            } else {
                assert_eq!(outcome, Outcome::Done, "{at}");
            }
            assert_eq!(life.apply(&ensure(spec())).await, Outcome::Done, "{at}");
            life.machine.put_file(FILE, b"precious").unwrap();
            life.machine.boot();
            assert_eq!(life.machine.file(FILE).as_deref(), Some(&b"precious"[..]), "{at}");
        },
    )
    .await;
}

#[tokio::test]
async fn an_import_cut_off_anywhere_keeps_guid_and_data() {
    let make = async || {
        let life = Life::with_pool().await;
        life.machine.replace_root_disk();
        life
    };
    let life = Life::with_pool().await;
    let task = ensure(life.recorded().await);
    let guid = life.guid().await;
    at_every_point(make, &task, async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        assert_eq!(life.guid().await, guid, "{at}");
        assert_eq!(life.machine.file(FILE).as_deref(), Some(&b"precious"[..]), "{at}");
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_erasure_spares_the_other_disk() {
    let make = async || {
        let held = DiskSpec::holding(B, Content::PartitionWithExt4("home")).size(256 << 20);
        Life::of(
            pi().disk(DiskSpec::holding(A, Content::Ext4("other")))
                .disk(held)
                .build(),
        )
    };
    let other = make().await.machine.hash_disk(A);
    at_every_point(make, &erase(B), async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        assert!(life.machine.is_blank(B), "{at}");
        assert_eq!(life.machine.hash_disk(A), other, "{at}");
    })
    .await;
}

#[tokio::test]
async fn a_power_cut_changes_no_converged_node() {
    let mut life = Life::with_pool().await;
    let task = ensure(life.recorded().await);
    for point in life.points(&task).await {
        let mut life = Life::with_pool().await;
        life.machine.clear_log();
        let outcome = life.disturbed(&task, Some((point.at, Loss::Agent))).await;
        assert_eq!(outcome, Outcome::Done, "{point:?}");
        assert_eq!(life.changes(), [""; 0], "{point:?}");
    }
}
