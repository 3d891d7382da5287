//! Setups and queries that several tests share.

use std::time::Duration;

use heeler_coordinator::clock::Clock as _;
use heeler_host::sim::Machine;
use heeler_proto::v1::{self, StepOutcome, reply::Answer, request::Ask, to_agent};
use heeler_tests::{Fleet, Line, Node, Operator, config};
use tokio::time::timeout;

pub const DISKS: &[&str] = &["S6XNNS0W100001", "S6XNNS0W100002"];

pub fn machine(name: &str, disks: &[&str]) -> Machine {
    disks
        .iter()
        .fold(Machine::builder(name), |builder, serial| builder.blank(serial))
        .build()
}

/// Number of `zpool create` commands that the machine ran.
pub fn creations(node: &Node) -> usize {
    let log = node.machine.log();
    log.iter()
        .filter(|entry| entry.mutates && entry.what.starts_with("zpool create"))
        .count()
}

/// Waits until all applied tasks have ended, and returns the first.
pub async fn finished(operator: &mut Operator, reply: &v1::ApplyReply) -> v1::TaskInfo {
    for task_id in &reply.task_ids {
        let request = v1::EventsRequest {
            task_id: task_id.clone(),
            follow: true,
            ..Default::default()
        };
        let mut events = operator.events(request).await.unwrap().into_inner();
        let ends = [v1::EventKind::TaskFinished, v1::EventKind::Refused];
        while !ends.contains(&events.message().await.unwrap().unwrap().kind()) {}
    }
    task(operator, &reply.task_ids[0]).await
}

/// Creates the pool of node `a` on [`DISKS`].
pub async fn pooled(fleet: &Fleet, operator: &mut Operator) -> v1::TaskInfo {
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    finished(operator, &reply).await
}

/// A task, from the coordinator.
pub async fn task(operator: &mut Operator, task_id: &str) -> v1::TaskInfo {
    let request = v1::ShowTaskRequest {
        task_id: task_id.to_owned(),
    };
    operator.show_task(request).await.unwrap().into_inner()
}

/// Node `a`, from the coordinator.
pub async fn node_a(operator: &mut Operator) -> v1::NodeInfo {
    let request = v1::ShowNodeRequest { node: "a".into() };
    operator.show_node(request).await.unwrap().into_inner().node.unwrap()
}

pub fn outcomes(plan: &v1::NodePlan) -> Vec<StepOutcome> {
    plan.steps.iter().map(v1::StepReport::outcome).collect()
}

/// A plan with a change, answered by the hand-made agent.
pub async fn planned(fleet: &Fleet, line: &mut Line) -> v1::PlanReply {
    planned_steps(fleet, line, vec![change(0)]).await
}

/// A step of that task of the plan, with a change.
pub fn change(task: u32) -> v1::StepReport {
    v1::StepReport {
        task,
        step: "X".into(),
        outcome: StepOutcome::Change.into(),
        ..Default::default()
    }
}

/// A plan with these steps, answered by the hand-made agent.
pub async fn planned_steps(fleet: &Fleet, line: &mut Line, steps: Vec<v1::StepReport>) -> v1::PlanReply {
    planned_text(fleet, line, config(&[("a", DISKS)]), steps).await
}

/// The same, for this heeler.toml.
pub async fn planned_text(fleet: &Fleet, line: &mut Line, text: String, steps: Vec<v1::StepReport>) -> v1::PlanReply {
    let planning = tokio::spawn({
        let mut operator = fleet.operator().await;
        async move { operator.plan_text(&text, 0).await }
    });
    let id = line.next_that(preview).await;
    let preview = v1::Preview { steps, facts: None };
    line.answer(id, Answer::Preview(preview)).await;
    planning.await.unwrap()
}

/// The answer of an agent that takes the task.
pub fn taken(given: &v1::Assignment) -> v1::AssignmentReply {
    v1::AssignmentReply {
        task_id: given.task_id.clone(),
        generation: given.generation,
        accepted: true,
        reason: String::new(),
    }
}

/// Longer than a busy machine needs: a test that waits this long has failed.
pub const WAITS: Duration = Duration::from_secs(60);

/// Repeats until `holds` returns true.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let comes = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(WAITS, comes).await.is_ok(), "it did not come to that");
}

pub fn preview(body: to_agent::Body) -> Option<u64> {
    Line::asks(body, |ask| matches!(ask, Ask::Preview(_)).then_some(()))
}

pub fn assignment(body: to_agent::Body) -> Option<v1::Assignment> {
    match body {
        to_agent::Body::Assignment(assignment) => Some(assignment),
        _ => None,
    }
}
