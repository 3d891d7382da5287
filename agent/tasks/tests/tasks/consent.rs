//! Nothing that cannot be undone happens without a new, exact consent, which is valid once.

use heeler_host::sim::DiskSpec;
use heeler_proto::{Consent, Irreversible, NodeName, Task, TaskId};
use heeler_tasks::engine::Outcome;

use crate::life::{A, B, Life, blocked, ensure, spec};

async fn planned(life: &mut Life, task: &Task) -> (TaskId, Irreversible) {
    let id = life.next_task();
    let acts = life.acts(task).await;
    assert_eq!(acts.len(), 1);
    (id, acts[0].clone())
}

async fn refused(life: &Life, id: &TaskId, consents: &[Consent], words: &str) {
    let (found, _, next) = blocked(life.carry_out(id, &ensure(spec()), consents).await);
    assert!(found.contains(words), "{words:?} is not in {found:?}");
    assert_eq!(next, "heeler apply pi5l");
    assert!(life.machine.is_blank(A) && (life.machine.is_blank(B) || life.machine.hash_disk(B).is_none()));
}

#[tokio::test]
async fn without_a_consent_no_pool_is_made() {
    let mut life = Life::blank();
    let (id, _) = planned(&mut life, &ensure(spec())).await;
    refused(&life, &id, &[], "no consent was given").await;
}

#[tokio::test]
async fn an_expired_consent_permits_nothing() {
    let mut life = Life::blank();
    let (id, act) = planned(&mut life, &ensure(spec())).await;
    let consent = life.consent(&id, &act);
    life.machine.set_clock(consent.expires_at_ms);
    refused(&life, &id, &[consent], "expired").await;
}

#[tokio::test]
async fn a_consent_for_another_node_or_task_permits_nothing() {
    let mut life = Life::blank();
    let (id, act) = planned(&mut life, &ensure(spec())).await;
    let here = std::mem::replace(&mut life.node, NodeName::new("pi5r").unwrap());
    let theirs = life.consent(&id, &act);
    life.node = here;
    refused(&life, &id, &[theirs], "another node").await;
    let (other, _) = planned(&mut life, &ensure(spec())).await;
    let consent = life.consent(&other, &act);
    let id = life.next_task();
    refused(&life, &id, &[consent], "another task").await;
}

#[tokio::test]
async fn a_consent_by_an_unknown_key_permits_nothing() {
    let mut life = Life::blank();
    let (id, act) = planned(&mut life, &ensure(spec())).await;
    let untrusted = Life::blank();
    refused(&life, &id, &[untrusted.consent(&id, &act)], "not signed by a key").await;
}

#[tokio::test]
async fn after_a_disk_was_swapped_the_consent_permits_nothing() {
    let mut life = Life::blank();
    let (id, act) = planned(&mut life, &ensure(spec())).await;
    let consent = life.consent(&id, &act);
    // Another drive with the same serial, as an attacker could have.
    life.machine
        .swap_disk(B, &DiskSpec::blank(B).size(128_035_676_160 + 4096));
    refused(
        &life,
        &id,
        &[consent],
        "a different change from the one that would happen now",
    )
    .await;
}

#[tokio::test]
async fn a_consent_is_used_once() {
    let mut life = Life::blank();
    let (id, act) = planned(&mut life, &ensure(spec())).await;
    let consent = life.consent(&id, &act);
    let first = life
        .carry_out(&id, &ensure(spec()), std::slice::from_ref(&consent))
        .await;
    assert_eq!(first, Outcome::Done);
    // An attacker replays task and consent for the same disks, which are blank again.
    let destroy = heeler_host::Command::change("zpool").args(["destroy", "data"]);
    assert!(heeler_host::System::run(&life.machine, &destroy).await.unwrap().ok());
    for serial in [A, B] {
        assert_eq!(life.apply(&crate::life::erase(serial)).await, Outcome::Done);
    }
    refused(&life, &id, &[consent], "used before").await;
}
