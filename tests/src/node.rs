use std::future::pending;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use heeler_agent::{Agent, Config, Identity, Notify, release};
use heeler_coordinator::pki::sha256;
use heeler_host::sim::{Loss, Machine};
use heeler_proto::{NodeName, v1};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::{mpsc, oneshot};

use crate::Fleet;

/// A real agent on a simulated machine, which boots again after a power cut.
pub struct Node {
    /// Name of the node in the cluster.
    pub name: String,
    /// The simulated machine.
    pub machine: Machine,
    config: Config,
    running: Option<Running>,
}

struct Running {
    kill: oneshot::Sender<()>,
    hurry: mpsc::UnboundedSender<(Duration, oneshot::Sender<()>)>,
    thread: JoinHandle<()>,
}

/// Step of the simulated time in [`Node::live_alone`].
const MINUTE: Duration = Duration::from_secs(60);

impl Node {
    /// Adds a node as first contact does, and waits until it is connected.
    pub async fn added(fleet: &Fleet, machine: Machine, name: &str) -> Self {
        Self::taken_on(fleet, machine, name, false).await
    }

    /// The same for a machine that lost its key, with `--reflashed`.
    pub async fn reflashed(fleet: &Fleet, machine: Machine, name: &str) -> Self {
        Self::taken_on(fleet, machine, name, true).await
    }

    async fn taken_on(fleet: &Fleet, machine: Machine, name: &str, reflashed: bool) -> Self {
        let identity = Identity::open(Arc::new(machine.clone())).await.unwrap();
        let pem = identity.public_key_pem();
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).unwrap();
        let mut operator = fleet.operator().await;
        let request = v1::CreateTokenRequest {
            node: name.into(),
            key_sha256: sha256(&spki).to_vec(),
            host_key: "ssh-ed25519 SHA256:x".into(),
            reflashed,
        };
        let token = operator.create_token(request).await.unwrap().into_inner().token;
        let contact = v1::BeginContactRequest { node: name.into() };
        let contact = operator.begin_contact(contact).await.unwrap().into_inner();
        machine.put_file("/etc/heeler/token", token.as_bytes()).unwrap();
        let mut node = Self {
            name: name.into(),
            machine,
            config: agent_config(&contact, name),
            running: None,
        };
        let now = v1::EventsRequest::default();
        let mut events = operator.events(now).await.unwrap().into_inner();
        let mut last = 0;
        while let Some(event) = events.message().await.unwrap() {
            last = event.id;
        }
        node.start();
        operator.wait_after(last, v1::EventKind::Connected, name).await;
        node
    }

    /// Starts the agent on its own thread, because it is a separate program.
    pub fn start(&mut self) {
        let (machine, config) = (self.machine.clone(), self.config.clone());
        let (kill, killed) = oneshot::channel();
        let (hurry, hurries) = mpsc::unbounded_channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = live(&machine, &config) => {}
                    _ = killed => {}
                    () = self::hurry(&machine, hurries) => {}
                }
            });
        });
        self.running = Some(Running { kill, hurry, thread });
    }

    /// Lets this much time pass at once for the machine and its agent. No session may be open, because it would time
    /// out.
    pub async fn live_alone(&self, time: Duration) {
        let (done, end) = oneshot::channel();
        let running = self.running.as_ref().unwrap();
        running.hurry.send((time, done)).unwrap();
        end.await.unwrap();
    }

    /// Stops the agent as SIGKILL does.
    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill.send(()).ok();
            running.thread.join().unwrap();
        }
    }
}

/// Runs the agent again after every power cut.
async fn live(machine: &Machine, config: &Config) {
    loop {
        let agent = Agent::new(config.clone(), Arc::new(machine.clone()), Notify::default())
            .await
            .unwrap();
        tokio::select! {
            never = machine.guardian() => match never {},
            () = agent.run(std::future::pending()) => {
                // As the agent's service does.
                if release::is_begun(machine).await {
                    return release::finish(machine).await.unwrap();
                }
            }
            loss = machine.lost() => match loss {
                Loss::Agent => machine.restart_agent(),
                _ => machine.boot(),
            },
        }
    }
}

async fn hurry(machine: &Machine, mut hurries: mpsc::UnboundedReceiver<(Duration, oneshot::Sender<()>)>) {
    while let Some((mut left, done)) = hurries.recv().await {
        tokio::time::pause();
        while !left.is_zero() {
            let step = left.min(MINUTE);
            machine.pass(step);
            tokio::time::sleep(step).await;
            left -= step;
        }
        tokio::time::resume();
        done.send(()).ok();
    }
    pending::<()>().await;
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill.send(()).ok();
        }
    }
}

fn agent_config(contact: &v1::BeginContactReply, name: &str) -> Config {
    Config::parse(agent_json(contact, name).to_string().as_bytes()).unwrap()
}

/// The content that first contact writes to /etc/heeler/agent.json.
#[must_use]
pub fn agent_json(contact: &v1::BeginContactReply, name: &str) -> serde_json::Value {
    let part = heeler_coordinator::agent_config(&NodeName::new(name).unwrap(), contact);
    serde_json::from_slice(&part.bytes).unwrap()
}
