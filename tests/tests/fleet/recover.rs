//! A lost coordinator is restored: from a node's copy, from an old backup, or from nothing.

use heeler_coordinator::clock::Clock as _;
use heeler_proto::v1::{self, Light, StepOutcome};
use heeler_tests::{BareAgent, Fleet, NOON, Node, Operator, config};

use crate::scene::{DISKS, creations, machine, node_a, outcomes, planned, pooled, task};

const HOUR_MS: u64 = 60 * 60 * 1000;
const COPIES: &str = "/data/pve-files/.heeler/copies";

async fn copies_now(operator: &mut Operator) -> v1::MakeCopiesReply {
    operator
        .make_copies(v1::MakeCopiesRequest {})
        .await
        .unwrap()
        .into_inner()
}

async fn status(operator: &mut Operator) -> v1::StatusReply {
    operator.status(v1::StatusRequest {}).await.unwrap().into_inner()
}

/// Asserts that no step of any task would change something.
async fn assert_nothing_to_change(operator: &mut Operator, parent: u64) {
    let plan = operator.plan_text(&config(&[("a", DISKS)]), parent).await;
    let settled = [StepOutcome::Satisfied, StepOutcome::NotApplicable];
    let found = outcomes(&plan.nodes[0]);
    assert!(
        !found.is_empty() && found.iter().all(|outcome| settled.contains(outcome)),
        "{plan:#?}"
    );
}

#[tokio::test]
async fn a_nodes_copy_restores_a_destroyed_coordinator() {
    let mut fleet = Fleet::new().await;
    fleet.make_recovery_key().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    assert!(
        copies_now(&mut operator).await.copies.is_empty(),
        "there is no pool yet"
    );
    pooled(&fleet, &mut operator).await;
    fleet.clock.advance(HOUR_MS);
    // The coordinator looks at the pool that the task made.
    operator
        .discover(v1::DiscoverRequest { node: "a".into() })
        .await
        .unwrap();
    let round = copies_now(&mut operator).await;
    assert!(round.problems.is_empty(), "{round:?}");
    let copy = &round.copies[0];
    let sealed = node.machine.file(&format!("{COPIES}/{}", copy.name)).unwrap();
    assert_eq!(sealed.len() as u64, copy.bytes);
    let known = operator
        .list_copies(v1::ListCopiesRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(&known.copies, &round.copies);

    let last = status(&mut operator).await.revision;
    drop(operator);
    fleet.kill().await;
    fleet.destroy();
    let archive = fleet.folder().join("from-the-node.age");
    std::fs::write(&archive, &sealed).unwrap();
    let restored = fleet.restore(&archive).await.unwrap();
    assert_eq!(restored.epoch, NOON / 1000 + 3600);
    fleet.start().await.unwrap();
    let mut operator = fleet.operator().await;
    let restored = operator.wait_after(0, v1::EventKind::Restored, "").await;
    operator.wait_after(restored.id, v1::EventKind::Connected, "a").await;
    let status = status(&mut operator).await;
    assert_eq!(status.nodes[0].config, "same", "{status:?}");
    assert!(
        status.nodes[0].pause.is_none(),
        "the copy knew all that the node had done: {status:?}"
    );
    assert_nothing_to_change(&mut operator, last).await;
    assert_eq!(creations(&node), 1);
}

#[tokio::test]
async fn an_agent_ahead_of_a_backup_is_paused() {
    let mut fleet = Fleet::new().await;
    fleet.make_recovery_key().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let old = fleet.back_up().await;
    pooled(&fleet, &mut fleet.operator().await).await;
    fleet.kill().await;
    fleet.clock.advance(HOUR_MS);
    let restored = fleet.restore(&old).await.unwrap();
    assert!(restored.aside.is_some(), "what was there is kept");
    fleet.start().await.unwrap();

    let mut operator = fleet.operator().await;
    let paused = operator.wait_after(0, v1::EventKind::Paused, "a").await;
    let held = status(&mut operator).await;
    assert_eq!(held.light(), Light::Amber);
    let alert = held.alerts.iter().find(|alert| alert.next == "heeler node resume a");
    assert!(
        alert.is_some_and(|alert| alert.text.contains("has no record of")),
        "{held:?}"
    );
    // The node is looked at, and gets no task.
    let back = operator.wait_after(paused.id, v1::EventKind::Connected, "a").await;
    operator
        .discover(v1::DiscoverRequest { node: "a".into() })
        .await
        .unwrap();
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 1).await;
    assert!(plan.nodes[0].pause.is_some() && plan.nodes[0].tasks.iter().all(|task| task.task_id.is_empty()));

    let resume = v1::ResumeNodeRequest { node: "a".into() };
    operator.resume_node(resume).await.unwrap();
    assert_nothing_to_change(&mut operator, 1).await;
    assert_eq!(
        creations(&node),
        1,
        "the pool that the backup knew nothing of was recognised"
    );
    // After resume, a new connection does not pause it again.
    drop(operator);
    fleet.kill().await;
    fleet.start().await.unwrap();
    let mut operator = fleet.operator().await;
    operator.wait_after(back.id, v1::EventKind::Connected, "a").await;
    assert!(status(&mut operator).await.nodes[0].pause.is_none());
}

#[tokio::test]
async fn a_restored_backup_restarts_no_task() {
    let mut fleet = Fleet::new().await;
    fleet.make_recovery_key().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let mut operator = fleet.operator().await;
    let plan = planned(&fleet, &mut line).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let backup = fleet.back_up().await;
    drop((line, operator));
    fleet.kill().await;
    let restored = fleet.restore(&backup).await.unwrap();
    assert_eq!(restored.open_tasks, 1);
    fleet.start().await.unwrap();
    let mut operator = fleet.operator().await;
    let over = task(&mut operator, &reply.task_ids[0]).await;
    assert!(
        over.state() == v1::TaskState::Failed && over.reason.contains("restored"),
        "{over:?}"
    );
}

#[tokio::test]
async fn a_new_coordinator_takes_nodes_over() {
    let first = Fleet::new().await;
    let mut node = Node::added(&first, machine("a", DISKS), "a").await;
    let mut operator = first.operator().await;
    pooled(&first, &mut operator).await;
    let hostid = node_a(&mut operator).await.hostid;
    node.kill();
    drop((operator, first));

    // Another authority, another operator's key, and an epoch of the same second.
    let second = Fleet::new().await;
    let node = Node::added(&second, node.machine.clone(), "a").await;
    let mut operator = second.operator().await;
    operator.wait_after(0, v1::EventKind::TakenOver, "a").await;
    operator
        .discover(v1::DiscoverRequest { node: "a".into() })
        .await
        .unwrap();
    let known = node_a(&mut operator).await;
    assert_eq!(known.hostid, hostid, "the pool goes on being imported without force");
    assert_nothing_to_change(&mut operator, 7).await;
    assert_eq!(creations(&node), 1);

    // The node accepts the new coordinator's assignments: their generations are later than all before.
    let text = config(&[("a", DISKS)]).replace("disks =", "pool = { arc_max = \"512MiB\" }\ndisks =");
    let plan = operator.plan_text(&text, 7).await;
    let reply = operator.apply_plan(&plan, second.clock.now_ms()).await.unwrap();
    let done = crate::scene::finished(&mut operator, &reply).await;
    assert_eq!(done.state(), v1::TaskState::Done, "{done:?}");
}
