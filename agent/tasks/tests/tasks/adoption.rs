//! The remains of a creation whose end was not seen.

use heeler_host::sim::{Fault, Loss};
use heeler_host::{Command, System as _};
use heeler_tasks::engine::Outcome;

use crate::life::{A, B, Life, blocked, ensure, spec};

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
