//! Wrong clocks and expired certificates shut out no node for good.

use heeler_proto::v1;
use heeler_tests::{Fleet, NOON, Node};

use crate::scene::{machine, node_a};

const DAY: u64 = 24 * 60 * 60 * 1000;
const YEAR: u64 = 365 * DAY;

/// Switches the node off, lets days pass, and starts the coordinator again.
async fn after(days: u64) -> (Fleet, Node) {
    let mut fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", &[]), "a").await;
    node.kill();
    fleet.operator().await.wait_for(v1::EventKind::Lost, "a").await;
    fleet.stop().await;
    fleet.clock.advance(days * DAY);
    node.machine.set_clock(NOON + days * DAY);
    fleet.start().await.unwrap();
    (fleet, node)
}

async fn connects(fleet: &Fleet, node: &mut Node) {
    let last = fleet.operator().await.wait_for(v1::EventKind::Lost, "a").await.id;
    node.start();
    fleet
        .operator()
        .await
        .wait_after(last, v1::EventKind::Connected, "a")
        .await;
}

#[tokio::test]
async fn a_forty_day_old_certificate_is_renewed() {
    let (fleet, mut node) = after(40).await;
    connects(&fleet, &mut node).await;
    let until_ms = node_a(&mut fleet.operator().await).await.certificate_expires_ms;
    assert!(until_ms > NOON + 46 * DAY, "{until_ms}");
}

#[tokio::test]
async fn a_node_returns_after_399_days() {
    let (fleet, mut node) = after(7 + 399).await;
    connects(&fleet, &mut node).await;
}

#[tokio::test]
async fn a_revoked_node_does_not_return() {
    let (fleet, node) = after(40).await;
    let mut operator = fleet.operator().await;
    operator.revoke(v1::RevokeRequest { node: "a".into() }).await.unwrap();
    drop(node);
    let agent = heeler_tests::BareAgent::new(&fleet);
    let refused = agent.enrol("a", "").await.unwrap_err();
    assert!(refused.message().contains("revoked"), "{}", refused.message());
}

#[tokio::test]
async fn a_clock_from_1970_connects_and_is_reported() {
    let (fleet, mut node) = after(40).await;
    node.machine.set_clock(60_000);
    node.machine.set_clock_synchronised(false);
    connects(&fleet, &mut node).await;
    let alarm = fleet.operator().await.wait_for(v1::EventKind::Alarm, "a").await;
    assert!(alarm.text.contains("behind"), "{}", alarm.text);
}

#[tokio::test]
async fn a_clock_a_year_ahead_renews_no_more_often() {
    let (fleet, mut node) = after(1).await;
    node.machine.set_clock(NOON + YEAR);
    node.machine.set_clock_synchronised(false);
    connects(&fleet, &mut node).await;
    let alarm = fleet.operator().await.wait_for(v1::EventKind::Alarm, "a").await;
    assert!(alarm.text.contains("ahead"), "{}", alarm.text);
    let events = v1::EventsRequest::default();
    let mut events = fleet.operator().await.events(events).await.unwrap().into_inner();
    let mut renewed = 0;
    while let Some(event) = events.message().await.unwrap() {
        renewed += u32::from(event.kind() == v1::EventKind::Renewed);
    }
    assert!(renewed <= 1, "{renewed}");
}

#[tokio::test]
async fn a_corrected_fast_coordinator_keeps_its_nodes() {
    let (mut fleet, mut node) = after(365).await;
    // The node's clock is right, but not synchronised.
    node.machine.set_clock(NOON);
    node.machine.set_clock_synchronised(false);
    connects(&fleet, &mut node).await;
    node.kill();
    fleet.stop().await;
    fleet.clock.set(NOON + DAY);
    fleet.start().await.unwrap();
    connects(&fleet, &mut node).await;
}

#[tokio::test]
async fn a_corrected_slow_coordinator_keeps_its_nodes() {
    let (mut fleet, mut node) = after(1).await;
    fleet.stop().await;
    fleet.clock.set(NOON - YEAR);
    fleet.start().await.unwrap();
    connects(&fleet, &mut node).await;
    node.kill();
    fleet.stop().await;
    fleet.clock.set(NOON + 2 * DAY);
    fleet.start().await.unwrap();
    connects(&fleet, &mut node).await;
}

#[tokio::test]
async fn a_coordinator_years_ahead_shuts_no_unsynchronised_node_out() {
    let fleet = Fleet::new().await;
    fleet.clock.set(NOON + 10 * YEAR);
    let machine = machine("a", &[]);
    machine.set_clock(NOON);
    machine.set_clock_synchronised(false);
    let mut node = Node::added(&fleet, machine, "a").await;
    node.kill();
    fleet.clock.set(NOON + DAY);
    connects(&fleet, &mut node).await;
}

#[tokio::test]
async fn a_time_server_frees_a_node_years_ahead() {
    let (fleet, mut node) = after(1).await;
    let clock = "/var/lib/heeler-agent/clock";
    let ahead = (NOON + 10 * YEAR).to_string();
    node.machine.put_file(clock, ahead.as_bytes()).unwrap();
    connects(&fleet, &mut node).await;
}
