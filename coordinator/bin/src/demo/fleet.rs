use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use heeler_agent::{Agent, Config, Identity, Notify};
use heeler_coordinator::cli::{CliError, Client};
use heeler_coordinator::clock::{Clock as _, SystemClock};
use heeler_coordinator::pki::sha256;
use heeler_host::sim::{Machine, Nic, Pace, Wire};
use heeler_host::{Content, File, Secret, System};
use heeler_proto::v1::{BeginContactRequest, CreateTokenRequest};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::stage::{Stage, failed};

/// How long a machine stays off after a power cut.
const OUTAGE: Duration = Duration::from_millis(1200);
/// Slow enough that a reader can follow: each program takes 30 ms, and waits are 4 times shorter.
const PACE: Pace = Pace::Live {
    program: Duration::from_millis(30),
    haste: 4,
};

/// Three simulated Raspberry Pis, each with two blank NVMe disks, and their agents.
pub struct Fleet {
    pub nodes: Vec<Node>,
    agents: JoinSet<()>,
    stop: watch::Sender<bool>,
}

/// One simulated machine, as heeler.toml and the screens name it.
pub struct Node {
    pub name: &'static str,
    pub address: &'static str,
    pub serials: [&'static str; 2],
    pub backplane: &'static str,
    pub card: &'static str,
    machine: Machine,
}

impl Fleet {
    pub fn new() -> Self {
        let wire = Wire::default();
        let node = |name, (address, mac), serials: [&'static str; 2], (backplane, card)| Node {
            name,
            address,
            serials,
            backplane,
            card,
            machine: Machine::builder(name)
                .blank(serials[0])
                .blank(serials[1])
                .nic(Nic::onboard(mac, &format!("{address}/24")))
                .nic(Nic::usb(card))
                .wire(&wire)
                .clock(SystemClock.now_ms())
                .pace(PACE)
                .build(),
        };
        let nodes = vec![
            node(
                "k8sctl-pi5l",
                ("10.10.80.50", "2c:cf:67:00:00:01"),
                ["S6XNNS0W100001", "S6XNNS0W100002"],
                ("10.10.99.50", "00:e0:4c:68:00:01"),
            ),
            node(
                "k8sctl-pi5r",
                ("10.10.80.51", "2c:cf:67:00:00:02"),
                ["S6XNNS0W100003", "S6XNNS0W100004"],
                ("10.10.99.51", "00:e0:4c:68:00:02"),
            ),
            node(
                "k8sctl-pi5x",
                ("10.10.80.52", "2c:cf:67:00:00:03"),
                ["S6XNNS0W100005", "S6XNNS0W100006"],
                ("10.10.99.52", "00:e0:4c:68:00:03"),
            ),
        ];
        Self {
            nodes,
            agents: JoinSet::new(),
            stop: watch::Sender::new(false),
        }
    }

    /// Does over the network what first contact does over SSH, then starts the agents.
    pub async fn enrol(&mut self, stage: &Stage<'_, '_>) -> Result<(), CliError> {
        let mut client = stage.client().await?;
        for node in &self.nodes {
            node.install(&mut client).await?;
            self.agents.spawn(live(node.machine.clone(), self.stop.subscribe()));
        }
        Ok(())
    }

    /// Cuts the node's power once, as soon as `zfs create` makes the first dataset of its pool.
    pub fn will_lose_power(&mut self, name: &str) {
        let Some(node) = self.nodes.iter().find(|node| node.name == name) else {
            return;
        };
        let machine = node.machine.clone();
        self.agents.spawn(async move {
            while !machine.log().iter().any(|entry| entry.what.starts_with("zfs create")) {
                sleep(Duration::from_millis(5)).await;
            }
            machine.cut_power();
        });
    }

    pub async fn stop(&mut self) {
        self.stop.send_replace(true);
        // An agent on a machine without power may wait for ever.
        let ended = async { while self.agents.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(2), ended).await;
        self.agents.shutdown().await;
    }
}

impl Node {
    async fn install(&self, client: &mut Client) -> Result<(), CliError> {
        let host: Arc<dyn System> = Arc::new(self.machine.clone());
        let identity = Identity::open(host.clone())
            .await
            .map_err(failed("make the node's key"))?;
        let key = SubjectPublicKeyInfoDer::from_pem_slice(identity.public_key_pem().as_bytes());
        let key = key.map_err(failed("read the node's key"))?;
        let node = self.name.to_owned();
        let contact = client
            .begin_contact(BeginContactRequest { node: node.clone() })
            .await?
            .into_inner();
        let request = CreateTokenRequest {
            node,
            key_sha256: sha256(&key).to_vec(),
            ..CreateTokenRequest::default()
        };
        let token = client.create_token(request).await?.into_inner().token;
        let operator =
            |key: &heeler_proto::v1::OperatorKey| json!({ "name": key.name, "public_key": key.public_key_pem });
        let config = json!({
            "node": self.name,
            "coordinators": contact.addresses,
            "enrolment": [format!("127.0.0.1:{}", contact.enrolment_port)],
            "ca_certificate": contact.ca_certificate,
            "operators": contact.operators.iter().map(operator).collect::<Vec<_>>(),
        });
        for (path, text) in [
            ("/etc/heeler/agent.json", config.to_string()),
            ("/etc/heeler/token", token),
        ] {
            let file = File {
                path: Path::new(path).to_owned(),
                content: Content::Secret(Secret::new(text.into_bytes())),
                mode: 0o600,
            };
            host.write(&file)
                .await
                .map_err(failed("write the node's configuration"))?;
        }
        Ok(())
    }
}

/// Runs the machine's agent until `stop`, and boots the machine again after each power cut.
async fn live(machine: Machine, stop: watch::Receiver<bool>) {
    let host: Arc<dyn System> = Arc::new(machine.clone());
    loop {
        tokio::select! {
            () = agent(host.clone(), stop.clone()) => return,
            _ = machine.lost() => {}
        }
        sleep(OUTAGE).await;
        machine.boot();
    }
}

async fn agent(host: Arc<dyn System>, mut stop: watch::Receiver<bool>) {
    let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
    let Ok(config) = Config::read(host.as_ref()).await else {
        return;
    };
    if let Ok(agent) = Agent::new(config, host, Notify::default()).await {
        agent.run(stopped).await;
    }
}
