//! Changes of a pool are reported at once, unasked.

use heeler_proto::v1::{self, Light};
use heeler_tests::{Fleet, Node, Operator};

use crate::scene::{DISKS, machine, pooled, until};

async fn status(operator: &mut Operator) -> v1::StatusReply {
    operator.status(v1::StatusRequest {}).await.unwrap().into_inner()
}

async fn events(operator: &mut Operator, kind: v1::EventKind) -> Vec<String> {
    let asked = v1::EventsRequest {
        kinds: vec![kind.into()],
        ..v1::EventsRequest::default()
    };
    let mut events = operator.events(asked).await.unwrap().into_inner();
    let mut texts = Vec::new();
    while let Some(event) = events.message().await.unwrap() {
        texts.push(event.text);
    }
    texts
}

#[tokio::test]
async fn a_pulled_disk_and_resilver_are_reported_unasked() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    until(async || status(&mut operator).await.nodes[0].pool == "ok").await;

    node.machine.pull_disk(DISKS[1]);
    until(async || status(&mut operator).await.nodes[0].pool == "DEGRADED").await;
    let seen = status(&mut operator).await;
    let text = &seen.alerts[0].text;
    assert!(text.contains(&format!("slot B {} is REMOVED", DISKS[1])), "{text}");
    assert!(text.contains(&format!("Do NOT pull slot A {}", DISKS[0])), "{text}");
    let alarms = events(&mut operator, v1::EventKind::Alarm).await;
    let expected = format!("pool data is DEGRADED: slot B {} is REMOVED", DISKS[1]);
    assert_eq!(alarms, [expected]);

    node.machine.insert_disk(DISKS[1]);
    until(async || status(&mut operator).await.nodes[0].pool == "ok").await;
    let seen = status(&mut operator).await;
    assert_eq!(seen.light(), Light::Green, "{seen:?}");
    let told = events(&mut operator, v1::EventKind::Pool).await;
    for part in [
        "is ONLINE again",
        "a resilver of pool data began",
        "a resilver of pool data ended",
    ] {
        assert!(told.iter().any(|text| text.contains(part)), "{part}: {told:?}");
    }
    assert_eq!(events(&mut operator, v1::EventKind::Alarm).await.len(), 1);
}

#[tokio::test]
async fn export_and_import_by_hand_are_reported() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    until(async || status(&mut operator).await.nodes[0].pool == "ok").await;
    assert!(node.machine.by_hand("zpool", &["export", "data"]).ok());
    until(async || status(&mut operator).await.nodes[0].pool == "gone").await;
    assert!(node.machine.by_hand("zpool", &["import", "data"]).ok());
    until(async || status(&mut operator).await.nodes[0].pool == "ok").await;
    assert_eq!(
        events(&mut operator, v1::EventKind::Alarm).await,
        ["pool data is not imported any more"]
    );
    assert!(
        events(&mut operator, v1::EventKind::Pool)
            .await
            .contains(&"pool data is imported".to_owned())
    );
}
