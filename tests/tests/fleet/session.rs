//! One session for each node, each event stored once, and an immediate end at revocation.

#![expect(clippy::unwrap_used, reason = "a test says so when it cannot go on")]

use heeler_proto::v1::{self, from_agent, to_agent};
use heeler_tests::{BareAgent, Fleet};
use rcgen::KeyPair;

fn goodbye(body: to_agent::Body) -> Option<String> {
    match body {
        to_agent::Body::Goodbye(goodbye) => Some(goodbye.reason),
        _ => None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "next_that gives a body away")]
fn acknowledged(body: to_agent::Body) -> Option<u64> {
    match body {
        to_agent::Body::Ack(ack) => Some(ack.seq),
        _ => None,
    }
}

fn note(seq: u64, text: &str) -> from_agent::Body {
    let note = v1::Note {
        level: v1::NoteLevel::Info.into(),
        text: text.into(),
    };
    from_agent::Body::Event(v1::Event {
        seq,
        at_ms: 1,
        task_id: String::new(),
        kind: Some(v1::event::Kind::Note(note)),
    })
}

async fn notes(fleet: &Fleet) -> Vec<String> {
    let mut events = fleet
        .operator()
        .await
        .events(v1::EventsRequest::default())
        .await
        .unwrap()
        .into_inner();
    let mut notes = Vec::new();
    while let Some(event) = events.message().await.unwrap() {
        if event.kind() == v1::EventKind::Note {
            notes.push(event.text);
        }
    }
    notes
}

#[tokio::test]
async fn revocation_closes_the_stream_at_once() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let reply = fleet
        .operator()
        .await
        .revoke(v1::RevokeRequest { node: "a".into() })
        .await
        .unwrap();
    assert!(reply.into_inner().session_closed);
    assert_eq!(line.next_that(goodbye).await, "revoked");
    assert_eq!(line.next().await.unwrap_err(), "the stream has ended");
    assert!(agent.join(BareAgent::hello("a")).await.is_err(), "TLS refuses its key");
    let why = agent.enrol("a", "").await.unwrap_err();
    assert!(why.message().contains("revoked"), "{}", why.message());
}

#[tokio::test]
async fn an_agent_cannot_speak_for_another_node() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    BareAgent::enrolled(&fleet, "b").await;
    let why = agent.join(BareAgent::hello("b")).await.err().unwrap();
    assert!(why.contains("certificate is for a"), "{why}");
}

#[tokio::test]
async fn a_stream_without_hello_is_refused() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let mut line = agent.connect_with(note(1, "x")).await.unwrap();
    assert!(line.next().await.unwrap_err().contains("hello"));
}

#[tokio::test]
async fn a_second_stream_of_a_living_board_is_refused() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut first, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let second = tokio::spawn({
        let line = agent.connect(BareAgent::hello("a")).await.unwrap();
        async move {
            let mut line = line;
            line.next().await
        }
    });
    let nonce = first
        .next_that(|body| match body {
            to_agent::Body::Ping(ping) => Some(ping.nonce),
            _ => None,
        })
        .await;
    first.say(from_agent::Body::Pong(v1::Pong { nonce })).await;
    assert!(second.await.unwrap().unwrap_err().contains("another open session"));
    let alarm = fleet.operator().await.wait_for(v1::EventKind::Alarm, "a").await;
    assert!(alarm.text.contains("refused"), "{}", alarm.text);
    first.say(note(1, "still here")).await;
    assert_eq!(first.next_that(acknowledged).await, 1);
}

#[tokio::test]
async fn a_second_stream_replaces_a_silent_one() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut first, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    agent.join(BareAgent::hello("a")).await.unwrap();
    assert!(first.next_that(goodbye).await.contains("took over"));
}

#[tokio::test]
async fn a_copied_card_in_another_board_is_refused_and_alarmed() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let _first = agent.join(BareAgent::hello("a")).await.unwrap();
    let hello = v1::Hello {
        hardware_serial: "another".into(),
        ..BareAgent::hello("a")
    };
    let why = agent.join(hello).await.err().unwrap();
    assert!(why.contains("another open session"), "{why}");
    let alarm = fleet.operator().await.wait_for(v1::EventKind::Alarm, "a").await;
    assert!(alarm.text.contains("another board"), "{}", alarm.text);
    let status = |mut operator: heeler_tests::Operator| async move {
        operator.status(v1::StatusRequest {}).await.unwrap().into_inner()
    };
    let told = |status: &v1::StatusReply| status.alerts.iter().any(|alert| alert.text.contains("another board"));
    assert!(told(&status(fleet.operator().await).await), "the status says so");
    fleet.clock.advance(25 * 60 * 60 * 1000);
    assert!(!told(&status(fleet.operator().await).await), "for a day");
}

