use std::convert::Infallible;
use std::time::Duration;

use heeler_host::facts;
use heeler_tasks::engine::in_full;
use tokio::time::{Instant, sleep};

use crate::backoff;
use crate::connect::{DialError, dial};
use crate::identity::{self, Certificate, EnrolError, IdentityError};
use crate::session::{Session, SessionError};
use crate::shared::Shared;

/// After a session of this length the next attempt comes soon.
const GOOD_SESSION: Duration = Duration::from_secs(60);

/// After so many refused sessions in sequence the certificate itself may be the cause.
const DOUBT: u32 = 2;

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
    #[error("the coordinator refused the session")]
    Unwelcome(#[source] SessionError),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Keeps a session open; waits after each one that ended.
pub async fn keep_connected(shared: &Shared) {
    let (mut failures, mut unwelcome) = (0, 0);
    loop {
        let began = Instant::now();
        let in_doubt = unwelcome >= DOUBT;
        let lost = match connected(shared, in_doubt).await {
            Ok(never) => match never {},
            Err(lost) => lost,
        };
        let lasted = began.elapsed();
        failures = if lasted >= GOOD_SESSION { 1 } else { failures + 1 };
        unwelcome = match lost {
            Lost::Unwelcome(_) if !in_doubt => unwelcome + 1,
            _ => 0,
        };
        if matches!(lost, Lost::Session(SessionError::NetworkChanged)) {
            failures = 0;
            continue;
        }
        let wait = backoff::delay(failures, shared.random());
        let lost = in_full(&lost);
        tracing::warn!(wait_ms = wait.as_millis(), "not connected: {lost}");
        shared.notify.status(&format!("not connected: {lost}"));
        sleep(wait).await;
    }
}

async fn connected(shared: &Shared, in_doubt: bool) -> Result<Infallible, Lost> {
    let hardware = facts::hardware(shared.host.as_ref()).await?;
    shared.clock.compare().await;
    let certificate = certificate(shared, in_doubt, &hardware.serial).await?;
    let tls = shared.trust.client(certificate.chain, shared.identity.private_key())?;
    let link = dial(&shared.config.coordinators, tls).await?;
    let session = Session::open(shared, &link, hardware).await.map_err(Lost::Unwelcome)?;
    tracing::info!(coordinator = link.address, "session open");
    shared.notify.status(&format!("connected to {}", link.address));
    Ok(session.serve(certificate.validity).await?)
}

/// The certificate to use. Enrols first without a certificate, with a join token, or when the coordinator refuses the
/// certificate (`in_doubt`), which a node with a wrong clock cannot see itself. When enrolment fails, a certificate
/// that seems valid is used.
async fn certificate(shared: &Shared, in_doubt: bool, hardware_serial: &str) -> Result<Certificate, Lost> {
    let host = shared.host.as_ref();
    let held = match shared.identity.certificate().await {
        Err(error @ IdentityError::Certificate(_)) => {
            tracing::warn!("{}", in_full(&error));
            None
        }
        held => held?.filter(|held| shared.clock.now_ms() < held.validity.until_ms),
    };
    let token = identity::token(host).await?;
    let held = match held {
        Some(held) if token.is_none() && !in_doubt => return Ok(held),
        held => held,
    };
    let enrolled = identity::enrol(shared, token, hardware_serial).await;
    match (enrolled, held) {
        (Ok(certificate), _) => Ok(certificate),
        (Err(error), Some(held)) => {
            tracing::warn!(
                "could not enrol again; the present certificate stays in use: {}",
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
