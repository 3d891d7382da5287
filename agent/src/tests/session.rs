use heeler_proto::v1::event::Kind;
use heeler_proto::v1::{
    Assignment, AssignmentReply, Event, FactsRequest, Goodbye, TaskFinished, TaskOutcome, from_agent, reply::Answer,
    request::Ask, to_agent,
};

use super::coordinator::{Coordinator, Session};
use super::node::Node;

async fn assign(session: &mut Session, assignment: &Assignment) -> AssignmentReply {
    session.send(to_agent::Body::Assignment(assignment.clone())).await;
    let reply = session.answer(|body| match body {
        from_agent::Body::Assignment(reply) => Some(reply),
        _ => None,
    });
    reply.await
}

fn finished(event: &Event) -> Option<&TaskFinished> {
    match &event.kind {
        Some(Kind::TaskFinished(finished)) => Some(finished),
        _ => None,
    }
}

/// All events until the task ends, none acknowledged.
async fn to_the_end(session: &mut Session) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        events.push(session.event().await.unwrap());
        if events.last().is_some_and(|event| finished(event).is_some()) {
            return events;
        }
    }
}

async fn connected() -> (Coordinator, Node, Session) {
    let mut coordinator = Coordinator::start().await;
    let mut node = Node::added_by(&coordinator).await;
    node.start();
    let session = coordinator.welcomed(0).await;
    (coordinator, node, session)
}

#[tokio::test]
async fn facts_are_sent_on_request() {
    let (_coordinator, _node, mut session) = connected().await;
    let Some(Answer::Facts(facts)) = session.ask(Ask::Facts(FactsRequest::default())).await.answer else {
        panic!("no facts")
    };
    let blank = facts
        .disks
        .iter()
        .filter(|disk| disk.finding == "looks blank (sampled)");
    assert_eq!(blank.map(|disk| disk.serial.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(facts.hostname, "a");
}

#[tokio::test]
async fn an_assignment_runs_and_reports_numbered_events() {
    let (_coordinator, node, mut session) = connected().await;
    let assignment = node.ensure_pool(&mut session, 1).await;
    assert!(assign(&mut session, &assignment).await.accepted);
    let events = to_the_end(&mut session).await;
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    let end = finished(events.last().unwrap()).unwrap();
    assert_eq!(end.outcome(), TaskOutcome::Done, "{end:?}");
    assert_eq!(end.pools.len(), 1);
}

#[tokio::test]
async fn an_assignment_delivered_twice_runs_once() {
    let (_coordinator, node, mut session) = connected().await;
    let assignment = node.ensure_pool(&mut session, 1).await;
    assert!(assign(&mut session, &assignment).await.accepted);
    assert!(assign(&mut session, &assignment).await.accepted);
    to_the_end(&mut session).await;
    assert!(assign(&mut session, &assignment).await.accepted);
    session
        .send(to_agent::Body::Ping(heeler_proto::v1::Ping { nonce: 1 }))
        .await;
    assert!(
        matches!(session.next().await, Some(from_agent::Body::Pong(_))),
        "nothing ran again"
    );
}

#[tokio::test]
async fn old_and_altered_assignments_are_refused_after_a_restart() {
    let (mut coordinator, mut node, mut session) = connected().await;
    let assignment = node.ensure_pool(&mut session, 2).await;
    assert!(assign(&mut session, &assignment).await.accepted);
    let last = to_the_end(&mut session).await.len() as u64;
    session.acknowledge(last).await;
    node.kill().await;
    node.start();
    let mut session = coordinator.welcomed(last).await;
    let generation = session.hello.generation.unwrap();
    assert_eq!((generation.epoch, generation.counter), (1, 2));

    let older = node.ensure_pool(&mut session, 1).await;
    let refused = assign(&mut session, &older).await;
    assert!(!refused.accepted && refused.reason.contains("older"), "{refused:?}");
    let changed = Assignment {
        revision: 9,
        ..assignment
    };
    let refused = assign(&mut session, &changed).await;
    assert!(
        !refused.accepted && refused.reason.contains("other content"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_new_connection_replays_unacknowledged_events() {
    let (mut coordinator, node, mut session) = connected().await;
    let assignment = node.ensure_pool(&mut session, 1).await;
    assert!(assign(&mut session, &assignment).await.accepted);
    let first = [
        session.event().await.unwrap(),
        session.event().await.unwrap(),
        session.event().await.unwrap(),
    ];
    assert_eq!(first.map(|event| event.seq), [1, 2, 3]);
    session.acknowledge(2).await;
    coordinator.cut();
    let mut session = coordinator.welcomed(2).await;
    let events = to_the_end(&mut session).await;
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (3..3 + events.len() as u64).collect::<Vec<_>>());
    assert_eq!(finished(events.last().unwrap()).unwrap().outcome(), TaskOutcome::Done);
}

#[tokio::test]
async fn an_outcome_is_repeated_until_acknowledged() {
    let (mut coordinator, mut node, mut session) = connected().await;
    let assignment = node.ensure_pool(&mut session, 1).await;
    assert!(assign(&mut session, &assignment).await.accepted);
    let last = to_the_end(&mut session).await.len() as u64;
    // Neither was acknowledged.
    node.kill().await;
    node.start();
    let mut session = coordinator.welcomed(last - 1).await;
    assert_eq!(session.hello.last_event, last);
    assert!(finished(&session.event().await.unwrap()).is_some());
}

#[tokio::test]
async fn a_reflashed_node_continues_the_event_numbers() {
    let (_coordinator, node, mut session) = {
        let mut coordinator = Coordinator::start().await;
        let mut node = Node::added_by(&coordinator).await;
        node.start();
        let session = coordinator.welcomed(40).await;
        (coordinator, node, session)
    };
    let assignment = node.ensure_pool(&mut session, 1).await;
    assert!(assign(&mut session, &assignment).await.accepted);
    assert_eq!(session.event().await.unwrap().seq, 41);
}

#[tokio::test]
async fn nothing_irreversible_happens_without_consent() {
    let (_coordinator, node, mut session) = connected().await;
    let mut assignment = node.ensure_pool(&mut session, 1).await;
    assignment.consents.clear();
    let before = (node.machine.hash_disk("A"), node.machine.hash_disk("B"));
    assert!(assign(&mut session, &assignment).await.accepted);
    let events = to_the_end(&mut session).await;
    let end = finished(events.last().unwrap()).unwrap();
    assert_eq!(end.outcome(), TaskOutcome::Blocked);
    assert!(end.blocked.as_ref().unwrap().found.contains("no consent"), "{end:?}");
    assert_eq!(before, (node.machine.hash_disk("A"), node.machine.hash_disk("B")));
}

#[tokio::test]
async fn after_a_goodbye_the_agent_reconnects() {
    let (mut coordinator, _node, session) = connected().await;
    let goodbye = Goodbye {
        reason: "a second session of this node".into(),
    };
    session.send(to_agent::Body::Goodbye(goodbye)).await;
    coordinator.session().await;
}