#[tokio::test]
async fn an_event_that_is_sent_again_is_stored_once() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, welcome) = agent.join(BareAgent::hello("a")).await.unwrap();
    assert_eq!(welcome.acknowledged, 0);
    for (seq, acked) in [(1, 1), (2, 2), (1, 2), (2, 2), (3, 3)] {
        line.say(note(seq, &format!("event {seq}"))).await;
        assert_eq!(line.next_that(acknowledged).await, acked);
    }
    drop(line);
    let hello = v1::Hello {
        last_event: 3,
        ..BareAgent::hello("a")
    };
    let (line, welcome) = agent.join(hello).await.unwrap();
    assert_eq!(welcome.acknowledged, 3);
    drop(line);
    assert_eq!(notes(&fleet).await, ["event 1", "event 2", "event 3"]);
}

#[tokio::test]
async fn acknowledged_events_outlive_a_killed_coordinator() {
    let mut fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    line.say(note(1, "kept")).await;
    assert_eq!(line.next_that(acknowledged).await, 1);
    fleet.kill().await;
    fleet.start().await.unwrap();
    let hello = v1::Hello {
        last_event: 1,
        ..BareAgent::hello("a")
    };
    let (_, welcome) = agent.join(hello).await.unwrap();
    assert_eq!(welcome.acknowledged, 1);
    assert_eq!(notes(&fleet).await, ["kept"]);
}

#[tokio::test]
async fn a_new_journal_is_read_from_its_start() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    line.say(note(1, "old")).await;
    line.say(note(2, "old")).await;
    line.next_that(|body| acknowledged(body).filter(|seq| *seq == 2)).await;
    drop(line);
    let (mut line, welcome) = agent.join(BareAgent::hello("a")).await.unwrap();
    assert_eq!(welcome.acknowledged, 0);
    line.say(note(1, "new")).await;
    assert_eq!(line.next_that(acknowledged).await, 1);
    assert_eq!(notes(&fleet).await, ["old", "old", "new"]);
    fleet.operator().await.wait_for(v1::EventKind::Alarm, "a").await;
}

#[tokio::test]
async fn renewal_over_the_stream_keeps_the_key() {
    let fleet = Fleet::new().await;
    let mut agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let renewed = |body| match body {
        to_agent::Body::Renew(reply) => Some(reply),
        _ => None,
    };
    fleet.clock.advance(5 * 24 * 60 * 60 * 1000);
    line.say(from_agent::Body::Renew(v1::RenewRequest { csr: agent.csr() }))
        .await;
    let reply = line.next_that(renewed).await;
    assert_eq!(reply.error, "");

    let own = std::mem::replace(&mut agent.key, KeyPair::generate().unwrap());
    line.say(from_agent::Body::Renew(v1::RenewRequest { csr: agent.csr() }))
        .await;
    assert!(line.next_that(renewed).await.error.contains("same key"));

    drop(line);
    (agent.key, agent.chain) = (own, reply.certificate_chain);
    fleet.clock.advance(5 * 24 * 60 * 60 * 1000);
    agent.join(BareAgent::hello("a")).await.unwrap();
}

#[tokio::test]
async fn a_follower_sees_each_event_once_in_order() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let mut operator = fleet.operator().await;
    let mut from_start = operator.follow(0).await;
    for seq in 1..=300 {
        line.say(note(seq, &seq.to_string())).await;
    }
    let mut seen = Vec::new();
    let mut ids = Vec::new();
    while seen.len() < 300 {
        let event = from_start.message().await.unwrap().unwrap();
        ids.push(event.id);
        if event.kind() == v1::EventKind::Note {
            seen.push(event.text);
        }
    }
    assert_eq!(seen, (1..=300).map(|seq| seq.to_string()).collect::<Vec<_>>());
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    let mut from_middle = operator.follow(ids[100]).await;
    assert_eq!(from_middle.message().await.unwrap().unwrap().id, ids[101]);
}

#[tokio::test]
async fn a_stalled_reader_delays_nobody() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let _asleep = fleet.operator().await.follow(0).await;
    for seq in 1..=400 {
        line.say(note(seq, &"x".repeat(4096))).await;
        assert_eq!(line.next_that(acknowledged).await, seq);
    }
}

#[tokio::test]
async fn a_second_coordinator_on_one_state_is_refused() {
    let fleet = Fleet::new().await;
    let refused = fleet.second().await.unwrap_err().to_string();
    assert!(
        refused.contains(&format!("process {}", std::process::id())),
        "{refused}"
    );
    fleet.operator().await.status(v1::StatusRequest {}).await.unwrap();
}

#[tokio::test]
async fn the_operators_socket_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let fleet = Fleet::new().await;
    let socket = std::fs::metadata(fleet.state().socket()).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    let folder = std::fs::metadata(fleet.state().path()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_stopped_coordinator_remembers_the_last_contact() {
    let mut fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    fleet.clock.advance(1_000);
    fleet.stop().await;
    assert!(line.next_that(goodbye).await.contains("going down"));
    fleet.start().await.unwrap();
    let request = v1::ShowNodeRequest { node: "a".into() };
    let node = fleet
        .operator()
        .await
        .show_node(request)
        .await
        .unwrap()
        .into_inner()
        .node
        .unwrap();
    assert_eq!(node.last_seen_ms, heeler_tests::NOON + 1_000);
}
