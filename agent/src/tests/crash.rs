use std::collections::BTreeMap;

use heeler_host::sim::Loss;
use heeler_proto::v1::event::Kind;
use heeler_proto::v1::{Assignment, Event, TaskFinished, TaskOutcome, from_agent, to_agent};

use super::coordinator::Coordinator;
use super::node::Node;

/// What the coordinator has in the end.
struct Received {
    events: BTreeMap<u64, Event>,
    lost_at: Option<u64>,
}

/// Sends the assignment until it is accepted, over as many sessions as needed, and stores events until the task ends.
async fn carry_through(coordinator: &mut Coordinator, node: &Node, loss: Loss, after: u64) -> Received {
    let mut received = Received {
        events: BTreeMap::new(),
        lost_at: None,
    };
    let mut assignment: Option<Assignment> = None;
    let mut accepted = false;
    loop {
        let acknowledged = received.events.keys().last().copied().unwrap_or(0);
        let mut session = coordinator.welcomed(acknowledged).await;
        if assignment.is_none() {
            assignment = Some(node.ensure_pool(&mut session, 1).await);
            let at = node.machine.points() + after;
            received.lost_at = Some(at);
            node.machine.lose_at(at, loss);
        }
        if let Some(assignment) = assignment.clone().filter(|_| !accepted) {
            session.send(to_agent::Body::Assignment(assignment)).await;
        }
        while let Some(message) = session.next().await {
            match message {
                from_agent::Body::Assignment(reply) => {
                    assert!(reply.accepted, "{reply:?}");
                    accepted = true;
                }
                // Progress is neither numbered nor acknowledged.
                from_agent::Body::Event(event) if event.seq > 0 => {
                    let seq = event.seq;
                    let over = matches!(event.kind, Some(Kind::TaskFinished(_)));
                    if let Some(known) = received.events.insert(seq, event.clone()) {
                        assert_eq!(known, event, "one number, one event");
                    }
                    if over {
                        return received;
                    }
                    session.acknowledge(seq).await;
                }
                _ => {}
            }
        }
    }
}

fn outcome(received: &Received) -> TaskFinished {
    match received.events.values().last().and_then(|event| event.kind.clone()) {
        Some(Kind::TaskFinished(finished)) => finished,
        other => panic!("{other:?}"),
    }
}

/// The agent or the machine dies once at every third point of the task, in turn with each kind of loss. The engine's
/// own tests try each kind at every point.
async fn dies_everywhere(loss: Loss, first: u64) {
    for after in (first..).step_by(3) {
        let mut coordinator = Coordinator::start().await;
        let mut node = Node::added_by(&coordinator).await;
        node.start();
        let received = carry_through(&mut coordinator, &node, loss, after).await;
        let numbers: Vec<u64> = received.events.keys().copied().collect();
        assert_eq!(
            numbers,
            (1..=numbers.len() as u64).collect::<Vec<_>>(),
            "{loss:?} {after}: no gap"
        );
        let end = outcome(&received);
        match end.outcome() {
            TaskOutcome::Done => assert_eq!(end.pools.len(), 1, "{loss:?} {after}"),
            // A `zpool create` that was interrupted may leave labels that only a person may erase.
            TaskOutcome::Blocked => {
                let blocked = end.blocked.clone().unwrap();
                assert!(
                    blocked.next.contains("heeler disk erase"),
                    "{loss:?} {after}: {blocked:?}"
                );
            }
            other => panic!("{loss:?} {after}: {other:?} {end:?}"),
        }
        let created = node
            .machine
            .log()
            .iter()
            .filter(|entry| entry.mutates && entry.what.starts_with("zpool create"))
            .count();
        assert!(created <= 2, "{loss:?} {after}: created {created} times");
        if node.machine.points() <= received.lost_at.unwrap() {
            return;
        }
    }
}

#[tokio::test]
async fn a_killed_agent_continues_and_repeats_no_event() {
    dies_everywhere(Loss::Agent, 0).await;
}

#[tokio::test]
async fn an_agent_killed_with_its_jobs_continues_or_explains() {
    dies_everywhere(Loss::AgentAndItsWork, 1).await;
}

#[tokio::test]
async fn every_power_cut_is_repaired_or_explained() {
    dies_everywhere(Loss::Power, 2).await;
}
