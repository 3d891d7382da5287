//! What lives on a node's SD card is copied to its pool, and a person sees when.

use std::time::Duration;

use heeler_host::System as _;
use heeler_proto::v1;
use heeler_tests::{Fleet, Node, Operator};

use crate::scene::{DISKS, machine, pooled};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Some days of the node's own, during which the coordinator is away. `connected`: the number of the event before,
/// when the node connected; then of the one after.
async fn days(fleet: &mut Fleet, node: &mut Node, days: u32, connected: &mut u64) -> Operator {
    fleet.stop().await;
    let time = days * DAY;
    node.live_alone(time).await;
    node.kill();
    fleet.clock.advance(u64::try_from(time.as_millis()).unwrap());
    fleet.start().await.unwrap();
    node.start();
    let mut operator = fleet.operator().await;
    *connected = operator.wait_after(*connected, v1::EventKind::Connected, "a").await.id;
    operator
}

/// What the coordinator knows of the node's copies, and its alerts about them.
async fn told(operator: &mut Operator) -> (v1::ScheduleFacts, Vec<String>) {
    let node = v1::DiscoverRequest { node: "a".into() };
    operator.discover(node).await.unwrap();
    let node = v1::ShowNodeRequest { node: "a".into() };
    let shown = operator.show_node(node).await.unwrap().into_inner();
    let schedule = shown.node.unwrap().facts.unwrap().schedule.unwrap();
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    let alerts = status.alerts.into_iter().map(|alert| alert.text);
    (schedule, alerts.filter(|text| text.contains("SD card")).collect())
}

#[tokio::test]
async fn the_card_is_copied_unasked_and_a_gap_is_told() {
    let mut fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    let mut connected = operator.wait_for(v1::EventKind::Connected, "a").await.id;
    let mut operator = days(&mut fleet, &mut node, 3, &mut connected).await;
    let folder = "/data/pve-files/.heeler/node";
    let names = node.machine.list(std::path::Path::new(folder)).await.unwrap();
    let receipts = names.iter().filter(|name| name.ends_with(".json")).count();
    assert!(receipts >= 3, "{names:?}");
    let (schedule, alerts) = told(&mut operator).await;
    assert!(
        schedule.last_copy_ms > 0 && schedule.copy_problem.is_empty(),
        "{schedule:?}"
    );
    assert_eq!(alerts, [""; 0]);

    assert_eq!(node.machine.by_hand("zpool", &["export", "data"]).code, 0);
    let mut operator = days(&mut fleet, &mut node, 4, &mut connected).await;
    let (after, alerts) = told(&mut operator).await;
    assert_eq!(after.last_copy_ms, schedule.last_copy_ms);
    let [alert] = alerts.as_slice() else {
        panic!("{alerts:?}")
    };
    assert!(
        alert.contains("copied to the pool 3 d ago: no dataset of the pool data"),
        "{alert}"
    );
}
