use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use heeler_proto::OperatorName;
use heeler_proto::v1::operator_client::OperatorClient;
use heeler_proto::v1::{AcceptedRevisionRequest, ListOperatorsRequest, OperatorGrant, RenewOperatorRequest, Statement};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::client::{Client, LARGEST};
use super::error::{failed, in_full};
use super::grant::Grant;
use super::place::write_whole;
use super::{CliError, Result, consent};
use crate::known::short;
use crate::pki::{NodeRequest, SERVER_NAME, expires_ms, operator_request, write_secret};
use crate::trust::Keyring;

/// How long a connection to another machine may take.
const CONNECT: Duration = Duration::from_secs(10);
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// A certificate is renewed once it was used for a day, so that the next authority becomes known in time.
const RENEWED_WITH_LEFT_MS: u64 = 364 * DAY_MS;

/// An operator's certificate and key for a coordinator on another machine.
pub(super) struct Credentials {
    state: PathBuf,
    folder: PathBuf,
    name: String,
}

impl Credentials {
    /// The paths for that operator; nothing is read yet.
    pub(super) fn of(state: &Path, name: &str) -> Self {
        Self {
            state: state.to_owned(),
            folder: state.join("operators").join(name),
            name: name.to_owned(),
        }
    }

    /// Those of the operator who has a certificate: the login's, or the only one's.
    pub(super) fn find(state: &Path, login: &str) -> Result<Self> {
        let is_granted = |_: &str, key: &Path| key.with_file_name("certificate.pem").is_file();
        let found = consent::find(&state.join("operators"), login, is_granted)?;
        let (name, _) = found.ok_or_else(|| {
            CliError::Other(format!("there is no operator's key in {}", state.display()))
                .next("Make one, and ask an operator of the cluster to add you: heeler operator request")
        })?;
        Ok(Self::of(state, &name))
    }

    fn read(&self, what: &str) -> Result<String> {
        let path = self.folder.join(what);
        std::fs::read_to_string(&path).map_err(|_| {
            CliError::Other(format!("there is no {} yet", path.display()))
                .next("Ask an operator of the cluster to add you: heeler operator request")
        })
    }

    /// Stores the certificate and the authorities that the coordinator sent.
    pub(super) fn keep(&self, chain: &str, authorities: &str) -> Result<()> {
        // Authorities first: without them the certificate could not be used.
        write_secret(&self.folder.join("authorities.pem"), authorities).map_err(failed)?;
        write_secret(&self.folder.join("certificate.pem"), chain).map_err(failed)
    }

    /// Stores a renewed certificate. New authorities are accepted only when signed statements lead to them from the
    /// pinned ones. Otherwise it fails and writes nothing.
    pub(super) fn renew(&self, granted: &OperatorGrant, statements: Vec<Statement>) -> Result<()> {
        let request = self.request()?;
        let own = NodeRequest::parse(&request).map_err(|error| CliError::Other(error.to_string()))?;
        let name = OperatorName::new(&self.name).map_err(|invalid| CliError::Other(invalid.to_string()))?;
        let mut trust = Keyring::open(&self.state, &self.name, own.point())?;
        trust.hear(statements)?;
        let grant = Grant::of(granted, &trust, &own, &name)?;
        self.keep(&grant.certificate, &grant.authorities)
    }

    /// A certificate signing request, DER.
    pub(super) fn request(&self) -> Result<Vec<u8>> {
        let key = self.read("key.pem")?;
        operator_request(&key, &self.name).map_err(failed)
    }

    fn tls(&self) -> Result<(ClientConfig, u64)> {
        let bad = |what: &str| CliError::Other(format!("{} in {} cannot be used", what, self.folder.display()));
        let certificates = |what: &str| -> Result<Vec<CertificateDer<'static>>> {
            let pem = self.read(what)?;
            let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
            read.map_err(|_| bad(what))
        };
        let mut roots = RootCertStore::empty();
        for authority in certificates("authorities.pem")? {
            roots.add(authority).map_err(|_| bad("authorities.pem"))?;
        }
        let chain = certificates("certificate.pem")?;
        let until_ms = chain.first().map_or(0, |leaf| expires_ms(leaf));
        let key = PrivateKeyDer::from_pem_slice(self.read("key.pem")?.as_bytes()).map_err(|_| bad("key.pem"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|_| bad("key.pem"))?;
        let config = builder.with_root_certificates(roots).with_client_auth_cert(chain, key);
        let mut config = config.map_err(|_| bad("certificate.pem"))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok((config, until_ms))
    }
}

