//! The status shows what the coordinator itself needs from a person.

use heeler_coordinator::clock::Clock as _;
use heeler_proto::v1::{self, Light};
use heeler_store::{Copy, Store};
use heeler_tests::{Fleet, Laptop, Node, Operator};

use crate::operators::added;
use crate::scene::{DISKS, machine, pooled};

const HOUR_MS: u64 = 60 * 60 * 1000;
const YEAR_MS: u64 = 365 * 24 * HOUR_MS;
const COPIES: &str = "/data/pve-files/.heeler/copies";

/// The coordinator's own alerts, with what to type.
async fn said(operator: &mut Operator) -> Vec<(String, String)> {
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    let own = status.alerts.into_iter().filter(|alert| alert.node.is_empty());
    own.inspect(|alert| assert_eq!(alert.light(), Light::Amber))
        .map(|alert| (alert.text, alert.next))
        .collect()
}

#[tokio::test]
async fn without_copies_a_backup_is_advised() {
    let mut fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", &[]), "a").await;
    node.kill();
    let mut operator = fleet.operator().await;
    operator.wait_for(v1::EventKind::Lost, "a").await;
    fleet.clock.advance(6 * 24 * HOUR_MS);
    assert_eq!(said(&mut operator).await, []);
    fleet.clock.advance(25 * HOUR_MS);
    let (text, next) = said(&mut operator).await.pop().unwrap();
    assert!(text.contains("the last backup does not exist yet"), "{text}");
    assert_eq!(next, "heeler backup create");
    // Without any backup, the time counts from the start of the coordinator.
    fleet.stop().await;
    fleet.start().await.unwrap();
    assert_eq!(said(&mut fleet.operator().await).await, []);
}

