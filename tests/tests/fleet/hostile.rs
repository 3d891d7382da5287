//! Whoever reaches the coordinator's ports may send what they like, as much of it as they like, or nothing.

use std::net::SocketAddr;
use std::time::Duration;

use heeler_proto::v1::{self, from_agent};
use heeler_tests::{Herd, Stranger, tls};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Half-open connections of one who means no good.
const IDLE: usize = 200;
const MIB: usize = 1 << 20;

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
    let herd = Herd::new().await;
    let stranger = Stranger::enrolled(&herd, "a").await;
    let (mut line, _) = stranger.join(Stranger::hello("a")).await.unwrap();
    for address in [herd.agents, herd.enrolment, herd.remote] {
        for length in [1, 5, 6, 64, 600, 20_000] {
            throw(address, &random(length)).await;
            // The head of a handshake that never ends.
            throw(address, &[&[22, 3, 1, 64, 0][..], &random(length)].concat()).await;
        }
    }
    let key = stranger.key.serialize_pem();
    for own in [Some((stranger.chain.as_str(), key.as_str())), None] {
        let address = if own.is_some() { herd.agents } else { herd.enrolment };
        for length in [1, 24, 9_000, 70_000] {
            let config = tls::client(&herd.ca(), own, &herd.clock);
            let mut stream = tls::connect(address, config).await.unwrap();
            drop(stream.write_all(&random(length)).await);
            let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", random(length).as_slice()].concat();
            let config = tls::client(&herd.ca(), own, &herd.clock);
            let mut stream = tls::connect(address, config).await.unwrap();
            drop(stream.write_all(&preface).await);
        }
    }
    line.say(from_agent::Body::Event(v1::Event::default())).await;
    herd.operator().await.status(v1::StatusRequest {}).await.unwrap();
    drop(line.out.clone());
    Stranger::enrolled(&herd, "b")
        .await
        .join(Stranger::hello("b"))
        .await
        .unwrap();
    assert!(line.next().await.is_ok());
}

#[tokio::test]
async fn half_open_handshakes_delay_nobody() {
    let herd = Herd::new().await;
    let mut idle = Vec::new();
    for address in [herd.agents, herd.enrolment] {
        for _ in 0..IDLE {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
    }
    let came = async {
        let stranger = Stranger::enrolled(&herd, "a").await;
        stranger.join(Stranger::hello("a")).await.unwrap()
    };
    assert!(
        timeout(Duration::from_secs(8), came).await.is_ok(),
        "a handshake's patience is 10 s"
    );
}

#[tokio::test]
async fn strangers_who_stay_give_way_to_those_who_come() {
    let herd = Herd::new().await;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(
            tls::connect(herd.enrolment, tls::client(&herd.ca(), None, &herd.clock))
                .await
                .unwrap(),
        );
    }
    let came = Stranger::enrolled(&herd, "a");
    assert!(
        timeout(Duration::from_secs(8), came).await.is_ok(),
        "strangers may stay for 30 s"
    );
    let mut gone = Vec::new();
    assert!(
        timeout(Duration::from_secs(5), idle[0].read_to_end(&mut gone))
            .await
            .is_ok(),
        "the oldest one went"
    );
}

/// Progress that is neither kept nor acknowledged: what an agent may send as fast as it can.
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
async fn a_stream_that_sends_a_gigabyte_leaves_the_memory_flat_although_somebody_follows_and_does_not_read() {
    let herd = Herd::new().await;
    let stranger = Stranger::enrolled(&herd, "a").await;
    let (mut line, _) = stranger.join(Stranger::hello("a")).await.unwrap();
    let _asleep = herd.operator().await.follow(0).await;
    let (large, mut most) = (progress(3 * MIB), 0);
    let before = resident();
    for _ in 0..342 {
        line.say(from_agent::Body::Event(large.clone())).await;
        // What this process has yet to send is no part of the question.
        while line.out.capacity() < line.out.max_capacity() {
            tokio::task::yield_now().await;
        }
        most = resident().max(most);
    }
    let grown = most.saturating_sub(before) / MIB;
    assert!(grown < 200, "{grown} MiB more, of 1 GiB that was sent");
    line.say(from_agent::Body::Event(progress(1))).await;
    drop(line.out.clone());
    herd.operator().await.status(v1::StatusRequest {}).await.unwrap();
    assert!(line.next().await.is_ok(), "the session is as it was");
}

#[tokio::test]
async fn a_message_beyond_the_bound_ends_its_own_stream_alone_and_is_not_kept() {
    let herd = Herd::new().await;
    let stranger = Stranger::enrolled(&herd, "a").await;
    let (mut line, _) = stranger.join(Stranger::hello("a")).await.unwrap();
    line.say(from_agent::Body::Event(progress(5 * MIB))).await;
    while line.next().await.is_ok() {}
    drop(line);
    stranger.join(Stranger::hello("a")).await.unwrap();
}
