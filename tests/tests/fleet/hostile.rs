//! Attacks on the coordinator's ports: any bytes, any amount, or silence.

use std::net::SocketAddr;
use std::time::Duration;

use heeler_proto::v1::{self, from_agent, reply::Answer, to_agent};
use heeler_tests::{BareAgent, Fleet, Line, tls};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Half-open connections of an attacker.
const IDLE: usize = 200;
const MIB: usize = 1 << 20;
/// Longer than the slowest machine needs, and far shorter than the coordinator's time limits in tests.
const WAITS: Duration = Duration::from_secs(240);

fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}

async fn throw(address: SocketAddr, bytes: &[u8]) {
    if let Ok(mut stream) = TcpStream::connect(address).await {
        drop(stream.write_all(bytes).await);
    }
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn garbage_before_and_within_tls_ends_its_own_connection_alone() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    for address in [fleet.agents, fleet.enrolment, fleet.remote] {
        for length in [1, 5, 6, 64, 600, 20_000] {
            throw(address, &random(length)).await;
            // The start of a handshake that never ends.
            throw(address, &[&[22, 3, 1, 64, 0][..], &random(length)].concat()).await;
        }
    }
    let key = agent.key.serialize_pem();
    for own in [Some((agent.chain.as_str(), key.as_str())), None] {
        let address = if own.is_some() { fleet.agents } else { fleet.enrolment };
        for length in [1, 24, 9_000, 70_000] {
            let config = tls::client(&fleet.ca(), own, &fleet.clock);
            let mut stream = tls::connect(address, config).await.unwrap();
            drop(stream.write_all(&random(length)).await);
            let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", random(length).as_slice()].concat();
            let config = tls::client(&fleet.ca(), own, &fleet.clock);
            let mut stream = tls::connect(address, config).await.unwrap();
            drop(stream.write_all(&preface).await);
        }
    }
    line.say(from_agent::Body::Event(v1::Event::default())).await;
    fleet.operator().await.status(v1::StatusRequest {}).await.unwrap();
    drop(line.out.clone());
    BareAgent::enrolled(&fleet, "b")
        .await
        .join(BareAgent::hello("b"))
        .await
        .unwrap();
    assert!(line.next().await.is_ok());
}

#[tokio::test]
async fn half_open_handshakes_delay_nobody() {
    let fleet = Fleet::new().await;
    let mut idle = Vec::new();
    for address in [fleet.agents, fleet.enrolment] {
        for _ in 0..IDLE {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
    }
    let came = async {
        let agent = BareAgent::enrolled(&fleet, "a").await;
        agent.join(BareAgent::hello("a")).await.unwrap()
    };
    assert!(
        timeout(WAITS, came).await.is_ok(),
        "the handshakes that are open may go on for an hour"
    );
}

#[tokio::test]
async fn enrolment_closes_the_oldest_of_too_many_connections() {
    let fleet = Fleet::new().await;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(
            tls::connect(fleet.enrolment, tls::client(&fleet.ca(), None, &fleet.clock))
                .await
                .unwrap(),
        );
    }
    let came = BareAgent::enrolled(&fleet, "a");
    assert!(
        timeout(WAITS, came).await.is_ok(),
        "idle connections may stay open for an hour"
    );
    let mut gone = Vec::new();
    assert!(
        timeout(WAITS, idle[0].read_to_end(&mut gone)).await.is_ok(),
        "the oldest one went"
    );
}

