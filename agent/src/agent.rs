use std::io;
use std::sync::Arc;

use heeler_host::System;
use tokio::sync::{Mutex, watch};
use tracing::{Instrument as _, info_span};

use crate::clock::Clock;
use crate::config::Config;
use crate::identity::{Identity, IdentityError, Trust};
use crate::journal::{Journal, JournalError};
use crate::ledger::LedgerError;
use crate::notify::Notify;
use crate::pulse::Pulse;
use crate::shared::Shared;
use crate::trusted::{TrustError, Trusted};
use crate::{ledger, schedule, sessions, worker, zfs_events};

/// What the last answer may take to be sent.
const PARTING: std::time::Duration = std::time::Duration::from_secs(1);

/// Why the agent cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The coordinator's last time.
    #[error("could not read the coordinator's last time")]
    Clock(#[source] io::Error),
    /// Key or certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Whom it trusts.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// One node's agent. Everything that it keeps is on its machine; there may be several in one process.
pub struct Agent {
    shared: Shared,
}

impl Agent {
    /// Reads what the agent kept, and makes what is missing.
    ///
    /// # Errors
    /// When something that it kept cannot be trusted.
    pub async fn new(config: Config, host: Arc<dyn System>, notify: Notify) -> Result<Self, StartError> {
        let clock = Clock::open(host.clone()).await.map_err(StartError::Clock)?;
        let identity = Identity::open(host.clone()).await?;
        let trusted = Arc::new(Trusted::open(&config, host.clone()).await?);
        let trust = Trust::new(trusted.clone(), clock.clone());
        let journal = Journal::open(host.clone(), clock.clone()).await?;
        let mut accepted = ledger::read(host.as_ref()).await?;
        let in_hand = journal.state().in_hand.clone();
        // The power was cut between the journal's entry and the ledger's.
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
            leaving: tokio::sync::Notify::new(),
            notify,
        };
        Ok(Self { shared })
    }

    /// Works until `shutdown`, and then until no op is being applied. Dropping it at any point is what a SIGKILL is.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let span = info_span!("agent", node = %self.shared.config.node);
        self.live(shutdown).instrument(span).await;
    }

    async fn live(self, shutdown: impl Future<Output = ()>) {
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

/// The last answer is let out; whether it arrives changes nothing.
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
