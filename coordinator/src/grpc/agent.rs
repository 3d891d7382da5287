use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use heeler_proto::v1::{self, from_agent::Body};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use super::status::{protocol, status};
use crate::app::App;
use crate::pki::Peer;
use crate::sessions::{OUTBOX, Session};
use crate::tls::Caller;

/// An agent that has connected says hello within that time.
const HELLO: Duration = Duration::from_secs(10);

pub(super) struct Service(pub(super) Arc<App>);

#[tonic::async_trait]
impl v1::agent_server::Agent for Service {
    type SessionStream = Pin<Box<dyn Stream<Item = Result<v1::ToAgent, Status>> + Send>>;

    async fn session(
        &self,
        request: Request<Streaming<v1::FromAgent>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let peer = request
            .extensions()
            .get::<Caller>()
            .and_then(|caller| caller.peer.clone());
        let peer = peer.ok_or_else(|| protocol("an agent shows a certificate"))?;
        let (out, messages) = mpsc::channel(OUTBOX);
        let (refused, refusal) = oneshot::channel();
        tokio::spawn(attend(self.0.clone(), peer, request.into_inner(), (out, refused)));
        Ok(Response::new(Box::pin(Outgoing { messages, refusal })))
    }
}

type Out = (mpsc::Sender<v1::ToAgent>, oneshot::Sender<Status>);

/// From hello to the end of the stream.
async fn attend(app: Arc<App>, peer: Peer, mut inbound: Streaming<v1::FromAgent>, (out, refused): Out) {
    let opened = match hello(&mut inbound).await {
        Ok(hello) => app
            .open_session(&peer, hello, out.clone())
            .await
            .map_err(|error| status(&app, &error)),
        Err(status) => Err(status),
    };
    match opened {
        Ok(session) => {
            drop(out);
            listen(&app, &session, inbound).await;
        }
        // `out` outlives this: the reason is there when the stream ends.
        Err(status) => drop(refused.send(status)),
    }
}

/// What the coordinator says, and at the end why it would not.
struct Outgoing {
    messages: mpsc::Receiver<v1::ToAgent>,
    refusal: oneshot::Receiver<Status>,
}

impl Stream for Outgoing {
    type Item = Result<v1::ToAgent, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match ready!(self.messages.poll_recv(cx)) {
            Some(message) => Poll::Ready(Some(Ok(message))),
            None => Poll::Ready(self.refusal.try_recv().ok().map(Err)),
        }
    }
}

async fn hello(inbound: &mut Streaming<v1::FromAgent>) -> Result<v1::Hello, Status> {
    let first = timeout(HELLO, inbound.message())
        .await
        .map_err(|_| protocol("no hello within 10 s"))??;
    match first.and_then(|message| message.body) {
        Some(Body::Hello(hello)) => Ok(hello),
        _ => Err(protocol("the first message of a session is hello")),
    }
}

/// Until either end closes the stream.
async fn listen(app: &App, session: &Session, mut inbound: Streaming<v1::FromAgent>) {
    loop {
        let message = tokio::select! {
            message = inbound.next() => message,
            () = session.closed() => None,
        };
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                // A lost connection, or an agent of a version that speaks otherwise.
                tracing::warn!(node = %session.node, reason = error.message(), "the stream broke off");
                break;
            }
            None => break,
        };
        let Some(body) = message.body else { continue };
        if let Err(error) = app.receive(session, body).await {
            // Not acknowledged: the agent sends it again over its next session.
            session.close(status(app, &error).message());
            break;
        }
    }
    let closed = app.close_session(session).await;
    closed.map_err(|error| status(app, &error)).ok();
}
