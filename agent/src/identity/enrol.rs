use std::io;
use std::path::Path;
use std::time::Duration;

use heeler_host::{Secret, System, content};
use heeler_proto::v1::EnrolRequest;
use heeler_proto::v1::enrolment_client::EnrolmentClient;
use tokio::time::timeout;
use tonic::{Code, Status};

use super::{Certificate, IdentityError};
use crate::connect::{DialError, dial};
use crate::shared::Shared;

const PATIENCE: Duration = Duration::from_secs(20);

/// Path of the join token; first contact writes it.
pub const TOKEN_PATH: &str = "/etc/heeler/token";

/// Why the node has no certificate yet.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("could not read or remove {TOKEN_PATH}")]
    Token(#[source] io::Error),
    /// The key or certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("could not reach the coordinator to enrol")]
    Dial(#[from] DialError),
    #[error("could not set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("the coordinator refused to enrol this node: {0}. On the coordinator: heeler node add")]
    Refused(String),
    #[error("the coordinator did not answer the enrolment: {0}")]
    Lost(String),
}

/// Requests a certificate, with the join token, or without one as a node that returns with its known key. Removes the
/// token once the certificate is on disk. Fails when there is no certificate afterwards.
pub async fn enrol(
    shared: &Shared,
    token: Option<Secret<String>>,
    hardware_serial: &str,
) -> Result<Certificate, EnrolError> {
    let link = dial(&shared.config.enrolment, shared.trust.without_certificate()?).await?;
    let request = EnrolRequest {
        token: token.map(|token| token.reveal().clone()).unwrap_or_default(),
        node: shared.config.node.to_string(),
        csr: shared.identity.request(&shared.config.node)?,
        hardware_serial: hardware_serial.to_owned(),
    };
    let mut client = EnrolmentClient::with_origin(link.line(), link.origin());
    let reply = timeout(PATIENCE, client.enrol(request))
        .await
        .map_err(|_| EnrolError::Lost(format!("no answer in {} s", PATIENCE.as_secs())))?
        .map_err(|status| failed(&status))?;
    let chain = &reply.get_ref().certificate_chain;
    let certificate = shared.identity.install(chain, &shared.trust).await?;
    remove_token(shared.host.as_ref()).await?;
    tracing::info!(coordinator = link.address, "enrolled");
    Ok(certificate)
}

fn failed(status: &Status) -> EnrolError {
    let message = status.message().to_owned();
    match status.code() {
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded | Code::Internal => {
            EnrolError::Lost(message)
        }
        _ => EnrolError::Refused(message),
    }
}

/// Reads the join token; None when there is none. Fails when its file cannot be read.
pub async fn token(host: &dyn System) -> Result<Option<Secret<String>>, EnrolError> {
    let token = content(host, Path::new(TOKEN_PATH)).await.map_err(EnrolError::Token)?;
    Ok(token.map(|bytes| Secret::new(String::from_utf8_lossy(&bytes).trim().to_owned())))
}

/// Removes the join token, which was used or refused. Fails when its file cannot be removed.
pub async fn remove_token(host: &dyn System) -> Result<(), EnrolError> {
    host.remove(Path::new(TOKEN_PATH)).await.map_err(EnrolError::Token)
}
