use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response, Uri};

/// The name in the coordinator's certificate. Its identity is its key, not its address.
const SERVER_NAME: &str = "coordinator.heeler";

const CONNECT: Duration = Duration::from_secs(10);

/// TCP keepalive: the kernel probes a silent peer, so that the agent needs no timer. After 20 s without an answer, to
/// a probe or to data, the connection is lost.
const SILENT: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_secs(5);
const LOST: Duration = Duration::from_secs(20);

/// Why no coordinator could be reached.
#[derive(Debug, thiserror::Error)]
#[error("no coordinator answered: {}", .tried.join("; "))]
pub struct DialError {
    /// Each address with the error there.
    pub tried: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum AttemptError {
    #[error("no connection in {} s", CONNECT.as_secs())]
    Timeout,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
    #[error("it does not speak HTTP/2")]
    Protocol,
}

/// A connection to the coordinator; closed when it is dropped.
#[derive(Debug)]
pub struct Link {
    /// The address that answered, `host:port`.
    pub address: String,
    line: Line,
    _driver: JoinSet<()>,
}

/// The sending side, for gRPC clients.
#[derive(Debug, Clone)]
pub struct Line(SendRequest<Body>);

/// Connects to the first of the addresses that answers, with TLS and HTTP/2. Fails when none answers.
pub async fn dial(addresses: &[String], tls: Arc<ClientConfig>) -> Result<Link, DialError> {
    let mut tried = Vec::new();
    for address in addresses {
        let attempt = timeout(CONNECT, attempt(address, Arc::clone(&tls))).await;
        match attempt.unwrap_or(Err(AttemptError::Timeout)) {
            Ok(link) => return Ok(link),
            Err(error) => tried.push(format!("{address}: {error}")),
        }
    }
    Err(DialError { tried })
}

async fn attempt(address: &str, tls: Arc<ClientConfig>) -> Result<Link, AttemptError> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let socket = SockRef::from(&tcp);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(SILENT).with_interval(ASK_EVERY))?;
    socket.set_tcp_user_timeout(Some(LOST))?;
    let name = ServerName::try_from(SERVER_NAME).map_err(io::Error::other)?;
    let stream = TlsConnector::from(tls).connect(name, tcp).await?;
    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(AttemptError::Protocol);
    }
    let (line, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection ended");
        }
    });
    Ok(Link {
        address: address.to_owned(),
        line: Line(line),
        _driver: driver,
    })
}

impl Link {
    /// The sending side, for a gRPC client.
    pub fn line(&self) -> Line {
        self.line.clone()
    }

    /// The scheme and host name of requests.
    pub fn origin(&self) -> Uri {
        Uri::from_static("https://coordinator.heeler")
    }
}

impl Service<Request<Body>> for Line {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
