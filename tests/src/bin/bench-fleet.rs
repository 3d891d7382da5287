//! Cost of a coordinator with many agents: `cargo xtask bench fleet`. The coordinator is a separate process, the
//! agents are in this one, with real mTLS between them.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![expect(
    clippy::disallowed_methods,
    reason = "it starts programs and reads clocks: that is what it is for"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use heeler_coordinator::clock::{Clock as _, SystemClock};
use heeler_coordinator::pki::sha256;
use heeler_coordinator::serve::raise_file_limit;
use heeler_coordinator::state::StateFolder;
use heeler_proto::v1::agent_client::AgentClient;
use heeler_proto::v1::{self, from_agent, to_agent};
use heeler_tests::served::{Figures, Served, of_process};
use heeler_tests::{HandClock, put_on_record, tls};
use rcgen::KeyPair;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;

const PORT: u16 = 17_443;
/// A coordinator that writes nothing for this long has stored all facts that follow a connection.
const SETTLE: Duration = Duration::from_secs(2);

/// Limits for these numbers of agents: MB resident, seconds until all are back, milliseconds for `heeler status`.
const LIMITS: [(usize, [f64; 3]); 2] = [(1_000, [80.0, 5.0, 50.0]), (10_000, [400.0, 10.0, 100.0])];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let heeler = std::fs::canonicalize(words.next().unwrap()).unwrap();
    let sizes: Vec<usize> = words.map(|word| word.parse().unwrap()).collect();
    raise_file_limit();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!(
        "{:>7} {:>11} {:>13} {:>12} {:>10}",
        "AGENTS", "RESIDENT MB", "PER AGENT KB", "RECONNECT S", "STATUS MS"
    );
    let mut figures = Figures::default();
    let mut judged = Vec::new();
    for size in sizes {
        let cost = runtime.block_on(measure(&heeler, size));
        judged.extend(
            LIMITS
                .iter()
                .filter(|(judged, _)| *judged == size)
                .map(|limits| (cost, limits)),
        );
    }
    for (cost, (size, [resident, reconnect, status])) in judged {
        println!();
        let line = |what: &str| format!("{what}, {size} agents");
        figures.line(&line("coordinator: resident"), cost.resident_mb, *resident, "MB");
        figures.line(&line("all back after its restart"), cost.reconnect_s, *reconnect, "s");
        figures.line(&line("heeler status"), cost.status_ms, *status, "ms");
    }
    figures.exit()
}

/// Figures for one number of agents.
#[derive(Clone, Copy)]
struct Cost {
    resident_mb: f64,
    reconnect_s: f64,
    status_ms: f64,
}

/// The agents share this process, while real ones have a machine each: without a limit, the last of 10,000 handshakes
/// would come before the first hello.
static HANDSHAKES: Semaphore = Semaphore::const_new(128);

struct Agent {
    node: String,
    key: KeyPair,
    chain: String,
    ca: String,
    clock: Arc<HandClock>,
}

async fn measure(heeler: &Path, size: usize) -> Cost {
    let mut coordinator = Served::new(heeler, PORT);
    let agents = enrolled(&coordinator, size).await;
    coordinator.start();
    let up = Arc::new(AtomicUsize::new(0));
    let mut agents_up = JoinSet::new();
    for agent in agents {
        agents_up.spawn(live(agent, up.clone()));
    }
    all(&up, size).await;
    settled(coordinator.id()).await;
    let status_ms = coordinator.took(&["status"]).0.as_secs_f64() * 1e3;

    coordinator.kill();
    while up.load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let began = Instant::now();
    coordinator.start();
    all(&up, size).await;
    let reconnect_s = began.elapsed().as_secs_f64();
    settled(coordinator.id()).await;
    let resident_mb = of_process(coordinator.id(), "status", "VmHWM") as f64 / 1e6;
    let each_kb = resident_mb * 1e3 / size as f64;
    println!("{size:>7} {resident_mb:>11.0} {each_kb:>13.1} {reconnect_s:>12.1} {status_ms:>10.0}");
    Cost {
        resident_mb,
        reconnect_s,
        status_ms,
    }
}

