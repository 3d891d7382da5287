//! The tasks of one node's plan follow each other, however long each of them takes.

use heeler_coordinator::clock::Clock as _;
use heeler_proto::v1::{self, TaskOutcome, from_agent};
use heeler_tests::{BareAgent, Fleet, Line, Operator, config};

use crate::scene::{DISKS, assignment, change, finished, planned_steps, planned_text, taken, task};

const HOUR: u64 = 60 * 60 * 1000;

/// A node whose plan has two tasks, of which it has taken the first. The steps of the second are given.
async fn first_of_two(second: v1::StepReport) -> (Fleet, Operator, Line, Vec<String>) {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let mut operator = fleet.operator().await;
    let plan = planned_steps(&fleet, &mut line, vec![change(0), second]).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let given = line.next_that(assignment).await;
    assert_eq!(given.task_id, reply.task_ids[0]);
    line.say(from_agent::Body::Assignment(taken(&given))).await;
    operator
        .wait_after(reply.after_event, v1::EventKind::Accepted, "a")
        .await;
    (fleet, operator, line, reply.task_ids)
}

async fn ends(line: &Line, seq: u64, task_id: &str, outcome: TaskOutcome) {
    let finished = v1::TaskFinished {
        outcome: outcome.into(),
        ..Default::default()
    };
    let event = v1::Event {
        seq,
        task_id: task_id.into(),
        kind: Some(v1::event::Kind::TaskFinished(finished)),
        ..Default::default()
    };
    line.say(from_agent::Body::Event(event)).await;
}

#[tokio::test]
async fn a_later_task_starts_after_two_hours() {
    let (fleet, mut operator, mut line, tasks) = first_of_two(change(1)).await;
    fleet.clock.advance(2 * HOUR);
    // An event makes the planner run.
    let note = v1::Note::default();
    let event = v1::Event {
        kind: Some(v1::event::Kind::Note(note)),
        ..Default::default()
    };
    line.say(from_agent::Body::Event(event)).await;
    operator.wait_for(v1::EventKind::Note, "a").await;
    let waits = task(&mut operator, &tasks[1]).await;
    assert_eq!((waits.state(), waits.ready_at_ms), (v1::TaskState::Queued, 0));
    assert_eq!(waits.predecessor, tasks[0]);
    ends(&line, 1, &tasks[0], TaskOutcome::Done).await;
    assert_eq!(line.next_that(assignment).await.task_id, tasks[1]);
}

#[tokio::test]
async fn a_failed_backplane_does_not_stop_the_schedules() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let mut operator = fleet.operator().await;
    let text = format!(
        "{}backplane = {{ address = \"10.10.99.50\" }}\n[network]\nsubnet = \"10.10.80.0/24\"\nbackplane = \"10.10.99.0/24\"\n",
        config(&[("a", DISKS)])
    );
    let plan = planned_text(&fleet, &mut line, text, (0..5).map(change).collect()).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let mut given_out = Vec::new();
    for seq in 1..=5 {
        let given = line.next_that(assignment).await;
        line.say(from_agent::Body::Assignment(taken(&given))).await;
        let kind = given.task.unwrap().kind;
        let outcome = match kind.as_str() {
            "ensure pool" => TaskOutcome::Done,
            _ => TaskOutcome::Failed,
        };
        given_out.push(kind);
        ends(&line, seq, &given.task_id, outcome).await;
    }
    finished(&mut operator, &reply).await;
    assert_eq!(
        given_out,
        [
            "ensure pool",
            "schedule snapshots",
            "schedule scrubs",
            "schedule copies",
            "set up backplane"
        ],
        "what protects data comes first"
    );
}

#[tokio::test]
async fn a_later_task_does_not_start_after_a_failure() {
    for outcome in [TaskOutcome::Failed, TaskOutcome::Blocked, TaskOutcome::Refused] {
        let (_fleet, mut operator, line, tasks) = first_of_two(change(1)).await;
        ends(&line, 1, &tasks[0], outcome).await;
        operator.wait_for(v1::EventKind::Refused, "a").await;
        let second = task(&mut operator, &tasks[1]).await;
        assert_eq!(
            (second.state(), second.reason.as_str()),
            (
                v1::TaskState::Refused,
                "not started: ensure pool, which comes first, did not finish"
            )
        );
    }
}

#[tokio::test]
async fn a_consent_that_expires_meanwhile_starts_nothing() {
    let lower = v1::LowerKeep {
        changes: vec![v1::KeepChange {
            dataset: "data/x".into(),
            before: "24 hourly".into(),
            after: "12 hourly".into(),
        }],
        ..Default::default()
    };
    let op = v1::OpPreview {
        irreversible: Some(v1::Irreversible {
            act: Some(v1::irreversible::Act::LowerKeep(lower)),
        }),
        ..Default::default()
    };
    let second = v1::StepReport {
        ops: vec![op],
        ..change(1)
    };
    let (fleet, mut operator, line, tasks) = first_of_two(second).await;
    fleet.clock.advance(2 * HOUR);
    ends(&line, 1, &tasks[0], TaskOutcome::Done).await;
    operator.wait_for(v1::EventKind::Refused, "a").await;
    let second = task(&mut operator, &tasks[1]).await;
    assert!(second.reason.contains("its consent"), "{second:?}");
    assert!(second.reason.contains("Look again: heeler plan"), "{second:?}");
}
