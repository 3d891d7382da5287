//! What the coordinator does: one use case in each file. It knows no gRPC, SQL or TLS.

mod ahead;
mod apply;
mod audit;
mod consents;
mod contact;
mod copies;
mod disks;
mod drift;
mod drive;
mod enrol;
mod erase;
mod error;
mod events;
mod feed;
mod fleet_trust;
mod forgotten;
mod handbook;
mod history;
mod ledger;
mod network;
mod nodes;
mod operators;
mod pause;
mod plan;
mod pool_change;
mod receive;
mod record;
mod refused;
mod release;
mod remove;
mod renew;
mod revision;
mod rotation;
mod secrets;
mod session;
mod share;
mod snapshots;
mod spec;
mod status;
mod subnet;
mod tasks;
mod throttle;
mod watch;
mod who;
mod words;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use heeler_proto::v1::{AlarmKind, EventKind};
use heeler_proto::{NodeName, TaskId, Word as _, hex};
use heeler_store::{Event, NodeState, Stage, Store, Tx};
use prost::Message;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::clock::Clock;
use crate::pki::{Authorities, Ca, PkiError};
use crate::sessions::Sessions;
use crate::state::StateFolder;
use crate::tls::NodeKeys;

pub use audit::RESTORED;
pub use copies::Holder;
pub use enrol::Enrolment;
pub use error::AppError;
pub use events::Follower;
pub use fleet_trust::OperatorKeys;
pub use handbook::handbook;
pub use refused::Refused;
pub use secrets::is_secret_name;
pub(crate) use share::MOST as REPLY;
pub use spec::pool_comment;
pub use who::Who;

use feed::Feed;
use fleet_trust::FleetTrust;
use throttle::Throttle;

/// Default bound for the database, in bytes: 256 MiB.
pub const HISTORY_BYTES: u64 = 256 << 20;

type Result<T, E = AppError> = std::result::Result<T, E>;

/// Agents that are welcomed at once, and agents' messages that are stored at once. The database writes one after the
/// other in any case; of all who wait for it, most are agents that connect: when a fleet reconnects, all nodes are
/// back before their facts are stored.
const WELCOMES: usize = 32;
const MESSAGES: usize = 4;

/// Addresses of this coordinator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// HOST:PORT for agents, in the order in which they try them.
    pub addresses: Vec<String>,
    /// Port for enrolment, on the host of each address.
    pub enrolment_port: u16,
    /// HOST:PORT for operators on other machines; empty when remote access is off.
    pub operators: Vec<String>,
}

/// The coordinator. Every gRPC handler calls one of its methods.
pub struct App {
    store: Store,
    clock: Arc<dyn Clock>,
    authorities: Arc<Authorities>,
    trust: FleetTrust,
    node_keys: NodeKeys,
    renew_server: Notify,
    cluster: String,
    epoch: AtomicU64,
    reach: Reach,
    sessions: Sessions,
    next_session: AtomicU64,
    feed: Feed,
    wake: Notify,
    boot_id: Option<String>,
    enrolments: Throttle<IpAddr>,
    renewals: Throttle<NodeName>,
    state: StateFolder,
    copying: tokio::sync::Mutex<()>,
    history_bytes: u64,
    started_ms: u64,
    trouble: std::sync::Mutex<Option<String>>,
    /// Problems of the last round of copies.
    copy_problems: std::sync::Mutex<Vec<heeler_proto::v1::CopyProblem>>,
    watch: watch::Watch,
    answers: status::Answers,
    welcomes: Semaphore,
    messages: Semaphore,
}

impl App {
    /// Builds the coordinator over an open database. `state` is its state folder, with the keys. Fails when `heeler
    /// init` did not make the database, or a key cannot be read.
    pub async fn new(store: Store, clock: Arc<dyn Clock>, state: StateFolder, reach: Reach) -> Result<Self, AppError> {
        let authorities = Arc::new(open_authorities(&store, &state.ca(), clock.now_ms()).await?);
        let mut tx = store.read().await?;
        let stored = AppError::Stored {
            what: "the cluster: was this state folder made by `heeler init`?",
        };
        let (Some(cluster), Some(epoch)) = (tx.meta("cluster").await?, tx.meta("epoch").await?) else {
            return Err(stored);
        };
        let epoch = AtomicU64::new(epoch.parse().map_err(|_| stored)?);
        let feed = Feed::new(tx.last_event().await?);
        let trust = FleetTrust::read(&mut tx).await?;
        let node_keys = NodeKeys::default();
        for node in tx.nodes().await? {
            if let (NodeState::Enrolled, Some(peer)) = (node.state, nodes::peer(&node)?) {
                node_keys.admit(peer);
            }
        }
        drop(tx);
        Ok(Self {
            started_ms: clock.now_ms(),
            store,
            clock,
            authorities,
            trust,
            node_keys,
            renewals: Throttle::new(10, 60_000),
            renew_server: Notify::new(),
            cluster,
            epoch,
            reach,
            sessions: Sessions::default(),
            next_session: AtomicU64::new(1),
            feed,
            wake: Notify::new(),
            boot_id: network::boot_id(),
            enrolments: Throttle::new(10, 6_000),
            state,
            copying: tokio::sync::Mutex::new(()),
            history_bytes: HISTORY_BYTES,
            trouble: std::sync::Mutex::new(None),
            copy_problems: std::sync::Mutex::default(),
            watch: watch::Watch::default(),
            answers: status::Answers::default(),
            welcomes: Semaphore::new(WELCOMES),
            messages: Semaphore::new(MESSAGES),
        })
    }

