//! Clocks that are wrong, and certificates that are old, shut out nobody for good.

use heeler_proto::v1;
use heeler_tests::{Herd, NOON, Node};

use crate::scene::{machine, node_a};

const DAY: u64 = 24 * 60 * 60 * 1000;
const YEAR: u64 = 365 * DAY;

/// The node is switched off, time passes, and both come up again.
async fn after(days: u64) -> (Herd, Node) {
    let mut herd = Herd::new().await;
    let mut node = Node::added(&herd, machine("a", &[]), "a").await;
    node.kill();
    herd.operator().await.wait_for("lost", "a").await;
    herd.stop().await;
    herd.clock.advance(days * DAY);
    node.machine.set_clock(NOON + days * DAY);
    herd.start().await.unwrap();
    (herd, node)
}

async fn connects(herd: &Herd, node: &mut Node) {
    let last = herd.operator().await.wait_for("lost", "a").await.id;
    node.start();
    herd.operator().await.wait_after(last, "connected", "a").await;
}

#[tokio::test]
async fn a_forty_day_old_certificate_is_renewed() {
    let (herd, mut node) = after(40).await;
    connects(&herd, &mut node).await;
    let until_ms = node_a(&mut herd.operator().await).await.certificate_expires_ms;
    assert!(until_ms > NOON + 46 * DAY, "{until_ms}");
}

#[tokio::test]
async fn a_node_returns_after_399_days() {
    let (herd, mut node) = after(7 + 399).await;
    connects(&herd, &mut node).await;
}

#[tokio::test]
async fn a_revoked_node_does_not_return() {
    let (herd, node) = after(40).await;
    let mut operator = herd.operator().await;
    operator.revoke(v1::RevokeRequest { node: "a".into() }).await.unwrap();
    drop(node);
    let stranger = heeler_tests::Stranger::new(&herd);
    let refused = stranger.enrol("a", "").await.unwrap_err();
    assert!(refused.message().contains("revoked"), "{}", refused.message());
}

#[tokio::test]
async fn a_clock_from_1970_connects_and_is_reported() {
    let (herd, mut node) = after(40).await;
    node.machine.set_clock(60_000);
    node.machine.set_clock_synchronised(false);
    connects(&herd, &mut node).await;
    let alarm = herd.operator().await.wait_for("alarm", "a").await;
    assert!(alarm.text.contains("behind"), "{}", alarm.text);
}

#[tokio::test]
async fn a_clock_a_year_ahead_renews_no_more_often() {
    let (herd, mut node) = after(1).await;
    node.machine.set_clock(NOON + YEAR);
    node.machine.set_clock_synchronised(false);
    connects(&herd, &mut node).await;
    let alarm = herd.operator().await.wait_for("alarm", "a").await;
    assert!(alarm.text.contains("ahead"), "{}", alarm.text);
    let events = v1::EventsRequest::default();
    let mut events = herd.operator().await.events(events).await.unwrap().into_inner();
    let mut renewed = 0;
    while let Some(event) = events.message().await.unwrap() {
        renewed += u32::from(event.kind == "renewed");
    }
    assert!(renewed <= 1, "{renewed}");
}

#[tokio::test]
async fn a_corrected_fast_coordinator_keeps_its_nodes() {
    let (mut herd, mut node) = after(365).await;
    // The node's own clock is right, and nobody says so.
    node.machine.set_clock(NOON);
    node.machine.set_clock_synchronised(false);
    connects(&herd, &mut node).await;
    node.kill();
    herd.stop().await;
    herd.clock.set(NOON + DAY);
    herd.start().await.unwrap();
    connects(&herd, &mut node).await;
}

#[tokio::test]
async fn a_corrected_slow_coordinator_keeps_its_nodes() {
    let (mut herd, mut node) = after(1).await;
    herd.stop().await;
    herd.clock.set(NOON - YEAR);
    herd.start().await.unwrap();
    connects(&herd, &mut node).await;
    node.kill();
    herd.stop().await;
    herd.clock.set(NOON + 2 * DAY);
    herd.start().await.unwrap();
    connects(&herd, &mut node).await;
}
