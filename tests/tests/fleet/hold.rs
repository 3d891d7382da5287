//! A hold that a person has put on a snapshot is released only with an operator's signature.

use heeler_coordinator::cli::Exit;
use heeler_coordinator::clock::Clock as _;
use heeler_proto::v1::snapshot_ask::Ask;
use heeler_proto::{Consent, NodeName, ReleaseHold, TaskId, v1};
use heeler_tests::{Fleet, Laptop, ME, Node, Operator};
use ring::rand::SystemRandom;
use ring::signature::EcdsaKeyPair;

use crate::scene::{DISKS, machine, pooled};

const SNAPSHOT: &str = "data/pve-files@mine";

fn consent(fleet: &Fleet, key: &EcdsaKeyPair, (node, snapshot, tag): (&str, &str, &str)) -> Option<v1::Consent> {
    let act = ReleaseHold {
        snapshot: snapshot.into(),
        tag: tag.into(),
    };
    let bound = (&TaskId::from_random(7), &NodeName::new(node).unwrap());
    let now_ms = fleet.clock.now_ms();
    let signed = Consent::sign(key, ME, bound, act.digest(), now_ms, &SystemRandom::new());
    Some(signed.unwrap().into())
}

async fn release(operator: &mut Operator, consent: Option<v1::Consent>) -> Result<(), String> {
    let release = Ask::Release(v1::HoldSnapshot {
        snapshot: SNAPSHOT.into(),
        tag: "keep".into(),
        consent,
    });
    let request = v1::SnapshotsRequest {
        node: "a".into(),
        ask: Some(v1::SnapshotAsk { ask: Some(release) }),
    };
    let done = operator.snapshots(request).await;
    done.map(drop).map_err(|status| status.message().to_owned())
}

#[tokio::test]
async fn a_coordinator_releases_no_hold_without_an_operators_consent() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    for args in [["snapshot", SNAPSHOT].as_slice(), &["hold", "keep", SNAPSHOT]] {
        assert!(node.machine.by_hand("zfs", args).ok());
    }
    let thief = fleet.second_operator_key();
    for (consent, why) in [
        (None, "no consent"),
        (consent(&fleet, &thief, ("a", SNAPSHOT, "keep")), "not signed"),
        (consent(&fleet, &operator.key, ("b", SNAPSHOT, "keep")), "another node"),
        (
            consent(&fleet, &operator.key, ("a", SNAPSHOT, "other")),
            "a different change",
        ),
        (
            consent(&fleet, &operator.key, ("a", "data/pve-files@his", "keep")),
            "a different change",
        ),
    ] {
        let refused = release(&mut operator, consent).await.unwrap_err();
        assert!(
            refused.contains("the hold stays") && refused.contains(why),
            "{why}: {refused}"
        );
        assert!(!node.machine.by_hand("zfs", &["destroy", SNAPSHOT]).ok(), "it is held");
    }
    let once = consent(&fleet, &operator.key, ("a", SNAPSHOT, "keep"));
    release(&mut operator, once.clone()).await.unwrap();
    assert!(node.machine.by_hand("zfs", &["hold", "keep", SNAPSHOT]).ok());
    let refused = release(&mut operator, once).await.unwrap_err();
    assert!(refused.contains("used before"), "{refused}");
    let me = Laptop::beside(&fleet);
    let outcome = me.types(&fleet.clock, &format!("snapshot release a {SNAPSHOT}")).await;
    assert_eq!(outcome.exit, Exit::Fine, "{}", outcome.err);
    assert!(node.machine.by_hand("zfs", &["destroy", SNAPSHOT]).ok());
}