    /// The certificate authorities that sign and that are accepted.
    pub fn authorities(&self) -> &Arc<Authorities> {
        &self.authorities
    }

    /// Waits until the server must show another certificate.
    pub async fn server_must_renew(&self) {
        self.renew_server.notified().await;
    }

    /// Closes the database; later calls fail.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// The keys of the nodes that may connect.
    pub fn node_keys(&self) -> NodeKeys {
        self.node_keys.clone()
    }

    fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Sets another bound for the database, in bytes.
    #[must_use]
    pub fn bounded(mut self, history_bytes: u64) -> Self {
        self.history_bytes = history_bytes;
        self
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    fn session_id(&self) -> u64 {
        self.next_session.fetch_add(1, Ordering::Relaxed)
    }

    /// Stores the transaction with an event, and wakes followers and the planner. Returns the event's number.
    async fn save_with_event(&self, mut tx: Tx, event: Event) -> Result<u64, AppError> {
        let id = tx.add_event(&event).await?;
        tx.save().await?;
        self.feed.stored(id);
        self.wake.notify_one();
        Ok(id)
    }

    /// The same for an event without more than a node and a text.
    async fn save_and_tell(&self, tx: Tx, kind: EventKind, node: &str, text: impl Into<String>) -> Result<u64> {
        self.save_with_event(tx, self.event(kind, node, text)).await
    }

    fn event(&self, kind: EventKind, node: &str, text: impl Into<String>) -> Event {
        Event {
            at_ms: self.now_ms(),
            node: node.to_owned(),
            kind: kind.word().to_owned(),
            text: text.into(),
            ..Event::default()
        }
    }

    /// An alarm is the same one as long as node, kind and subject are.
    fn alarm(&self, (kind, subject): (AlarmKind, &str), node: &str, text: impl Into<String>) -> Event {
        Event {
            alarm: kind.word().to_owned(),
            subject: subject.to_owned(),
            ..self.event(EventKind::Alarm, node, text)
        }
    }
}

/// The authority that the database names; before the first rotation it is the one that `heeler init` made.
async fn open_authorities(store: &Store, folder: &Path, now_ms: u64) -> Result<Authorities, AppError> {
    let mut all = store.read().await?.authorities().await?;
    if all.is_empty() {
        let mut tx = store.write().await?;
        let first = rotation::authority(&Ca::load(folder)?, Stage::Current, now_ms);
        tx.add_authority(&first).await?;
        tx.save().await?;
        all.push(first);
    }
    let (current, taken) = rotation::in_force(&all)?;
    let alone = taken.len() == 1;
    let authorities = Authorities::open(folder, current, taken)?;
    if alone && !all.iter().any(|authority| authority.stage == Stage::Made) {
        authorities.settle_or_forget(current.0)?;
    }
    Ok(authorities)
}

fn random_bits() -> Result<u128, AppError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| PkiError::Random)?;
    Ok(u128::from_be_bytes(bytes))
}

fn decoded<M: Message + Default>(what: &'static str, bytes: &[u8]) -> Result<M, AppError> {
    M::decode(bytes).map_err(|_| AppError::Stored { what })
}

fn node_name(text: &str) -> Result<NodeName, AppError> {
    NodeName::new(text).map_err(|_| AppError::Stored { what: "a node's name" })
}

fn task_id(text: &str) -> Result<TaskId, AppError> {
    TaskId::new(text).map_err(|_| AppError::Stored { what: "a task's id" })
}

/// Waits for a turn. A message that waits takes a few bytes; one that is being stored takes kilobytes, and a fleet
/// that reconnects sends thousands at once.
async fn turn(turns: &Semaphore) -> Option<SemaphorePermit<'_>> {
    turns.acquire().await.ok()
}
