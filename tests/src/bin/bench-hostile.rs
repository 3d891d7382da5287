//! Effect of an attack on others: `cargo xtask bench hostile`. The coordinator is a separate process with at most 256
//! open files. A well-behaved agent sends an event every 50 ms, a person runs `heeler status` again and again, and
//! nodes send what no agent would.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![expect(
    clippy::disallowed_methods,
    reason = "it starts programs and reads clocks: that is what it is for"
)]

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use heeler_coordinator::clock::{Clock as _, SystemClock};
use heeler_coordinator::state::StateFolder;
use heeler_proto::v1::agent_client::AgentClient;
use heeler_proto::v1::{self, event::Kind, from_agent, to_agent};
use heeler_tests::served::{Figures, Served};
use heeler_tests::{HandClock, put_on_record, tls};
use rcgen::KeyPair;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;

const PORT: u16 = 17_463;
/// Most open files of the coordinator.
const FILES: u32 = 256;
/// Duration of each attack.
const LASTS: Duration = Duration::from_secs(4);
const EVERY: Duration = Duration::from_millis(50);
const CONNECTIONS: usize = 300;

struct Agent {
    node: String,
    key: String,
    chain: String,
    ca: String,
    clock: Arc<HandClock>,
}

type Stream = (mpsc::Sender<v1::FromAgent>, tonic::Streaming<v1::ToAgent>);

impl Agent {
    fn config(&self) -> rustls::ClientConfig {
        tls::client(&self.ca, Some((&self.chain, &self.key)), &self.clock)
    }

    async fn open(&self, hello: v1::Hello) -> Option<Stream> {
        let channel = tls::dial(at(PORT), self.config()).await.ok()?;
        let (out, messages) = mpsc::channel(4);
        out.try_send(message(from_agent::Body::Hello(hello))).ok()?;
        let mut client = AgentClient::new(channel);
        let opened = timeout(LASTS, client.session(ReceiverStream::new(messages))).await;
        let mut incoming = opened.ok()?.ok()?.into_inner();
        match incoming.message().await.ok()??.body? {
            to_agent::Body::Welcome(_) => Some((out, incoming)),
            _ => None,
        }
    }

    fn hello(&self) -> v1::Hello {
        v1::Hello {
            node: self.node.clone(),
            agent_version: "0.1.0".into(),
            hardware_serial: self.node.clone(),
            ..Default::default()
        }
    }
}

fn at(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn message(body: from_agent::Body) -> v1::FromAgent {
    v1::FromAgent { body: Some(body) }
}

fn facts(id: u64, pools: usize, word: usize) -> v1::FromAgent {
    let pool = |number| v1::Pool {
        guid: format!("{number}"),
        name: "x".repeat(word),
        ..Default::default()
    };
    let facts = v1::Facts {
        pools: (0..pools).map(pool).collect(),
        ..Default::default()
    };
    message(from_agent::Body::Reply(v1::Reply {
        id,
        answer: Some(v1::reply::Answer::Facts(facts)),
        ..v1::Reply::default()
    }))
}

/// Sends these facts without pause, asked or not, in session after session.
async fn tells(agent: Arc<Agent>, pools: usize, word: usize) {
    loop {
        let Some((out, mut incoming)) = agent.open(agent.hello()).await else {
            sleep(EVERY).await;
            continue;
        };
        let mut next = 1_u64;
        while out.send(facts(next, pools, word)).await.is_ok() {
            while let Ok(received) = timeout(Duration::from_millis(1), incoming.message()).await {
                match received {
                    Ok(Some(v1::ToAgent {
                        body: Some(to_agent::Body::Request(asked)),
                    })) => {
                        drop(out.send(facts(asked.id, pools, word)).await);
                    }
                    Ok(Some(_)) => {}
                    _ => break,
                }
            }
            next += 1;
        }
    }
}

async fn says_a_long_hello(agent: Arc<Agent>) {
    loop {
        let hello = v1::Hello {
            agent_version: "x".repeat(2 << 20),
            ..agent.hello()
        };
        drop(agent.open(hello).await);
        sleep(EVERY).await;
    }
}

/// Opens many connections and holds those that stay open.
async fn holds(agent: Arc<Agent>) {
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        if let Ok(mut stream) = tls::connect(at(PORT), agent.config()).await
            && stream
                .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
                .await
                .is_ok()
            && timeout(Duration::from_millis(200), stream.read_u8())
                .await
                .is_ok_and(|read| read.is_ok())
        {
            held.push(stream);
        }
    }
    std::future::pending::<()>().await;
    drop(held);
}

/// The worst times since the last reading, in microseconds.
#[derive(Default)]
struct Worst {
    acknowledged: AtomicU64,
    others: AtomicU64,
}

fn micros(since: Instant) -> u64 {
    since.elapsed().as_micros().try_into().unwrap()
}

async fn honest(agent: Arc<Agent>, worst: Arc<Worst>) {
    let mut seq = 0;
    loop {
        let hello = v1::Hello {
            last_event: seq,
            acknowledged: seq,
            ..agent.hello()
        };
        let began = Instant::now();
        let Some((out, mut incoming)) = agent.open(hello).await else {
            worst.acknowledged.fetch_max(micros(began), Ordering::SeqCst);
            continue;
        };
        loop {
            seq += 1;
            let event = v1::Event {
                seq,
                at_ms: SystemClock.now_ms(),
                kind: Some(Kind::Note(v1::Note::default())),
                ..Default::default()
            };
            let began = Instant::now();
            if out.send(message(from_agent::Body::Event(event))).await.is_err() {
                break;
            }
            let acknowledged = loop {
                match incoming
                    .message()
                    .await
                    .ok()
                    .flatten()
                    .and_then(|received| received.body)
                {
                    Some(to_agent::Body::Ack(ack)) if ack.seq >= seq => break true,
                    Some(_) => {}
                    None => break false,
                }
            };
            worst.acknowledged.fetch_max(micros(began), Ordering::SeqCst);
            if !acknowledged {
                break;
            }
            sleep(EVERY).await;
        }
    }
}