/// A progress event, which is neither stored nor acknowledged, so an agent may send many.
fn progress(bytes: usize) -> v1::Event {
    let progress = v1::Progress {
        text: "x".repeat(bytes),
        ..Default::default()
    };
    v1::Event {
        kind: Some(v1::event::Kind::Progress(progress)),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_gigabyte_stream_leaves_memory_flat() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let _asleep = fleet.operator().await.follow(0).await;
    let (large, mut most) = (progress(3 * MIB), 0);
    let before = resident();
    for _ in 0..342 {
        line.say(from_agent::Body::Event(large.clone())).await;
        // Waits until this process has sent it, so that only the coordinator's memory counts.
        while line.out.capacity() < line.out.max_capacity() {
            tokio::task::yield_now().await;
        }
        most = resident().max(most);
    }
    let grown = most.saturating_sub(before) / MIB;
    assert!(grown < 200, "{grown} MiB more, of 1 GiB that was sent");
    line.say(from_agent::Body::Event(progress(1))).await;
    drop(line.out.clone());
    fleet.operator().await.status(v1::StatusRequest {}).await.unwrap();
    assert!(line.next().await.is_ok(), "the session is as it was");
}

#[tokio::test]
async fn an_oversized_message_ends_only_its_stream() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    line.say(from_agent::Body::Event(progress(5 * MIB))).await;
    while line.next().await.is_ok() {}
    drop(line);
    agent.join(BareAgent::hello("a")).await.unwrap();
}

fn note(seq: u64) -> from_agent::Body {
    let note = v1::Note {
        level: v1::NoteLevel::Info.into(),
        text: seq.to_string(),
    };
    from_agent::Body::Event(v1::Event {
        seq,
        at_ms: heeler_tests::NOON,
        task_id: String::new(),
        kind: Some(v1::event::Kind::Note(note)),
    })
}

fn with_pools(count: usize) -> Answer {
    let pool = |number| v1::Pool {
        name: format!("p{number}"),
        guid: format!("{number}"),
        ..v1::Pool::default()
    };
    let facts = v1::Facts {
        hostname: "many".into(),
        pools: (1..=count).map(pool).collect(),
        ..v1::Facts::default()
    };
    Answer::Facts(facts)
}

async fn facts_of(fleet: &Fleet, node: &str) -> Option<v1::Facts> {
    let request = v1::ShowNodeRequest { node: node.into() };
    let shown = fleet.operator().await.show_node(request).await.unwrap().into_inner();
    shown.node.unwrap().facts
}

#[tokio::test]
async fn oversized_facts_are_refused_once() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let mut operator = fleet.operator().await;
    for seq in [1, 2] {
        let hello = v1::Hello {
            last_event: seq - 1,
            ..BareAgent::hello("a")
        };
        let (mut line, _) = agent.join(hello).await.unwrap();
        let id = line.next_that(Line::asks_for_facts).await;
        line.answer(id, with_pools(16_000)).await;
        line.say(note(seq)).await;
        line.next_that(|body| matches!(body, to_agent::Body::Ack(_)).then_some(()))
            .await;
    }
    assert_eq!(facts_of(&fleet, "a").await, None);
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    let told: Vec<_> = status
        .alerts
        .iter()
        .filter(|alert| alert.text.contains("refused"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].text.starts_with("reply refused: 16000 pools, at most 64"),
        "{told:?}"
    );
}

#[tokio::test]
async fn unrequested_answers_are_ignored() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let id = line.next_that(Line::asks_for_facts).await;
    line.answer(id + 1000, with_pools(3)).await;
    let preview = v1::Preview {
        facts: Some(v1::Facts::default()),
        ..v1::Preview::default()
    };
    line.answer(id, Answer::Preview(preview)).await;
    let trust = v1::TrustReply {
        statements_sha256: vec![7; 32],
        refused: vec!["nobody asked".into()],
        ..v1::TrustReply::default()
    };
    line.say(from_agent::Body::Trust(trust)).await;
    line.say(note(1)).await;
    line.next_that(|body| matches!(body, to_agent::Body::Ack(_)).then_some(()))
        .await;
    assert_eq!(facts_of(&fleet, "a").await, None);

    line.answer(id, with_pools(1)).await;
    line.answer(id, with_pools(2)).await;
    line.say(note(2)).await;
    line.next_that(|body| matches!(body, to_agent::Body::Ack(v1::EventAck { seq: 2 })).then_some(()))
        .await;
    let facts = facts_of(&fleet, "a").await.unwrap();
    assert_eq!(facts.pools.len(), 1, "one question has one answer");
}

