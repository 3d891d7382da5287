//! The gRPC services: decode, call the app, encode.

mod agent;
mod agent_message;
mod asked;
mod enrolment;
mod operator;
mod status;
mod who;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use heeler_proto::v1::enrolment_server::EnrolmentServer;
use heeler_proto::v1::operator_server::OperatorServer;
use heeler_proto::{bounds, v1};
use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tokio_stream::Stream;
use tonic::transport::{Error, Server};

use crate::app::App;
use crate::tls::Connection;

/// Largest message accepted, in bytes.
const MESSAGE: usize = bounds::MESSAGE;
/// Time for the other side to answer a ping before the connection counts as dead.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(10);

fn server(asks_every: Duration) -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(asks_every))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
        .http2_max_header_list_size(16 * 1024)
        .max_concurrent_streams(16)
}

/// The service for agents, whose sessions run there.
pub fn agents(app: Arc<App>, sessions: Handle) -> agent::Service {
    agent::Service { app, sessions }
}

/// The service for nodes without a certificate.
pub fn enrolment(app: Arc<App>) -> EnrolmentServer<impl v1::enrolment_server::Enrolment> {
    EnrolmentServer::new(enrolment::Service(app)).max_decoding_message_size(64 * 1024)
}

/// The service for operators.
pub fn operators(app: Arc<App>) -> OperatorServer<impl v1::operator_server::Operator> {
    OperatorServer::new(operator::Service(app)).max_decoding_message_size(MESSAGE)
}

/// Serves agents over connections whose certificate TLS has verified. Fails when the transport fails as a whole.
pub async fn serve_agents(
    (app, sessions): (Arc<App>, Handle),
    incoming: impl Stream<Item = io::Result<Connection>>,
    asks_every: Duration,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    server(asks_every)
        .serve_with_incoming_shutdown(agents(app, sessions), incoming, shutdown)
        .await
}

/// Serves nodes without a certificate. Fails when the transport fails as a whole.
pub async fn serve_enrolment(
    app: Arc<App>,
    incoming: impl Stream<Item = io::Result<Connection>>,
    asks_every: Duration,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    server(asks_every)
        .timeout(Duration::from_secs(30))
        .serve_with_incoming_shutdown(enrolment(app), incoming, shutdown)
        .await
}

/// Serves operators, over a socket that only its owner can open. Fails when the transport fails as a whole.
pub async fn serve_operators(
    app: Arc<App>,
    incoming: impl Stream<Item = io::Result<UnixStream>>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    Server::builder()
        .serve_with_incoming_shutdown(asked::Asked(operators(app)), incoming, shutdown)
        .await
}

/// Serves operators on other machines, each with a certificate. Fails when the transport fails as a whole.
pub async fn serve_remote(
    app: Arc<App>,
    incoming: impl Stream<Item = io::Result<Connection>>,
    asks_every: Duration,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    server(asks_every)
        .serve_with_incoming_shutdown(asked::Asked(operators(app)), incoming, shutdown)
        .await
}
