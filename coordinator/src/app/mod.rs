//! What the coordinator does: one use case a file. No gRPC, no SQL and no TLS in it.

mod ahead;
mod apply;
mod audit;
mod consents;
mod contact;
mod disks;
mod drive;
mod enrol;
mod erase;
mod error;
mod events;
mod feed;
mod forgotten;
mod ledger;
mod nodes;
mod pause;
mod plan;
mod receive;
mod record;
mod renew;
mod revision;
mod session;
mod spec;
mod status;
mod tasks;
mod throttle;
mod who;
mod words;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use heeler_proto::{NodeName, TaskId};
use heeler_store::{NewEvent, Store, Tx};
use prost::Message;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::pki::{Ca, PkiError};
use crate::sessions::Sessions;

pub use audit::RESTORED;
pub use enrol::Enrolment;
pub use error::AppError;
pub use events::Follower;
pub use spec::pool_comment;
pub use who::Who;

use feed::Feed;
use throttle::Throttle;

/// How agents reach this coordinator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// HOST:PORT each, in the order in which agents try them.
    pub addresses: Vec<String>,
    /// Port of the enrolment listener, on each address.
    pub enrolment_port: u16,
}

/// What the handlers call.
pub struct App {
    store: Store,
    clock: Arc<dyn Clock>,
    ca: Ca,
    cluster: String,
    epoch: AtomicU64,
    reach: Reach,
    sessions: Sessions,
    next_session: AtomicU64,
    feed: Feed,
    wake: Notify,
    enrolments: Throttle<IpAddr>,
}

impl App {
    /// Over an open database.
    ///
    /// # Errors
    /// When the database was not made by `heeler init`.
    pub async fn new(store: Store, clock: Arc<dyn Clock>, ca: Ca, reach: Reach) -> Result<Self, AppError> {
        let mut tx = store.read().await?;
        let stored = AppError::Stored {
            what: "the cluster: was this state folder made by `heeler init`?",
        };
        let (Some(cluster), Some(epoch)) = (tx.meta("cluster").await?, tx.meta("epoch").await?) else {
            return Err(stored);
        };
        let epoch = AtomicU64::new(epoch.parse().map_err(|_| stored)?);
        let feed = Feed::new(tx.last_event().await?);
        drop(tx);
        Ok(Self {
            store,
            clock,
            ca,
            cluster,
            epoch,
            reach,
            sessions: Sessions::default(),
            next_session: AtomicU64::new(1),
            feed,
            wake: Notify::new(),
            enrolments: Throttle::new(10, 6_000),
        })
    }

    /// The cluster's certificate authority.
    #[must_use]
    pub fn ca(&self) -> &Ca {
        &self.ca
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.store.close().await;
    }

    fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    fn session_id(&self) -> u64 {
        self.next_session.fetch_add(1, Ordering::Relaxed)
    }

    /// Stores what was written, with an event that tells of it, and tells everybody.
    async fn tell(&self, mut tx: Tx, event: NewEvent) -> Result<u64, AppError> {
        let id = tx.add_event(&event).await?;
        tx.save().await?;
        self.feed.stored(id);
        self.wake.notify_one();
        Ok(id)
    }

    fn event(&self, kind: &str, node: &str, text: impl Into<String>) -> NewEvent {
        let (kind, node, text) = (kind.to_owned(), node.to_owned(), text.into());
        NewEvent {
            at_ms: self.now_ms(),
            node,
            task_id: String::new(),
            kind,
            text,
            body: None,
        }
    }
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
