use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;
use tracing::{debug, warn};

use super::files::Files;
use super::keys::{NodeKeys, Place, Serves};
use crate::app::OperatorKeys;
use crate::pki::{OperatorPeer, Peer, identify, identify_operator};

/// Time limits of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the handshake.
    pub handshake: Duration,
    /// For a connection without a certificate, which anybody may open.
    pub anonymous: Duration,
    /// For a node's connection without a session; the hello alone has 10 s.
    pub unused: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            anonymous: Duration::from_secs(30),
            unused: Duration::from_secs(30),
        }
    }
}

/// Wait after a failed accept, which mostly means that no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(200);

/// Time to deliver the answer to an operator who revoked their own key.
const LAST_WORD: Duration = Duration::from_secs(2);

/// A connection after its handshake.
pub struct Connection {
    // Boxed, because it is moved through several futures, each with room for it.
    stream: Box<TlsStream<TcpStream>>,
    caller: Caller,
    ends: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Nothing more is read from it.
    deaf: bool,
    _place: OwnedSemaphorePermit,
}

/// Who may connect to a listener.
#[derive(Debug, Clone)]
pub enum Allowed {
    /// Nodes, while their key is admitted.
    Agents(NodeKeys),
    /// Operators, while their key is not revoked.
    Operators(OperatorKeys),
    Anyone,
}

/// The other side of a connection; handlers find it in a request's extensions.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The node; only on the agents' listener.
    pub peer: Option<Peer>,
    /// The operator; only on the remote operators' listener.
    pub operator: Option<OperatorPeer>,
    /// Remote IP address; None when it is not known.
    pub address: Option<IpAddr>,
    /// Whether the connection ends after the next answer.
    pub last_word: Arc<AtomicBool>,
    /// The connection's entry in [`NodeKeys`]; only on the agents' listener.
    pub place: Arc<Place>,
}

impl Caller {
    /// Marks the connection as used by a session until the result is dropped.
    pub fn serves(&self) -> Serves {
        self.place.serves()
    }

    /// Marks that the current call ends the caller's own connection. The answer is still delivered, but nothing more
    /// is read.
    pub fn ends_with_an_answer(&self, so: bool) {
        self.last_word.store(so, Ordering::Relaxed);
    }
}

/// Accepts connections until the stream is dropped. Slow handshakes delay others by at most [`ITS_TURN`] for each
/// listener full of them.
pub fn accept(
    listener: TcpListener,
    config: ServerConfig,
    allowed: Allowed,
    patience: Patience,
) -> ReceiverStream<io::Result<Connection>> {
    let (ready, connections) = mpsc::channel(16);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(run(listener, acceptor, (allowed, patience), ready));
    ReceiverStream::new(connections)
}

async fn run(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    (allowed, patience): (Allowed, Patience),
    ready: mpsc::Sender<io::Result<Connection>>,
) {
    let files = Files::of_this_process();
    let (mut handshakes, anonymous) = (
        Handshakes::of(files.handshakes),
        Arc::new(AnonymousConnections::of(files.anonymous)),
    );
    let most = match allowed {
        Allowed::Agents(_) => files.agents,
        Allowed::Operators(_) => files.operators,
        Allowed::Anyone => files.anonymous,
    };
    // A connection keeps its place from the handshake on, so handshakes need places too.
    let places = Arc::new(Semaphore::new(most.saturating_add(files.handshakes)));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let room = handshakes.room().await;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ready.closed() => return,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "could not accept a connection");
                sleep(PAUSE).await;
                continue;
            }
        };
        let (acceptor, ready, allowed, anonymous) =
            (acceptor.clone(), ready.clone(), allowed.clone(), anonymous.clone());
        let replaced = handshakes.begin();
        tokio::spawn(async move {
            let _room = room;
            let hands = shake_hands(&acceptor, stream, address.ip(), &allowed);
            let hands = tokio::select! {
                hands = timeout(patience.handshake, hands) => hands,
                () = replaced.notified() => return,
            };
            match hands.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok((stream, caller)) => {
                    let connection = Connection {
                        stream: Box::new(stream),
                        ends: allowed.end(&caller, &anonymous, patience),
                        deaf: false,
                        caller,
                        _place: place,
                    };
                    ready.send(Ok(connection)).await.ok();
                }
                Err(error) => debug!(%address, %error, "a handshake failed"),
            }
        });
    }
}

/// A handshake runs for at least this long before another one may take its place. In the meantime callers wait in the
/// kernel's queue: when a whole fleet reconnects, no handshake is done twice.
const ITS_TURN: Duration = Duration::from_millis(500);

/// The open handshakes of a listener, oldest first.
struct Handshakes {
    free: Arc<Semaphore>,
    begun: VecDeque<(Instant, Weak<Notify>)>,
}

impl Handshakes {
    fn of(most: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(most)),
            begun: VecDeque::new(),
        }
    }

    /// Waits for room for one more. When none gets free, the oldest handshake ends after its turn.
    async fn room(&mut self) -> Option<OwnedSemaphorePermit> {
        loop {
            while self
                .begun
                .pop_front_if(|(_, oldest)| oldest.strong_count() == 0)
                .is_some()
            {}
            let free = self.free.clone().acquire_owned();
            let until = self.begun.front().map_or_else(Instant::now, |(began, _)| *began) + ITS_TURN;
            match timeout_at(until, free).await {
                Ok(room) => return room.ok(),
                Err(_) => {
                    let oldest = self.begun.pop_front().and_then(|(_, oldest)| oldest.upgrade());
                    oldest.iter().for_each(|oldest| oldest.notify_one());
                }
            }
        }
    }

    /// Notified when the new handshake must end. It counts as open until the result is dropped.
    fn begin(&mut self) -> Arc<Notify> {
        let replaced = Arc::default();
        self.begun.push_back((Instant::now(), Arc::downgrade(&replaced)));
        replaced
    }
}