#[tokio::test]
async fn missing_copies_stay_amber_after_a_restart() {
    let mut fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    assert_eq!(pooled(&fleet, &mut operator).await.state(), v1::TaskState::Done);
    assert_eq!(said(&mut operator).await, []);
    fleet.clock.advance(3 * HOUR_MS);
    let (text, next) = said(&mut operator).await.pop().unwrap();
    assert!(text.contains("there is no recovery key"), "{text}");
    assert_eq!(next, "heeler init");
    fleet.make_recovery_key().await;
    // Copies on a removed node do not count: they cannot be fetched.
    let copy = Copy {
        node: "gone".into(),
        name: "heeler.age".into(),
        at_ms: fleet.clock.now_ms(),
        bytes: 1,
        sha256: [7; 32],
    };
    let store = Store::open(&fleet.state().database()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    tx.add_node("gone", "0badcafe").await.unwrap();
    tx.add_copy(&copy, 3).await.unwrap();
    tx.remove_node("gone", "me", copy.at_ms).await.unwrap();
    tx.save().await.unwrap();
    store.close().await;
    let (text, next) = said(&mut operator).await.pop().unwrap();
    assert!(text.contains("does not exist yet"), "{text}");
    assert_eq!(next, "heeler backup copy");
    let made = operator.make_copies(v1::MakeCopiesRequest {}).await.unwrap();
    assert_eq!(made.into_inner().copies.len(), 1);
    assert_eq!(said(&mut operator).await, []);
    fleet.clock.advance(5 * HOUR_MS);
    let (text, _) = said(&mut operator).await.pop().unwrap();
    assert!(text.ends_with("on a node is 5 h old"), "{text}");
    // After a start the coordinator has ten minutes to send a missing copy.
    fleet.stop().await;
    fleet.start().await.unwrap();
    let mut operator = fleet.operator().await;
    assert_eq!(said(&mut operator).await, []);
    fleet.clock.advance(HOUR_MS / 6);
    let (text, _) = said(&mut operator).await.pop().unwrap();
    assert!(text.ends_with("on a node is 5 h old"), "{text}");
    drop(node);
}

#[tokio::test]
async fn a_corrected_clock_resumes_copies() {
    let mut fleet = Fleet::new().await;
    fleet.make_recovery_key().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    assert_eq!(pooled(&fleet, &mut operator).await.state(), v1::TaskState::Done);
    let now_ms = fleet.clock.now_ms();
    fleet.clock.set(now_ms + YEAR_MS);
    let ahead = operator.make_copies(v1::MakeCopiesRequest {}).await.unwrap();
    let ahead = ahead.into_inner().copies;
    assert_eq!(ahead.len(), 1);
    drop(operator);
    fleet.stop().await;
    fleet.clock.set(now_ms);
    let store = Store::open(&fleet.state().database()).await.unwrap();
    let before = store.read().await.unwrap().last_event().await.unwrap();
    store.close().await;
    fleet.start().await.unwrap();
    let mut operator = fleet.operator().await;
    operator.wait_after(before, v1::EventKind::Connected, "a").await;
    fleet.clock.advance(4 * HOUR_MS);
    let (text, next) = said(&mut operator).await.pop().unwrap();
    assert!(text.contains("copy of the coordinator's state"), "{text}");
    assert_eq!(next, "heeler backup copy");
    let made = operator.make_copies(v1::MakeCopiesRequest {}).await.unwrap();
    let made = made.into_inner();
    assert_eq!((made.copies.len(), made.problems.len()), (1, 0), "{made:?}");
    let known = operator.list_copies(v1::ListCopiesRequest {}).await.unwrap();
    assert_eq!(
        known.into_inner().copies,
        made.copies,
        "it is the newest, whatever the other one says"
    );
    assert_eq!(said(&mut operator).await, []);
    let kept = |copy: &v1::CopyInfo| node.machine.file(&format!("{COPIES}/{}", copy.name)).is_some();
    assert!(kept(&made.copies[0]) && kept(&ahead[0]));
}

#[tokio::test]
async fn a_rotation_does_not_interrupt_remote_operators() {
    let fleet = Fleet::new().await;
    let mut operator = fleet.operator().await;
    let me = Laptop::beside(&fleet);
    let bo = added(&fleet, &me, "bo").await;
    assert_eq!(said(&mut operator).await, []);
    for (text, calls) in [
        (
            "a new certificate authority is announced, not in use yet",
            "before the switch",
        ),
        (
            "the new certificate authority signs; nodes still trust the old one",
            "with both",
        ),
    ] {
        me.does(&fleet.clock, "ca rotate --yes").await;
        let (shown, next) = said(&mut operator).await.pop().unwrap();
        assert!(shown.starts_with(text), "{shown}");
        assert_eq!(next, "heeler ca rotate");
        // First with the old certificate, then with the renewed one.
        let first = bo.types(&fleet.clock, "status").await;
        assert!(first.out.contains("heeler ca rotate"), "{calls}: {}", first.err);
        fleet.clock.advance(25 * HOUR_MS);
        bo.does(&fleet.clock, "status").await;
    }
    me.does(&fleet.clock, "ca rotate --yes").await;
    assert_eq!(said(&mut operator).await, []);
    bo.does(&fleet.clock, "status").await;
}

#[tokio::test]
async fn an_ageing_authority_asks_for_a_rotation() {
    let fleet = Fleet::new().await;
    let mut operator = fleet.operator().await;
    fleet.clock.advance(8 * 365 * 24 * HOUR_MS);
    assert_eq!(said(&mut operator).await, []);
    fleet.clock.advance(250 * 24 * HOUR_MS);
    let (text, next) = said(&mut operator).await.pop().unwrap();
    assert!(
        text.starts_with("the certificate authority's certificate expires in 4"),
        "{text}"
    );
    assert_eq!(next, "heeler ca rotate");
}

#[tokio::test]
async fn a_remote_operators_acts_are_audited() {
    let fleet = Fleet::new().await;
    let _node = Node::added(&fleet, machine("a", &[]), "a").await;
    let me = Laptop::beside(&fleet);
    let bo = added(&fleet, &me, "bo").await;
    bo.does(&fleet.clock, "node pause a").await;
    let audit = me.does(&fleet.clock, "audit list --json").await;
    let audit: serde_json::Value = serde_json::from_str(&audit).unwrap();
    let last = audit["entries"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["action"], &last["operator"]),
        (&"node paused".into(), &"bo".into())
    );
}
