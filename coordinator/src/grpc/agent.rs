use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_channel::mpsc;
use heeler_proto::v1::{self, agent_server, from_agent::Body};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_stream::{Stream, StreamExt as _};
use tonic::body::Body as HttpBody;
use tonic::codegen::{Body as IncomingBody, http};
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::{Request, Response, Status, Streaming};

use super::MESSAGE;
use super::agent_message::{AgentMessage, Bounded};
use super::status::{protocol, status};
use crate::app::{App, AppError};
use crate::pki::Peer;
use crate::sessions::{OUTBOX, Outbox, Session};
use crate::tls::{Caller, Serves};

/// Time for a connected agent to say hello.
const HELLO: Duration = Duration::from_secs(10);

/// The agents' service. Checks messages against the table of bounds before they are decoded.
#[derive(Clone)]
pub struct Service {
    pub(super) app: Arc<App>,
    /// Where sessions run.
    pub(super) sessions: Handle,
}

impl NamedService for Service {
    const NAME: &'static str = agent_server::SERVICE_NAME;
}

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<B> tower::Service<http::Request<B>> for Service
where
    B: IncomingBody + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
{
    type Response = http::Response<HttpBody>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        if request.uri().path() != "/heeler.v1.Agent/Session" {
            return Box::pin(async { Ok(Status::unimplemented("there is no such call").into_http()) });
        }
        let service = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(Bounded::default()).apply_max_message_size_config(Some(MESSAGE), None);
            Ok(grpc.streaming(service, request).await)
        })
    }
}

impl StreamingService<AgentMessage> for Service {
    type Response = Box<v1::ToAgent>;
    type ResponseStream = Outgoing;
    type Future = Answer<Result<Response<Outgoing>, Status>>;

    fn call(&mut self, request: Request<Streaming<AgentMessage>>) -> Self::Future {
        let (app, sessions) = (self.app.clone(), self.sessions.clone());
        Box::pin(async move {
            let caller = request.extensions().get::<Caller>().cloned().unwrap_or_default();
            let peer = caller.peer.clone();
            let peer = peer.ok_or_else(|| protocol("an agent must send a certificate"))?;
            let (out, messages) = mpsc::channel(OUTBOX);
            let (refused, refusal) = oneshot::channel();
            sessions.spawn(attend(
                app,
                Box::new((caller, peer)),
                Box::new(request.into_inner()),
                (out, refused),
            ));
            Ok(Response::new(Outgoing { messages, refusal }))
        })
    }
}

type Out = (Outbox, oneshot::Sender<Status>);

/// Serves one stream, from hello to its end. What is large is boxed, so that a session that waits for messages takes
/// little memory.
async fn attend(
    app: Arc<App>,
    who: Box<(Caller, Peer)>,
    mut inbound: Box<Streaming<AgentMessage>>,
    (out, refused): Out,
) {
    match Box::pin(open(&app, who, &mut inbound, out.clone())).await {
        Ok((session, _serves)) => {
            drop(out);
            listen(&app, &session, inbound).await;
        }
        // `out` is dropped later, so the reason is ready when the stream ends.
        Err(status) => drop(refused.send(status)),
    }
}

/// The connection counts as serving while its session waits for the database, and for as long as it lasts.
async fn open(
    app: &App,
    who: Box<(Caller, Peer)>,
    inbound: &mut Streaming<AgentMessage>,
    out: Outbox,
) -> Result<(Arc<Session>, Serves), Status> {
    let (caller, peer) = *who;
    let hello = hello(app, &peer, inbound).await?;
    let serves = caller.serves();
    let session = app.open_session(&peer, hello, out).await;
    session
        .map(|session| (session, serves))
        .map_err(|error| status(app, &error))
}

/// Messages to the agent, then the reason when the stream was refused.
pub(super) struct Outgoing {
    messages: mpsc::Receiver<Box<v1::ToAgent>>,
    refusal: oneshot::Receiver<Status>,
}

impl Stream for Outgoing {
    type Item = Result<Box<v1::ToAgent>, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match ready!(Pin::new(&mut self.messages).poll_next(cx)) {
            Some(message) => Poll::Ready(Some(Ok(message))),
            None => Poll::Ready(self.refusal.try_recv().ok().map(Err)),
        }
    }
}

fn not_hello() -> Status {
    protocol("the first message of a session must be hello")
}

async fn hello(app: &App, peer: &Peer, inbound: &mut Streaming<AgentMessage>) -> Result<v1::Hello, Status> {
    let first = timeout(HELLO, inbound.message())
        .await
        .map_err(|_| protocol("no hello within 10 s"))??;
    match first {
        Some(AgentMessage {
            refused: Some(refused), ..
        }) => {
            let recorded = Box::pin(app.tell_refused(&peer.node, &refused)).await;
            recorded.map_err(|error| status(app, &error))?;
            Err(Status::invalid_argument(refused.why))
        }
        Some(AgentMessage { body: Some(body), .. }) => match *body {
            Body::Hello(hello) => Ok(hello),
            _ => Err(not_hello()),
        },
        _ => Err(not_hello()),
    }
}

async fn take(app: &App, session: &Session, message: AgentMessage) -> Result<(), AppError> {
    if let Some(refused) = &message.refused
        && session.refuses(refused.field)
    {
        Box::pin(app.tell_refused(&session.node, refused)).await?;
    }
    match (message.body, message.refused) {
        (Some(body), _) => app.receive(session, body).await,
        (None, Some(refused)) => Err(AppError::Refused(refused.why)),
        (None, None) => Ok(()),
    }
}

/// Handles messages until either side closes the stream.
async fn listen(app: &App, session: &Session, mut inbound: Box<Streaming<AgentMessage>>) {
    loop {
        let message = tokio::select! {
            message = inbound.next() => message,
            () = session.closed() => None,
        };
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                // The connection was lost, or the agent speaks another protocol.
                tracing::warn!(node = %session.node, reason = error.message(), "the stream broke off");
                break;
            }
            None => break,
        };
        if let Err(error) = take(app, session, message).await {
            // The event is not acknowledged, so the agent sends it again over its next session.
            session.close(status(app, &error).message());
            break;
        }
    }
    let closed = Box::pin(app.close_session(session)).await;
    // `status` logs the error; nobody is left to receive it.
    closed.map_err(|error| status(app, &error)).ok();
}
