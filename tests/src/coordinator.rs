use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use heeler_coordinator::HISTORY_BYTES;
use heeler_coordinator::Patience;
use heeler_coordinator::init::{InitOptions, init};
use heeler_coordinator::serve::{Coordinator, ServeError, ServeOptions};
use heeler_coordinator::state::StateFolder;
use heeler_proto::v1::operator_client::OperatorClient;
use heeler_proto::{Consent, OperatorName};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::{CLUSTER, HandClock, ME, NOON, Operator};

const HOUR: Duration = Duration::from_secs(3600);

/// A coordinator in a temporary folder, on free ports.
pub struct Fleet {
    folder: TempDir,
    /// The coordinator's clock.
    pub clock: Arc<HandClock>,
    /// Address for agents.
    pub agents: SocketAddr,
    /// Address for enrolment.
    pub enrolment: SocketAddr,
    /// Address for operators on other machines.
    pub remote: SocketAddr,
    /// Bound for the database in bytes; from the next start on.
    pub history_bytes: u64,
    /// Silence after which an agent is pinged; from the next start on.
    pub asks_every: Option<Duration>,
    running: Option<Running>,
}

/// A running coordinator. It has its own runtime, so that it can be killed like a process.
struct Running {
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    stopped: oneshot::Receiver<()>,
}

impl Fleet {
    /// Initialises and starts a coordinator.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock::at(NOON));
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut fleet = Self {
            folder,
            clock,
            agents: anywhere,
            enrolment: anywhere,
            remote: anywhere,
            history_bytes: HISTORY_BYTES,
            asks_every: None,
            running: None,
        };
        let options = InitOptions {
            state: fleet.state(),
            config: fleet.folder.path().join("config"),
            cluster: CLUSTER.into(),
            operator: OperatorName::new(ME).unwrap(),
        };
        init(&options, fleet.clock.as_ref()).await.unwrap();
        fleet.start().await.unwrap();
        fleet
    }

    /// The temporary folder; tests may add files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The coordinator's state folder.
    #[must_use]
    pub fn state(&self) -> StateFolder {
        StateFolder::new(self.folder.path().join("state"))
    }

    /// Certificate of the cluster's authority, PEM.
    #[must_use]
    pub fn ca(&self) -> String {
        read(&self.state().ca().join("certificate.pem"))
    }

    /// Starts the coordinator, on the ports it had before. Fails as [`Coordinator::bind`].
    pub async fn start(&mut self) -> Result<(), ServeError> {
        let (agents, enrolment) = (self.agents, self.enrolment);
        let options = ServeOptions {
            state: self.state(),
            agents,
            enrolment,
            operators: Some(self.remote),
            addresses: Vec::new(),
            history_bytes: self.history_bytes,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (clock, asks_every) = (self.clock.clone(), self.asks_every);
        let (stop, stopping) = oneshot::channel();
        let (bound, addresses) = oneshot::channel();
        let (ended, stopped) = oneshot::channel();
        runtime.spawn(async move {
            let coordinator = match Coordinator::bind(options, clock).await {
                Ok(coordinator) => coordinator,
                Err(error) => return drop(bound.send(Err(error))),
            };
            // Time limits must not depend on the speed of this machine.
            let coordinator = coordinator.waiting(Patience {
                handshake: HOUR,
                anonymous: HOUR,
                unused: HOUR,
            });
            let coordinator = match asks_every {
                Some(time) => coordinator.asking_every(time),
                None => coordinator,
            };
            bound
                .send(Ok((
                    coordinator.agents_address(),
                    coordinator.enrolment_address(),
                    coordinator.remote_address().unwrap(),
                )))
                .unwrap();
            coordinator.run(async { drop(stopping.await) }).await.unwrap();
            ended.send(()).ok();
        });
        match addresses.await.unwrap() {
            Ok((agents, enrolment, remote)) => {
                (self.agents, self.enrolment, self.remote) = (agents, enrolment, remote);
            }
            Err(error) => {
                end(runtime).await;
                return Err(error);
            }
        }
        self.running = Some(Running { runtime, stop, stopped });
        Ok(())
    }

    /// Starts another coordinator on the same state, on other ports. Fails as [`Coordinator::bind`].
    pub async fn second(&self) -> Result<(), ServeError> {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let addresses = Vec::new();
        let options = ServeOptions {
            state: self.state(),
            agents: anywhere,
            enrolment: anywhere,
            operators: None,
            addresses,
            history_bytes: self.history_bytes,
        };
        Coordinator::bind(options, self.clock.clone()).await.map(drop)
    }

    /// Stops the coordinator as SIGTERM does.
    pub async fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.stop.send(()).unwrap();
        running.stopped.await.unwrap();
        end(running.runtime).await;
    }

    /// Stops the coordinator as SIGKILL does.
    pub async fn kill(&mut self) {
        end(self.running.take().unwrap().runtime).await;
    }

    /// The key of an operator that the coordinator does not know.
    #[must_use]
    pub fn second_operator_key(&self) -> EcdsaKeyPair {
        let random = SystemRandom::new();
        let der = Consent::new_key(&random).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der, &random).unwrap()
    }

    /// Connects as an operator on another machine, with the certificate in their state folder.
    pub async fn remote_operator(&self, state: &Path, name: &str) -> Operator {
        let folder = state.join("operators").join(name);
        let (chain, key) = (read(&folder.join("certificate.pem")), read(&folder.join("key.pem")));
        let config = crate::tls::client(&self.ca(), Some((&chain, &key)), &self.clock);
        let channel = crate::tls::dial(self.remote, config).await.unwrap();
        Operator::with(OperatorClient::new(channel), key.as_bytes())
    }

    /// Connects as the operator on the coordinator's machine.
    pub async fn operator(&self) -> Operator {
        Operator::new(&self.state()).await
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.runtime.shutdown_background();
        }
    }
}

async fn end(runtime: Runtime) {
    spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(10)))
        .await
        .unwrap();
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
