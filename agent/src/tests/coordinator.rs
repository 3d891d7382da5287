use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use heeler_proto::v1::agent_server::{Agent, AgentServer};
use heeler_proto::v1::enrolment_server::{Enrolment, EnrolmentServer};
use heeler_proto::v1::{
    EnrolReply, EnrolRequest, Event, EventAck, FromAgent, Hello, Reply, ToAgent, Welcome, from_agent, request::Ask,
    to_agent,
};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::{Service, http};
use tonic::{Request, Response, Status, Streaming};

use super::authority::Authority;

/// The answers of the enrolment listener.
pub type Judge = Box<dyn Fn(&EnrolRequest) -> Result<(), Status> + Send>;

/// A coordinator that does what the test says, over real mTLS on loopback.
pub struct Coordinator {
    pub authority: Arc<Authority>,
    pub agents: SocketAddr,
    pub enrolment: SocketAddr,
    /// Enrolment requests.
    pub enrolled: Arc<Mutex<Vec<EnrolRequest>>>,
    pub judge: Arc<Mutex<Judge>>,
    sessions: mpsc::UnboundedReceiver<Session>,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
    _listeners: JoinSet<()>,
}

/// The coordinator's side of a session.
pub struct Session {
    pub hello: Hello,
    to: mpsc::Sender<Result<ToAgent, Status>>,
    from: Streaming<FromAgent>,
    /// Events that arrived before an awaited answer.
    early: VecDeque<Event>,
}

impl Coordinator {
    pub async fn start() -> Self {
        let authority = Arc::new(Authority::new());
        let (enrolled, judge) = (Arc::default(), Arc::new(Mutex::new(Box::new(|_: &_| Ok(())) as Judge)));
        let enrol = Enrol {
            authority: Arc::clone(&authority),
            enrolled: Arc::clone(&enrolled),
            judge: Arc::clone(&judge),
        };
        let (opened, sessions) = mpsc::unbounded_channel();
        let (mut listeners, connections) = (JoinSet::new(), Arc::default());
        let listen = async |tls| {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            (
                listener.local_addr().unwrap(),
                listener,
                TlsAcceptor::from(Arc::new(tls)),
            )
        };
        let (agents, listener, tls) = listen(server_tls(&authority, true)).await;
        listeners.spawn(serve(
            listener,
            tls,
            AgentServer::new(Sessions(opened)),
            Arc::clone(&connections),
        ));
        let (enrolment, listener, tls) = listen(server_tls(&authority, false)).await;
        listeners.spawn(serve(
            listener,
            tls,
            EnrolmentServer::new(enrol),
            Arc::clone(&connections),
        ));
        Self {
            authority,
            agents,
            enrolment,
            enrolled,
            judge,
            sessions,
            connections,
            _listeners: listeners,
        }
    }

    /// The next session that an agent opens.
    pub async fn session(&mut self) -> Session {
        self.sessions.recv().await.unwrap()
    }

    /// The next session, with its welcome sent.
    pub async fn welcomed(&mut self, acknowledged: u64) -> Session {
        let session = self.session().await;
        session.welcome(0, acknowledged).await;
        session
    }

    /// Breaks every connection.
    pub fn cut(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            connection.abort();
        }
    }

    /// The configuration that first contact would write for an agent of this coordinator.
    pub fn config(&self, node: &str, operator_pem: &str) -> String {
        serde_json::json!({
            "node": node,
            "coordinators": [self.agents.to_string()],
            "enrolment": [self.enrolment.to_string()],
            "ca_certificate": self.authority.pem(),
            "operators": [{"name": "me", "public_key": operator_pem}],
        })
        .to_string()
    }
}

impl Session {
    pub async fn welcome(&self, now_ms: u64, acknowledged: u64) {
        let welcome = Welcome {
            now_ms,
            epoch: 1,
            acknowledged,
        };
        self.send(to_agent::Body::Welcome(welcome)).await;
    }