#[tokio::test]
async fn an_oversized_hello_is_refused() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    for _ in 0..2 {
        let hello = v1::Hello {
            agent_version: "x".repeat(2 * MIB),
            ..BareAgent::hello("a")
        };
        let refused = agent.join(hello).await.map(drop).unwrap_err();
        assert!(
            refused.contains("hello refused: agent_version of 2097152 bytes"),
            "{refused}"
        );
    }
    let status = fleet
        .operator()
        .await
        .status(v1::StatusRequest {})
        .await
        .unwrap()
        .into_inner();
    let told = status
        .alerts
        .iter()
        .filter(|alert| alert.text.contains("hello refused"));
    assert_eq!(told.count(), 1);
    agent.join(BareAgent::hello("a")).await.unwrap();
}

#[tokio::test]
async fn a_revoked_nodes_key_opens_no_connection() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let key = agent.key.serialize_pem();
    let connect = async || {
        let config = tls::client(&fleet.ca(), Some((&agent.chain, &key)), &fleet.clock);
        let mut stream = tls::connect(fleet.agents, config).await?;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
        // A refused handshake shows only with the server's first byte.
        stream.read_u8().await.map(|_| stream)
    };
    let mut open = connect().await.unwrap();
    let request = v1::RevokeRequest { node: "a".into() };
    fleet.operator().await.revoke(request).await.unwrap();
    let refused = connect().await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("Revoked"), "{refused}");
    let mut rest = Vec::new();
    let ended = timeout(WAITS, open.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "a connection that is open ends");
}

#[tokio::test]
async fn one_node_has_few_connections_and_others_come_in() {
    let fleet = Fleet::new().await;
    let agent = BareAgent::enrolled(&fleet, "a").await;
    let key = agent.key.serialize_pem();
    let (mut line, _) = agent.join(BareAgent::hello("a")).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..20 {
        let config = tls::client(&fleet.ca(), Some((&agent.chain, &key)), &fleet.clock);
        let mut stream = tls::connect(fleet.agents, config).await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        stream.read_u8().await.unwrap();
        held.push(stream);
    }
    for early in &mut held[..16] {
        let mut rest = Vec::new();
        let ended = timeout(WAITS, early.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the oldest ones give way");
    }
    line.say(note(1)).await;
    line.next_that(|body| matches!(body, to_agent::Body::Ack(_)).then_some(()))
        .await;
    let other = BareAgent::enrolled(&fleet, "b").await;
    other.join(BareAgent::hello("b")).await.unwrap();
}

#[tokio::test]
async fn large_facts_of_many_nodes_leave_every_list_readable() {
    let fleet = Fleet::new().await;
    let disk = |number: usize| v1::Disk {
        serial: format!("S{number}"),
        finding: "x".repeat(1500),
        ..v1::Disk::default()
    };
    for node in ["a", "b", "c", "d", "e"] {
        let agent = BareAgent::enrolled(&fleet, node).await;
        let (mut line, _) = agent.join(BareAgent::hello(node)).await.unwrap();
        let id = line.next_that(Line::asks_for_facts).await;
        let facts = v1::Facts {
            disks: (0..250).map(disk).collect(),
            ..v1::Facts::default()
        };
        line.answer(id, Answer::Facts(facts)).await;
        line.say(note(1)).await;
        line.next_that(|body| matches!(body, to_agent::Body::Ack(_)).then_some(()))
            .await;
    }
    let mut operator = fleet.operator().await;
    let nodes = operator.list_nodes(v1::ListNodesRequest {}).await.unwrap().into_inner();
    assert_eq!(nodes.nodes.len(), 5);
    operator.list_disks(v1::ListDisksRequest::default()).await.unwrap();
    operator.status(v1::StatusRequest {}).await.unwrap();
    operator.handbook(v1::HandbookRequest {}).await.unwrap();
}