/// Connects to a coordinator on another machine, and renews the certificate when it is due.
pub(super) async fn connect(credentials: &Credentials, address: &str, now_ms: u64) -> Result<Client> {
    let (config, until_ms) = credentials.tls()?;
    let mut client = OperatorClient::new(dial(address, config).await?).max_decoding_message_size(LARGEST);
    let unwelcome = |status| refused(address, &status);
    if until_ms < now_ms.saturating_add(RENEWED_WITH_LEFT_MS) {
        let csr = credentials.request()?;
        let grant = client.renew_operator(RenewOperatorRequest { csr }).await;
        let grant = grant.map_err(unwelcome)?.into_inner();
        let told = client
            .list_operators(ListOperatorsRequest {})
            .await
            .map_err(unwelcome)?;
        credentials.renew(&grant, told.into_inner().statements)?;
    } else {
        let any = client.accepted_revision(AcceptedRevisionRequest {}).await;
        any.map_err(unwelcome)?;
    }
    Ok(client)
}

/// Connects without a call: nothing is renewed, and a refusal shows only later.
pub(super) async fn reach(credentials: &Credentials, address: &str) -> Result<Client> {
    let (config, _) = credentials.tls()?;
    Ok(OperatorClient::new(dial(address, config).await?).max_decoding_message_size(LARGEST))
}

/// In TLS 1.3 a client learns with its first call that the server refused its certificate.
fn refused(address: &str, status: &tonic::Status) -> CliError {
    match status.code() {
        tonic::Code::Unavailable | tonic::Code::Unknown | tonic::Code::Cancelled => not_reached(
            address,
            "it refuses this operator's certificate: revoked or expired. Ask another operator to add you again",
        ),
        _ => CliError::Coordinator(Box::new(status.clone())),
    }
}

fn not_reached(at: &str, why: &str) -> CliError {
    CliError::NotReached {
        at: at.to_owned(),
        why: why.to_owned(),
    }
}

async fn dial(address: &str, config: ClientConfig) -> Result<Channel> {
    let connector = TlsConnector::from(Arc::new(config));
    let to = address.to_owned();
    let connect = service_fn(move |_| {
        let (connector, to) = (connector.clone(), to.clone());
        async move {
            let stream = TcpStream::connect(&to).await?;
            let name = ServerName::try_from(SERVER_NAME).map_err(std::io::Error::other)?;
            connector.connect(name, stream).await.map(TokioIo::new)
        }
    });
    let channel = Endpoint::from_static("https://coordinator.heeler")
        .connect_timeout(CONNECT)
        .connect_with_connector(connect)
        .await;
    channel.map_err(|error| not_reached(address, &unanswered(&error)))
}

/// Fails unless the address is HOST:PORT.
pub(super) fn check(address: &str) -> Result<()> {
    let (host, port) = address.rsplit_once(':').unwrap_or_default();
    match !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) {
        true => Ok(()),
        false => Err(CliError::Usage(format!(
            "{} is not the address of a coordinator: write HOST:PORT, such as --coordinator 10.0.0.2:7445",
            short(address)
        ))
        .next("It comes from --coordinator, from $HEELER_COORDINATOR, or from heeler operator accept")),
    }
}

/// Why a connection failed, in plain words where the cause is known.
fn unanswered(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let kind = causes
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind)
        .last();
    let text = in_full(error);
    match kind {
        Some(ErrorKind::ConnectionRefused) => {
            "nothing listens on that port. Start it there: heeler serve --operators".to_owned()
        }
        Some(ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => {
            "the machine does not answer".to_owned()
        }
        _ if text.contains("failed to lookup address") => "this machine cannot find a host of that name".to_owned(),
        _ => text,
    }
}

/// The address that `heeler operator accept` noted; None when a coordinator's own state is in the folder.
pub(super) fn noted(state: &Path) -> Option<String> {
    if state.join("heeler.db").exists() {
        return None;
    }
    let line = std::fs::read_to_string(state.join("coordinator")).ok()?;
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// Notes the address for later commands.
pub(super) fn note(state: &Path, address: &str) -> Result<()> {
    let path = state.join("coordinator");
    write_whole(&path, &format!("{address}\n"))
}