    pub async fn send(&self, body: to_agent::Body) {
        // The agent may have ended; the test notices by what it receives.
        let _ = self.to.send(Ok(ToAgent { body: Some(body) })).await;
    }

    pub async fn acknowledge(&self, seq: u64) {
        self.send(to_agent::Body::Ack(EventAck { seq })).await;
    }

    /// The agent's next message; None when it has ended.
    pub async fn next(&mut self) -> Option<from_agent::Body> {
        self.from.message().await.ok().flatten()?.body
    }

    /// The next message that `wanted` accepts; events before it are kept for [`Self::event`].
    pub async fn answer<T>(&mut self, wanted: impl Fn(from_agent::Body) -> Option<T>) -> T {
        loop {
            match self.next().await.unwrap() {
                from_agent::Body::Event(event) => self.early.push_back(event),
                other => {
                    if let Some(answer) = wanted(other) {
                        return answer;
                    }
                }
            }
        }
    }

    /// Asks, and returns the reply.
    pub async fn ask(&mut self, ask: Ask) -> Reply {
        self.send(to_agent::Body::Request(heeler_proto::v1::Request {
            id: 1,
            ask: Some(ask),
        }))
        .await;
        let reply = self.answer(|body| match body {
            from_agent::Body::Reply(reply) => Some(reply),
            _ => None,
        });
        let reply = reply.await;
        assert_eq!((reply.id, reply.error.as_str()), (1, ""));
        reply
    }

    /// The next event; progress is skipped.
    pub async fn event(&mut self) -> Option<Event> {
        loop {
            let event = match self.early.pop_front() {
                Some(event) => event,
                None => match self.next().await? {
                    from_agent::Body::Event(event) => event,
                    _ => continue,
                },
            };
            if event.seq > 0 {
                return Some(event);
            }
        }
    }
}

fn server_tls(authority: &Authority, clients: bool) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap();
    let (certificate, key) = authority.server();
    let builder = if clients {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

async fn serve<S>(listener: TcpListener, tls: TlsAcceptor, service: S, connections: Arc<Mutex<Vec<AbortHandle>>>)
where
    S: Service<http::Request<hyper::body::Incoming>, Response = http::Response<tonic::body::Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let mut serving = JoinSet::new();
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        let (tls, service) = (tls.clone(), TowerToHyperService::new(service.clone()));
        let connection = serving.spawn(async move {
            if let Ok(stream) = tls.accept(tcp).await {
                let builder = http2::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            }
        });
        connections.lock().unwrap().push(connection);
    }
}

struct Sessions(mpsc::UnboundedSender<Session>);

#[tonic::async_trait]
impl Agent for Sessions {
    type SessionStream = ReceiverStream<Result<ToAgent, Status>>;

    async fn session(&self, request: Request<Streaming<FromAgent>>) -> Result<Response<Self::SessionStream>, Status> {
        let mut from = request.into_inner();
        let Some(from_agent::Body::Hello(hello)) = from.message().await?.and_then(|first| first.body) else {
            return Err(Status::invalid_argument("no hello"));
        };
        let (to, messages) = mpsc::channel(64);
        let _ = self.0.send(Session {
            hello,
            to,
            from,
            early: VecDeque::new(),
        });
        Ok(Response::new(ReceiverStream::new(messages)))
    }
}

struct Enrol {
    authority: Arc<Authority>,
    enrolled: Arc<Mutex<Vec<EnrolRequest>>>,
    judge: Arc<Mutex<Judge>>,
}

#[tonic::async_trait]
impl Enrolment for Enrol {
    async fn enrol(&self, request: Request<EnrolRequest>) -> Result<Response<EnrolReply>, Status> {
        let request = request.into_inner();
        self.enrolled.lock().unwrap().push(request.clone());
        (self.judge.lock().unwrap())(&request)?;
        let certificate_chain = self.authority.sign(&request.csr, 2050);
        Ok(Response::new(EnrolReply { certificate_chain }))
    }
}