async fn settled(coordinator: u32) {
    let written = || of_process(coordinator, "io", "write_bytes");
    loop {
        let before = written();
        tokio::time::sleep(SETTLE).await;
        if written() == before {
            return;
        }
    }
}

async fn all(up: &AtomicUsize, size: usize) {
    while up.load(Ordering::SeqCst) < size {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Puts the agents on record, because enrolment is not measured.
async fn enrolled(coordinator: &Served, size: usize) -> Vec<Agent> {
    let keys: Vec<_> = (0..size).map(|_| KeyPair::generate().unwrap()).collect();
    let names = (0..size).map(|number| format!("node-{number}"));
    let nodes: Vec<_> = names.zip(&keys).collect();
    let state = StateFolder::new(coordinator.state());
    let chains = put_on_record(&state, &nodes, SystemClock.now_ms()).await;
    let names: Vec<_> = nodes.into_iter().map(|(name, _)| name).collect();
    let (ca, clock) = (coordinator.ca(), Arc::new(HandClock::at(SystemClock.now_ms())));
    let agents = names.into_iter().zip(keys).zip(chains);
    agents
        .map(|((node, key), chain)| Agent {
            node,
            key,
            chain,
            ca: ca.clone(),
            clock: clock.clone(),
        })
        .collect()
}

/// Opens one session after another, with the pauses of a real agent.
async fn live(agent: Agent, up: Arc<AtomicUsize>) {
    let key = agent.key.serialize_pem();
    let config = tls::client(&agent.ca, Some((&agent.chain, &key)), &agent.clock);
    let mut failures = 0;
    loop {
        if let Some(mut session) = open(&agent, config.clone()).await {
            failures = 0;
            up.fetch_add(1, Ordering::SeqCst);
            serve(&mut session).await;
            up.fetch_sub(1, Ordering::SeqCst);
        }
        failures += 1;
        tokio::time::sleep(heeler_agent::reconnect_delay(failures, rand(&agent.node, failures))).await;
    }
}

fn rand(node: &str, failures: u32) -> u64 {
    let digest = sha256(format!("{node} {failures} {}", SystemClock.now_ms()).as_bytes());
    u64::from_be_bytes(digest[..8].try_into().unwrap())
}

type Session = (mpsc::Sender<v1::FromAgent>, tonic::Streaming<v1::ToAgent>);

async fn open(agent: &Agent, config: rustls::ClientConfig) -> Option<Session> {
    let turn = HANDSHAKES.acquire().await.ok()?;
    let channel = tls::dial(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)), config)
        .await
        .ok()?;
    drop(turn);
    let (out, messages) = mpsc::channel(4);
    let hello = v1::Hello {
        node: agent.node.clone(),
        agent_version: "0.1.0".into(),
        hardware_serial: agent.node.clone(),
        ..Default::default()
    };
    out.try_send(message(from_agent::Body::Hello(hello))).ok()?;
    let stream = AgentClient::new(channel)
        .session(ReceiverStream::new(messages))
        .await
        .ok()?;
    let mut incoming = stream.into_inner();
    let first = incoming.message().await.ok()??.body?;
    matches!(first, to_agent::Body::Welcome(_)).then_some((out, incoming))
}

async fn serve((out, incoming): &mut Session) {
    while let Ok(Some(received)) = incoming.message().await {
        let answer = match received.body {
            Some(to_agent::Body::Ping(ping)) => from_agent::Body::Pong(v1::Pong { nonce: ping.nonce }),
            Some(to_agent::Body::Request(request)) => from_agent::Body::Reply(v1::Reply {
                id: request.id,
                answer: Some(v1::reply::Answer::Facts(facts())),
                ..v1::Reply::default()
            }),
            _ => continue,
        };
        if out.send(message(answer)).await.is_err() {
            return;
        }
    }
}

fn facts() -> v1::Facts {
    v1::Facts {
        hostname: "node".into(),
        model: "Raspberry Pi 5 Model B Rev 1.0".into(),
        architecture: "aarch64".into(),
        os: "Debian GNU/Linux 13 (trixie)".into(),
        memory_bytes: 8 << 30,
        clock_synchronised: true,
        ..Default::default()
    }
}

fn message(body: from_agent::Body) -> v1::FromAgent {
    v1::FromAgent { body: Some(body) }
}
