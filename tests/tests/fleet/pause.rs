//! A paused node is looked at but gets no tasks, until a person ends the pause or its time is over.

use heeler_coordinator::clock::Clock as _;
use heeler_proto::v1;
use heeler_tests::{Fleet, Node, Operator, config, consents};
use tonic::Code;

use crate::scene::{DISKS, creations, machine, pooled};

async fn pause(operator: &mut Operator, for_ms: u64) -> v1::PauseNodeReply {
    let request = v1::PauseNodeRequest {
        node: "a".into(),
        reason: "the cleaner is in".into(),
        for_ms,
    };
    operator.pause_node(request).await.unwrap().into_inner()
}

async fn resume(operator: &mut Operator) -> bool {
    let request = v1::ResumeNodeRequest { node: "a".into() };
    operator.resume_node(request).await.unwrap().into_inner().was_paused
}

#[tokio::test]
async fn a_paused_node_is_not_changed() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pause(&mut operator, 0).await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    assert!(!plan.nodes[0].steps.is_empty(), "it is still looked at");
    assert_eq!(plan.nodes[0].pause.as_ref().unwrap().reason, "the cleaner is in");
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    assert!(reply.task_ids.is_empty());
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert!(
        status.alerts.iter().any(|alert| alert.next == "heeler node resume a"),
        "{status:?}"
    );
    assert!(resume(&mut operator).await);
    assert_eq!(creations(&node), 0, "nothing was queued meanwhile");
    pooled(&fleet, &mut operator).await;
    assert_eq!(creations(&node), 1);
}

#[tokio::test]
async fn a_plan_that_is_older_than_the_pause_begins_nothing() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    pause(&mut operator, 0).await;
    let request = v1::ApplyRequest {
        plan_id: plan.plan_id.clone(),
        consents: consents(&operator.key, &plan.nodes[0], fleet.clock.now_ms()),
        ..v1::ApplyRequest::default()
    };
    let reply = operator.apply(request).await.unwrap().into_inner();
    assert!(reply.task_ids.is_empty());
    assert_eq!(creations(&node), 0);
}

#[tokio::test]
async fn an_ended_pause_starts_nothing() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pause(&mut operator, 60_000).await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    fleet.clock.advance(60_000);
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    assert_eq!(plan.nodes[0].pause, None);
    assert_eq!(creations(&node), 0);
    assert!(!resume(&mut operator).await);
}

#[tokio::test]
async fn only_an_enrolled_node_is_paused() {
    let fleet = Fleet::new().await;
    let mut operator = fleet.operator().await;
    let request = v1::PauseNodeRequest {
        node: "nobody".into(),
        ..v1::PauseNodeRequest::default()
    };
    let status = operator.pause_node(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}
