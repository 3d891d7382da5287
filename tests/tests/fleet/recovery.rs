//! Agent or coordinator is killed at any moment: the task continues, or its end is reported.

use heeler_coordinator::clock::Clock as _;
use heeler_proto::v1::{self, from_agent};
use heeler_tests::{BareAgent, Fleet, NOON, Node, config};

use crate::scene::{DISKS, assignment, creations, finished, machine, planned, taken, task};

#[tokio::test]
async fn a_killed_coordinator_continues_the_apply() {
    let mut fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    operator
        .wait_after(reply.after_event, v1::EventKind::TaskStarted, "a")
        .await;
    fleet.kill().await;
    fleet.start().await.unwrap();

    let mut operator = fleet.operator().await;
    let task = finished(&mut operator, &reply).await;
    assert_eq!(task.state(), v1::TaskState::Done, "{task:?}");
    assert_eq!(creations(&node), 1);
    let request = v1::EventsRequest {
        task_id: task.task_id,
        ..Default::default()
    };
    let mut events = operator.events(request).await.unwrap().into_inner();
    let mut ends = 0;
    while let Some(event) = events.message().await.unwrap() {
        ends += u32::from(event.kind() == v1::EventKind::TaskFinished);
    }
    assert_eq!(ends, 1, "an outcome arrives once");
}

#[tokio::test]
async fn killing_both_sides_runs_the_task_once() {
    let mut fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    node.kill();
    fleet.kill().await;
    fleet.start().await.unwrap();
    node.start();
    let task = finished(&mut fleet.operator().await, &reply).await;
    assert_eq!(task.state(), v1::TaskState::Done, "{task:?}");
    assert_eq!(creations(&node), 1);
}

#[tokio::test]
async fn a_power_cut_ends_in_one_pool_or_an_explanation() {
    for later in [3, 20, 60, 110] {
        let fleet = Fleet::new().await;
        let node = Node::added(&fleet, machine("a", DISKS), "a").await;
        let mut operator = fleet.operator().await;
        let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
        node.machine.cut_power_at(node.machine.points() + later);
        let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
        let task = finished(&mut operator, &reply).await;
        let half_made = task
            .blocked
            .as_ref()
            .is_some_and(|blocked| blocked.next.contains("heeler disk erase"));
        assert!(task.state() == v1::TaskState::Done || half_made, "{later}: {task:?}");
    }
}

#[tokio::test]
async fn a_task_not_taken_for_an_hour_is_refused() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let mut operator = fleet.operator().await;
    let plan = planned(&fleet, &mut line).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    line.next_that(assignment).await;

    fleet.clock.advance(60 * 60 * 1000);
    // Any event wakes the planner.
    drop(line);
    operator
        .wait_after(reply.after_event, v1::EventKind::Refused, "a")
        .await;
    let task = task(&mut operator, &reply.task_ids[0]).await;
    assert_eq!(task.state(), v1::TaskState::Refused);
    assert!(task.reason.contains("heeler plan"), "{}", task.reason);
}

#[tokio::test]
async fn a_new_session_resends_the_same_generation() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let mut operator = fleet.operator().await;
    let plan = planned(&fleet, &mut line).await;
    operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let first = line.next_that(assignment).await;
    assert_eq!(
        first.generation,
        Some(v1::Generation {
            epoch: NOON / 1000,
            counter: 1
        })
    );
    drop(line);

    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let second = line.next_that(assignment).await;
    assert_eq!(first, second);
    drop(line);

    // The agent had the task, does not have it now, and has no event left: no outcome will come.
    let hello = v1::Hello {
        generation: first.generation,
        ..BareAgent::hello("a")
    };
    let _line = agent.join(hello).await.unwrap();
    operator.wait_for(v1::EventKind::Failed, "a").await;
    let task = task(&mut operator, &first.task_id).await;
    assert_eq!(task.state(), v1::TaskState::Failed);
}

#[tokio::test]
async fn revoking_a_node_ends_its_task() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let mut operator = fleet.operator().await;
    let plan = planned(&fleet, &mut line).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let given = line.next_that(assignment).await;
    line.say(from_agent::Body::Assignment(taken(&given))).await;
    operator
        .wait_after(reply.after_event, v1::EventKind::Accepted, "a")
        .await;
    operator.revoke(v1::RevokeRequest { node: "a".into() }).await.unwrap();
    operator.wait_after(reply.after_event, v1::EventKind::Failed, "a").await;
    let task_id = given.task_id;
    let task = task(&mut operator, &task_id).await;
    assert!(task.reason.contains("revoked"), "{task:?}");
}