/// Another agent reconnects, and a client without a certificate opens the enrolment port.
async fn others(agent: Arc<Agent>, worst: Arc<Worst>) {
    loop {
        let began = Instant::now();
        while agent.open(agent.hello()).await.is_none() {
            sleep(EVERY).await;
        }
        let enrolment = tls::client(&agent.ca, None, &agent.clock);
        while tls::connect(at(PORT + 1), enrolment.clone()).await.is_err() {}
        worst.others.fetch_max(micros(began), Ordering::SeqCst);
        sleep(EVERY * 10).await;
    }
}

fn main() -> ExitCode {
    let heeler = std::fs::canonicalize(std::env::args().nth(1).unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut figures = Figures::default();
    runtime.block_on(measure(Served::new(&heeler, PORT), &mut figures));
    figures.exit()
}

async fn measure(mut coordinator: Served, figures: &mut Figures) {
    let names = [
        "honest", "other", "revoked", "bad-1", "bad-2", "bad-3", "bad-4", "bad-5",
    ];
    let keys = names.map(|_| KeyPair::generate().unwrap());
    let nodes: Vec<_> = names.iter().map(ToString::to_string).zip(&keys).collect();
    let now_ms = SystemClock.now_ms();
    let chains = put_on_record(&StateFolder::new(coordinator.state()), &nodes, now_ms).await;
    let clock = Arc::new(HandClock::at(now_ms));
    let agent = |number: usize| {
        Arc::new(Agent {
            node: names[number].into(),
            key: keys[number].serialize_pem(),
            chain: chains[number].clone(),
            ca: coordinator.ca(),
            clock: clock.clone(),
        })
    };
    let agents: Vec<_> = (0..names.len()).map(agent).collect();
    coordinator.start_within(FILES);
    let request = v1::RevokeRequest { node: "revoked".into() };
    coordinator.operator().await.revoke(request).await.unwrap();
    let (worst, coordinator) = (Arc::new(Worst::default()), Arc::new(coordinator));
    let mut living = JoinSet::new();
    living.spawn(honest(agents[0].clone(), worst.clone()));
    living.spawn(others(agents[1].clone(), worst.clone()));

    let bad = || agents[3..].iter().cloned();
    let mut row = async |what: &str, attacks: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>| {
        let mut attacking = JoinSet::new();
        attacks.into_iter().for_each(|attack| drop(attacking.spawn(attack)));
        sleep(EVERY * 4).await;
        worst.acknowledged.store(0, Ordering::SeqCst);
        worst.others.store(0, Ordering::SeqCst);
        let (began, mut status, mut size) = (Instant::now(), Duration::ZERO, 0);
        while began.elapsed() < LASTS {
            let coordinator = coordinator.clone();
            let (took, said) = spawn_blocking(move || coordinator.once(&["status"])).await.unwrap();
            assert!(!said.is_empty(), "status fails");
            (status, size) = (status.max(took), said.len().max(size));
        }
        let ms = |micros: &AtomicU64| micros.load(Ordering::SeqCst) as f64 / 1e3;
        figures.line(
            &format!("{what}: an honest event is acknowledged"),
            ms(&worst.acknowledged),
            1_000.0,
            "ms",
        );
        figures.line(
            &format!("{what}: heeler status"),
            status.as_secs_f64() * 1e3,
            500.0,
            "ms",
        );
        figures.line(&format!("{what}: heeler status says"), size as f64 / 1e3, 16.0, "KB");
        figures.line(
            &format!("{what}: another agent and a caller without a certificate connect"),
            ms(&worst.others),
            3_000.0,
            "ms",
        );
        let list = coordinator.clone();
        let (_, said) = spawn_blocking(move || list.once(&["node", "list"])).await.unwrap();
        figures.line(
            &format!("{what}: heeler node list names"),
            8.0 - said.matches("bad-").count() as f64,
            3.0,
            "fewer",
        );
    };
    row("nobody attacks", Vec::new()).await;
    row(
        "16,000 pools",
        bad().map(|one| Box::pin(tells(one, 16_000, 0)) as _).collect(),
    )
    .await;
    row(
        "80,000 pools",
        bad().map(|one| Box::pin(tells(one, 80_000, 0)) as _).collect(),
    )
    .await;
    row(
        "3.9 MB of facts from five",
        bad().map(|one| Box::pin(tells(one, 64, 61_000)) as _).collect(),
    )
    .await;
    row(
        "facts that nobody asked for",
        bad().map(|one| Box::pin(tells(one, 8, 8)) as _).collect(),
    )
    .await;
    row(
        "a hello of 2 MiB",
        bad().map(|one| Box::pin(says_a_long_hello(one)) as _).collect(),
    )
    .await;
    row(
        "300 connections of a revoked key",
        vec![Box::pin(holds(agents[2].clone()))],
    )
    .await;
    row(
        "300 connections of each of five keys",
        bad().map(|one| Box::pin(holds(one)) as _).collect(),
    )
    .await;
    living.shutdown().await;
}
