use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use heeler_host::{System, facts};
use heeler_tasks::engine::in_full;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;
use tracing::{Instrument as _, info_span};

use crate::clock::Clock;
use crate::config::Config;
use crate::connect::{DialError, dial};
use crate::identity::{self, Certificate, EnrolError, Identity, IdentityError, Trust};
use crate::journal::{Journal, JournalError};
use crate::ledger::LedgerError;
use crate::notify::Notify;
use crate::pulse::Pulse;
use crate::session::{self, SessionError};
use crate::shared::Shared;
use crate::{backoff, ledger, worker};

/// A session that lasted this long was a good one: the next attempt comes soon.
const GOOD_SESSION: Duration = Duration::from_secs(60);

/// Why the agent cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The coordinator's last time.
    #[error("could not read the coordinator's last time")]
    Clock(#[source] io::Error),
    /// Key or certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The pinned authority.
    #[error("ca_certificate is not readable")]
    Authority(#[source] rustls::Error),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("could not read the node's facts")]
    Facts(#[from] heeler_host::RunError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    #[error("could not set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("could not reach the coordinator")]
    Dial(#[from] DialError),
    #[error(transparent)]
    Session(#[from] SessionError),
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
        let trust = Trust::new(config.ca.clone(), clock.clone()).map_err(StartError::Authority)?;
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
            trust,
            journal: Arc::new(journal),
            accepted: Mutex::new(accepted),
            stop: Arc::default(),
            progress: watch::Sender::new(None),
            pulse: Pulse::default(),
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
            () = stay_connected(shared) => {}
            () = feed_watchdog(shared) => {}
        }
    }
}

async fn stay_connected(shared: &Shared) {
    let mut failures = 0;
    loop {
        let began = Instant::now();
        let lost = match connected(shared).await {
            Ok(never) => match never {},
            Err(lost) => in_full(&lost),
        };
        failures = if began.elapsed() >= GOOD_SESSION {
            1
        } else {
            failures + 1
        };
        let wait = backoff::delay(failures, shared.random());
        tracing::warn!(wait_ms = wait.as_millis(), "not connected: {lost}");
        shared.notify.status(&format!("not connected: {lost}"));
        tokio::time::sleep(wait).await;
    }
}

async fn connected(shared: &Shared) -> Result<Infallible, Lost> {
    let hardware = facts::hardware(shared.host.as_ref()).await?;
    let certificate = certificate(shared, &hardware.serial).await?;
    let tls = shared.trust.client(certificate.chain, shared.identity.private_key())?;
    let link = dial(&shared.config.coordinators, tls).await?;
    Ok(session::run(shared, &link, hardware, certificate.validity).await?)
}

/// The certificate in force, after enrolling when that is due. A token that lies there was put there by a person, so it
/// comes first; when the coordinator refuses it, a certificate that still holds is as good as before.
async fn certificate(shared: &Shared, hardware_serial: &str) -> Result<Certificate, Lost> {
    let host = shared.host.as_ref();
    let held = shared.identity.certificate().await?;
    let held = held.filter(|held| shared.clock.now_ms() < held.validity.until_ms);
    let token = identity::token(host).await?;
    let held = match (held, &token) {
        (Some(held), None) => return Ok(held),
        (held, _) => held,
    };
    let enrolled = identity::enrol(shared, token, hardware_serial).await;
    match (enrolled, held) {
        (Ok(certificate), _) => Ok(certificate),
        (Err(error), Some(held)) => {
            tracing::warn!(
                "could not enrol anew, going on with the certificate that is there: {}",
                in_full(&error)
            );
            if matches!(error, EnrolError::Refused(_)) {
                identity::remove_token(host).await?;
            }
            Ok(held)
        }
        (Err(error), None) => Err(error.into()),
    }
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
