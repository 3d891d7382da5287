//! A node with a full card keeps its snapshots, refuses tasks, says why, and continues when there is room.

use std::time::Duration;

use heeler_coordinator::clock::Clock as _;
use heeler_proto::v1::{self, event::Kind};
use heeler_tests::{Fleet, Node, Operator, config};

use crate::scene::{DISKS, finished, machine, pooled};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn taken(node: &Node) -> usize {
    let log = node.machine.log();
    log.iter()
        .filter(|entry| entry.what.starts_with("zfs snapshot -o"))
        .count()
}

async fn runs(operator: &mut Operator) -> Vec<v1::SnapshotRun> {
    let request = v1::EventsRequest {
        kinds: vec![v1::EventKind::Snapshots.into()],
        ..v1::EventsRequest::default()
    };
    let mut events = operator.events(request).await.unwrap().into_inner();
    let mut runs = Vec::new();
    while let Some(event) = events.message().await.unwrap() {
        if let Some(Kind::Snapshots(run)) = event.event.and_then(|event| event.kind) {
            runs.push(run);
        }
    }
    runs
}

async fn connects(fleet: &Fleet, node: &mut Node) {
    let mut operator = fleet.operator().await;
    let last = operator.wait_for(v1::EventKind::Connected, "a").await.id;
    node.kill();
    node.start();
    operator.wait_after(last, v1::EventKind::Connected, "a").await;
}

#[tokio::test]
async fn a_full_card_delays_only_the_reports() {
    let mut fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", DISKS), "a").await;
    pooled(&fleet, &mut fleet.operator().await).await;
    fleet.stop().await;
    node.live_alone(HOUR).await;
    let before = taken(&node);
    node.machine.set_card_full(true);
    node.live_alone(30 * HOUR).await;
    assert_eq!(taken(&node) - before, 30);
    node.machine.set_card_full(false);
    node.live_alone(2 * HOUR).await;
    fleet.clock.advance(33 * 3_600_000);
    fleet.start().await.unwrap();
    connects(&fleet, &mut node).await;
    let mut operator = fleet.operator().await;
    // A round that only prunes may follow at any time. When the last snapshot is reported, all earlier ones are.
    let log = node.machine.log();
    let last = log.iter().rev().find(|entry| entry.what.starts_with("zfs snapshot -o"));
    let last = last.unwrap().what.rsplit(' ').next().unwrap().to_owned();
    loop {
        let runs = runs(&mut operator).await;
        if runs.iter().any(|run| run.taken.contains(&last)) {
            assert!(runs.iter().any(|run| run.runs >= 30), "{runs:?}");
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_full_card_refuses_tasks_until_there_is_room() {
    let fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    node.machine.set_card_full(true);
    connects(&fleet, &mut node).await;
    let text = config(&[("a", DISKS)]).replace("[nodes.a]", "[nodes.a]\npool = { arc_max = \"512MiB\" }");
    let plan = operator.plan_text(&text, 1).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let task = finished(&mut operator, &reply).await;
    assert_eq!(task.state(), v1::TaskState::Refused, "{task:?}");
    assert!(
        task.reason.contains("journal") && task.reason.contains("space"),
        "{task:?}"
    );

    node.machine.set_card_full(false);
    let plan = operator.plan_text(&text, reply.revision).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    assert_eq!(finished(&mut operator, &reply).await.state(), v1::TaskState::Done);
}
