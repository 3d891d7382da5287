//! What a coordinator costs with so many agents: `cargo xtask bench fleet`. The coordinator is a process of its own, the
//! agents are this one; between them is real mTLS.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![expect(
    clippy::disallowed_methods,
    reason = "it starts programs and reads clocks: that is what it is for"
)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use heeler_coordinator::clock::{Clock as _, SystemClock};
use heeler_coordinator::pki::sha256;
use heeler_coordinator::serve::raise_file_limit;
use heeler_proto::v1::agent_client::AgentClient;
use heeler_proto::v1::enrolment_client::EnrolmentClient;
use heeler_proto::v1::{self, from_agent, to_agent};
use heeler_tests::{HandClock, tls};
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;

/// Enrolments that are under way at once.
const AT_ONCE: usize = 16;
/// From one address so many may enrol at once.
const A_BURST: usize = 8;
const PORT: u16 = 17_443;

fn main() {
    let mut words = std::env::args().skip(1);
    let heeler = std::fs::canonicalize(words.next().unwrap()).unwrap();
    let sizes: Vec<usize> = words.map(|word| word.parse().unwrap()).collect();
    raise_file_limit();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!(
        "{:>7} {:>11} {:>13} {:>12} {:>10}",
        "AGENTS", "RESIDENT MB", "PER AGENT KB", "RECONNECT S", "STATUS MS"
    );
    for size in sizes {
        runtime.block_on(measure(&heeler, size));
    }
}

/// A coordinator's process in a folder of its own.
struct Coordinator<'a> {
    heeler: &'a Path,
    folder: tempfile::TempDir,
    process: Option<Child>,
}

impl<'a> Coordinator<'a> {
    fn new(heeler: &'a Path) -> Self {
        let coordinator = Self {
            heeler,
            folder: tempfile::tempdir().unwrap(),
            process: None,
        };
        let address = format!("127.0.0.1:{PORT}");
        let words = ["init", "--cluster", "bench", "--operator", "me", "--address", &address];
        let made = coordinator.command(&words).stdout(Stdio::null()).status().unwrap();
        assert!(made.success());
        coordinator
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.heeler);
        let home = self.folder.path().join("home");
        std::fs::create_dir_all(&home).unwrap();
        command
            .args(words)
            .current_dir(&home)
            .env("HOME", &home)
            .env("USER", "me");
        command.env("HEELER_STATE", self.state()).env("HEELER_CONFIG", &home);
        command.stderr(Stdio::null()).stdin(Stdio::null());
        command
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn start(&mut self) {
        let serve = self
            .command(&["serve", "--listen", "127.0.0.1"])
            .stdout(Stdio::null())
            .spawn();
        self.process = Some(serve.unwrap());
    }

    fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    fn resident_kb(&self) -> u64 {
        let id = self.process.as_ref().unwrap().id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// The whole command, as a person waits for it: the middle one of five.
    fn status_ms(&self) -> u128 {
        let mut took: Vec<u128> = (0..5)
            .map(|_| {
                let began = Instant::now();
                self.command(&["status"]).stdout(Stdio::null()).status().unwrap();
                began.elapsed().as_millis()
            })
            .collect();
        took.sort_unstable();
        took[2]
    }
}

impl Drop for Coordinator<'_> {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

struct Agent {
    node: String,
    key: KeyPair,
    chain: String,
    ca: String,
    clock: Arc<HandClock>,
}

async fn measure(heeler: &Path, size: usize) {
    let mut coordinator = Coordinator::new(heeler);
    coordinator.start();
    let agents = enrolled(&coordinator, size).await;
    let up = Arc::new(AtomicUsize::new(0));
    let mut living = JoinSet::new();
    for agent in agents {
        living.spawn(live(agent, up.clone()));
    }
    all(&up, size).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let resident_kb = coordinator.resident_kb();
    let status_ms = coordinator.status_ms();

    coordinator.kill();
    while up.load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let began = Instant::now();
    coordinator.start();
    all(&up, size).await;
    let reconnect = began.elapsed().as_secs_f64();
    println!(
        "{size:>7} {:>11} {:>13.1} {reconnect:>12.1} {status_ms:>10}",
        resident_kb / 1024,
        resident_kb as f64 / size as f64
    );
}

async fn all(up: &AtomicUsize, size: usize) {
    while up.load(Ordering::SeqCst) < size {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The agents, each from an address that has not tried too often.
async fn enrolled(coordinator: &Coordinator<'_>, size: usize) -> Vec<Agent> {
    let socket = coordinator.state().join("heeler.sock");
    let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display())).unwrap();
    let channel = loop {
        match endpoint.connect().await {
            Ok(channel) => break channel,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let ca = std::fs::read_to_string(coordinator.state().join("ca/certificate.pem")).unwrap();
    let (places, mut enrolling) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for number in 0..size {
        let (ca, places, channel) = (ca.clone(), places.clone(), channel.clone());
        enrolling.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let mut operator = v1::operator_client::OperatorClient::new(channel);
            enrol(number, ca, &mut operator).await
        });
    }
    enrolling.join_all().await
}

async fn enrol(
    number: usize,
    ca: String,
    operator: &mut v1::operator_client::OperatorClient<tonic::transport::Channel>,
) -> Agent {
    let (node, key) = (format!("node-{number}"), KeyPair::generate().unwrap());
    let clock = Arc::new(HandClock::at(SystemClock.now_ms()));
    let request = v1::CreateTokenRequest {
        node: node.clone(),
        key_sha256: sha256(&key.subject_public_key_info()).to_vec(),
        host_key: "ssh-ed25519 SHA256:x".into(),
        reflashed: false,
    };
    let token = operator.create_token(request).await.unwrap().into_inner().token;
    let from = u32::from(Ipv4Addr::new(127, 1, 0, 1)) + u32::try_from(number / A_BURST).unwrap();
    let from = IpAddr::from(Ipv4Addr::from(from));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT + 1));
    let channel = tls::dial_from(Some(from), address, tls::client(&ca, None, &clock))
        .await
        .unwrap();
    let csr = CertificateParams::default().serialize_request(&key).unwrap();
    let request = v1::EnrolRequest {
        token,
        node: node.clone(),
        csr: csr.der().to_vec(),
        hardware_serial: node.clone(),
    };
    let chain = EnrolmentClient::new(channel)
        .enrol(request)
        .await
        .unwrap()
        .into_inner()
        .certificate_chain;
    Agent {
        node,
        key,
        chain,
        ca,
        clock,
    }
}

/// One session after another, with the real agent's pauses.
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

/// Spread well enough.
fn rand(node: &str, failures: u32) -> u64 {
    let digest = sha256(format!("{node} {failures} {}", SystemClock.now_ms()).as_bytes());
    u64::from_be_bytes(digest[..8].try_into().unwrap())
}

type Session = (mpsc::Sender<v1::FromAgent>, tonic::Streaming<v1::ToAgent>);

async fn open(agent: &Agent, config: rustls::ClientConfig) -> Option<Session> {
    let channel = tls::dial(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)), config)
        .await
        .ok()?;
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
            Some(to_agent::Body::Facts(request)) => from_agent::Body::Facts(v1::FactsReply {
                request_id: request.request_id,
                facts: Some(facts()),
                error: String::new(),
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
