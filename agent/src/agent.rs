use std::io;
use std::pin::Pin;
use std::sync::Arc;

use heeler_host::{Notify, System};
use tokio::sync::{Mutex, watch};
use tracing::{Instrument as _, info_span};

use crate::clock::Clock;
use crate::config::Config;
use crate::identity::{Identity, IdentityError, Trust};
use crate::journal::{Journal, JournalError};
use crate::ledger::LedgerError;
use crate::pulse::Pulse;
use crate::shared::Shared;
use crate::trusted::{TrustError, Trusted};
use crate::{ledger, schedule, sessions, worker, zfs_events};

/// How long the agent waits for its last answer to be sent.
const PARTING: std::time::Duration = std::time::Duration::from_secs(1);

/// Why the agent cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file with the coordinator's last time could not be read.
    #[error("could not read the coordinator's last time")]
    Clock(#[source] io::Error),
    /// The key or certificate on disk cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The statements of trust on disk cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file with the last accepted assignment cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What it does is compiled in this crate alone, and not in each program that awaits it.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The agent of one node. All its state is on its machine, so one process can run several agents.
pub struct Agent {
    shared: Shared,
}

impl Agent {
    /// Reads the agent's state from disk and creates what is missing. Fails when a file exists and cannot be used.
    pub fn new(config: Config, host: Arc<dyn System>, notify: Notify) -> Boxed<'static, Result<Self, StartError>> {
        Box::pin(Self::open(config, host, notify))
    }

    async fn open(config: Config, host: Arc<dyn System>, notify: Notify) -> Result<Self, StartError> {
        let clock = Clock::open(host.clone()).await.map_err(StartError::Clock)?;
        let identity = Identity::open(host.clone()).await?;
        let trusted = Arc::new(Trusted::open(&config, host.clone()).await?);
        let trust = Trust::new(trusted.clone(), clock.clone());
        let journal = Journal::open(host.clone(), clock.clone()).await?;
        let mut accepted = ledger::read(host.as_ref()).await?;
        let in_hand = journal.state().in_hand.clone();
        // The power failed after the journal's entry and before the ledger's.
        if let Some(known) = in_hand.filter(|known| {
            accepted
                .as_ref()
                .is_none_or(|accepted| known.generation > accepted.generation)
        }) {
            ledger::write(host.as_ref(), &known).await?;
            accepted = Some(known);
        }
        let shared = Shared {
            config,
            host,
            clock,
            identity,
            trusted,
            trust,
            journal: Arc::new(journal),
            accepted: Mutex::new(accepted),
            stop: Arc::default(),
            progress: watch::Sender::new(None),
            network: watch::Sender::new(false),
            pools_changed: watch::Sender::new(0),
            pool: Arc::default(),
            schedule: std::sync::Mutex::default(),
            schedule_changed: tokio::sync::Notify::new(),
            pulse: Pulse::default(),
            copies: Arc::default(),
            leaving: Arc::default(),
            notify,
        };
        Ok(Self { shared })
    }

    /// Runs until `shutdown`, then until no op is being applied. Dropping the future at any point has the effect of
    /// SIGKILL.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let span = info_span!("agent", node = %self.shared.config.node);
        self.boxed(Box::pin(shutdown)).instrument(span).await;
    }

    fn boxed<'a>(self, shutdown: Boxed<'a, ()>) -> Boxed<'a, ()> {
        Box::pin(self.live(shutdown))
    }

    async fn live(self, shutdown: Boxed<'_, ()>) {
        let shared = &self.shared;
        shared.notify.ready();
        let ended = async {
            shutdown.await;
            shared.notify.stopping();
            shared.stop.ask().await;
        };
        tokio::select! {
            () = ended => {}
            () = worker::work(shared) => {}
            () = schedule::keep(shared) => {}
            () = sessions::keep_connected(shared) => {}
            () = zfs_events::watch(shared) => {}
            () = feed_watchdog(shared) => {}
            () = leave(shared) => {}
        }
    }
}

/// The last answer gets time to be sent; whether it arrives does not matter.
async fn leave(shared: &Shared) {
    shared.leaving.notified().await;
    tokio::time::sleep(PARTING).await;
}

async fn feed_watchdog(shared: &Shared) {
    let Some(period) = shared.notify.watchdog() else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(period).await;
        if shared.pulse.beat() {
            shared.notify.alive();
        } else {
            tracing::error!("the session hangs: the watchdog is not fed");
        }
    }
}