/// Open connections without a certificate, oldest first.
struct AnonymousConnections {
    most: usize,
    open: Mutex<VecDeque<Weak<Notify>>>,
}

impl AnonymousConnections {
    fn of(most: usize) -> Self {
        let open = Mutex::default();
        Self { most, open }
    }

    /// Adds a connection; when there are too many, the oldest ends. Returns when this one must end.
    async fn hold(self: Arc<Self>, own: Arc<Notify>) {
        let must_go = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.retain(|one| one.strong_count() > 0);
            open.push_back(Arc::downgrade(&own));
            (open.len() > self.most).then(|| open.pop_front()).flatten()
        };
        if let Some(oldest) = must_go.and_then(|oldest| oldest.upgrade()) {
            oldest.notify_one();
        }
        own.notified().await;
    }
}

async fn shake_hands(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    address: IpAddr,
    allowed: &Allowed,
) -> io::Result<(TlsStream<TcpStream>, Caller)> {
    stream.set_nodelay(true)?;
    notice_silence(&stream)?;
    let stream = acceptor.accept(stream).await?;
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let caller = Caller {
        address: Some(address),
        ..allowed.know(certificate.map(AsRef::as_ref))?
    };
    Ok((stream, caller))
}

impl Allowed {
    /// The caller with that certificate. Fails when they may not connect here.
    pub(super) fn know(&self, certificate: Option<&[u8]>) -> io::Result<Caller> {
        let certificate = certificate.unwrap_or_default();
        Ok(match self {
            Self::Agents(keys) => {
                let peer = identify(certificate).map_err(io::Error::other)?;
                if !keys.admits(&peer) {
                    return Err(io::Error::other("the node is revoked, or was never enrolled"));
                }
                Caller {
                    peer: Some(peer),
                    ..Caller::default()
                }
            }
            Self::Operators(keys) => {
                let operator = identify_operator(certificate).map_err(io::Error::other)?;
                if keys.name_of(&operator.key_sha256).as_deref() != Some(operator.name.as_str()) {
                    return Err(io::Error::other("the operator is revoked, or was never added"));
                }
                Caller {
                    operator: Some(operator),
                    ..Caller::default()
                }
            }
            Self::Anyone => Caller::default(),
        })
    }

    /// A future that completes when the connection must end.
    fn end(
        &self,
        caller: &Caller,
        anonymous: &Arc<AnonymousConnections>,
        patience: Patience,
    ) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        match (self, &caller.operator, &caller.peer) {
            (Self::Agents(keys), _, Some(peer)) => Some(Box::pin(keys.clone().stay(
                peer.clone(),
                caller.place.clone(),
                patience.unused,
            ))),
            (Self::Operators(keys), Some(operator), _) => Some(Box::pin(keys.clone().gone(operator.key_sha256))),
            (Self::Anyone, ..) => {
                let hold = anonymous.clone().hold(Arc::default());
                Some(Box::pin(async move { drop(timeout(patience.anonymous, hold).await) }))
            }
            _ => None,
        }
    }
}

/// Silence after which the kernel sends a keepalive probe (tcp(7)).
const SILENT: Duration = Duration::from_secs(3);
/// Time between two probes.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// Unanswered probes after which the connection counts as dead.
const ASK: u32 = 3;
/// Time until a dead machine is noticed.
pub const NOTICED: Duration = Duration::from_secs(SILENT.as_secs() + ASK as u64 * ASK_EVERY.as_secs());

/// Lets the kernel probe, so that an idle agent's process need not wake up.
fn notice_silence(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let ask = TcpKeepalive::new().with_time(SILENT).with_interval(ASK_EVERY);
    socket.set_tcp_keepalive(&ask.with_retries(ASK))?;
    // The kernel sends no keepalive probes while sent data is unacknowledged; this timeout covers that case (tcp(7)).
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(NOTICED))?;
    Ok(())
}

impl Connected for Connection {
    type ConnectInfo = Caller;
    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while let Some(ends) = &mut self.ends {
            match ends.as_mut().poll(cx) {
                Poll::Pending if self.deaf => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(()) if self.deaf || !self.caller.last_word.load(Ordering::Relaxed) => {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
                }
                Poll::Ready(()) => {
                    self.deaf = true;
                    self.ends = Some(Box::pin(sleep(LAST_WORD)));
                }
            }
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_handshake_gives_way_after_its_turn() {
        let (mut handshakes, began) = (Handshakes::of(1), Instant::now());
        let (room, replaced) = (handshakes.room().await, handshakes.begin());
        let gives_way = tokio::spawn(async move {
            replaced.notified().await;
            drop(room);
            began.elapsed()
        });
        let next = handshakes.room().await;
        assert_eq!(gives_way.await.unwrap(), ITS_TURN);
        // One that ends makes room at once.
        let ends = handshakes.begin();
        drop((next, ends));
        assert!(handshakes.room().await.is_some());
        assert_eq!(began.elapsed(), ITS_TURN);
    }
}
