//! Builds and runs the coordinator.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use heeler_os::Notify;
use heeler_store::{Store, StoreError};
use tokio::net::{TcpListener, TcpSocket, UnixListener};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_stream::wrappers::UnixListenerStream;
use tracing::{error, info};

use crate::app::{App, AppError, Reach};
use crate::clock::Clock;
use crate::grpc;
use crate::pki::{PkiError, ServerIdentity};
use crate::session_thread::SessionThread;
use crate::state::{Lock, LockError, Lost, StateFolder};
use crate::tls::{self, Allowed, Certificate, Patience, TlsError};

/// How often the coordinator's own certificate is checked.
const CERTIFICATE: Duration = Duration::from_secs(12 * 60 * 60);
/// Longest time between two messages to the service manager.
const TOLD: Duration = Duration::from_secs(30);
/// After this silence an agent is pinged over HTTP/2, and has 10 s to answer. This finds a hung program; the kernel
/// finds a dead machine sooner.
const ASKS_EVERY: Duration = Duration::from_secs(60);
/// Callers that the kernel lets wait at a listener.
const QUEUE: u32 = 4_096;
/// How long open calls may continue after the shutdown began.
const GRACE: Duration = Duration::from_secs(2);

/// Options of `heeler serve`.
pub struct ServeOptions {
    /// The state folder, made by `heeler init`.
    pub state: StateFolder,
    /// Listening address for agents; port 0: any free port.
    pub agents: SocketAddr,
    /// Listening address for enrolment; port 0: any free port.
    pub enrolment: SocketAddr,
    /// Listening address for operators on other machines; None: no remote access.
    pub operators: Option<SocketAddr>,
    /// HOST:PORT that nodes are told to dial; empty: the address of `agents`.
    pub addresses: Vec<String>,
    /// Size of the database, in bytes, above which the oldest events are deleted. It never grows beyond twice that.
    pub history_bytes: u64,
}

/// Why the coordinator did not start or stopped.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("{} holds no coordinator. Make one: heeler init", .0.display())]
    NotInitialised(PathBuf),
    /// Part of the state is missing.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// Another coordinator uses the state folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("could not use the coordinator's keys")]
    Pki(#[from] PkiError),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The coordinator's state could not be loaded.
    #[error(transparent)]
    App(#[from] AppError),
    #[error("could not listen on {at}. Does something else use it?")]
    Listen { at: String, source: io::Error },
    #[error("could not start a thread")]
    Thread(#[source] io::Error),
    #[error("a listener failed")]
    Transport(#[from] tonic::transport::Error),
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A coordinator with bound sockets. Callers wait in the kernel's queue until it runs.
pub struct Coordinator {
    app: Arc<App>,
    state: StateFolder,
    certificate: Arc<Certificate>,
    clock: Arc<dyn Clock>,
    agents: TcpListener,
    enrolment: TcpListener,
    operators: UnixListener,
    remote: Option<TcpListener>,
    agents_address: SocketAddr,
    enrolment_address: SocketAddr,
    notify: Notify,
    asks_every: Duration,
    patience: Patience,
    remote_address: Option<SocketAddr>,
    _lock: Lock,
}

impl Coordinator {
    /// Locks the state folder, opens the database and binds every socket. Fails when another coordinator has the
    /// folder, part of the state is missing, the database is damaged, or an address is in use.
    pub fn bind(options: ServeOptions, clock: Arc<dyn Clock>) -> Boxed<'static, Result<Self, ServeError>> {
        Box::pin(Self::bound(options, clock))
    }

    async fn bound(options: ServeOptions, clock: Arc<dyn Clock>) -> Result<Self, ServeError> {
        let state = options.state;
        if !state.holds()? {
            return Err(ServeError::NotInitialised(state.path().to_owned()));
        }
        let lock = state.lock()?;
        if let Err(error) = crate::backup::sweep(&state) {
            tracing::warn!(%error, "could not remove the remains of an interrupted backup from the state folder");
        }
        let most = options.history_bytes.saturating_mul(2);
        let store = Store::open_within(&state.database(), Some(most)).await?;
        let (agents, agents_address) = listen(options.agents).await?;
        let (enrolment, enrolment_address) = listen(options.enrolment).await?;
        let operators_socket = listen_operators(&state)?;
        let (remote, remote_address) = match options.operators {
            Some(at) => listen(at).await.map(|(listener, at)| (Some(listener), Some(at)))?,
            None => (None, None),
        };
        let mut addresses = options.addresses;
        if addresses.is_empty() {
            addresses.push(agents_address.to_string());
        }
        let hosts = addresses.iter().filter_map(|address| address.rsplit_once(':'));
        let operators = remote_address.map(|at| hosts.map(|(host, _)| format!("{host}:{}", at.port())).collect());
        let reach = Reach {
            operators: operators.unwrap_or_default(),
            enrolment_port: enrolment_address.port(),
            addresses,
        };
        let app = Arc::new(
            App::new(store, clock.clone(), state.clone(), reach)
                .await?
                .bounded(options.history_bytes),
        );
        let ca = &app.authorities().now().ca;
        let identity = ServerIdentity::load_or_renew(ca, &state.server(), clock.now_ms())?;
        let certificate = Arc::new(Certificate::new(identity)?);
        Ok(Self {
            app,
            state,
            certificate,
            clock,
            agents,
            enrolment,
            operators: operators_socket,
            remote,
            agents_address,
            enrolment_address,
            notify: Notify::default(),
            asks_every: ASKS_EVERY,
            patience: Patience::default(),
            remote_address,
            _lock: lock,
        })
    }

    /// Reports start, status and liveness to the service manager.
    #[must_use]
    pub fn notifying(self, notify: Notify) -> Self {
        Self { notify, ..self }
    }

    /// Pings silent agents after this time instead of every minute.
    #[must_use]
    pub fn asking_every(self, asks_every: Duration) -> Self {
        Self { asks_every, ..self }
    }

    /// Uses these time limits for new connections.
    #[must_use]
    pub fn waiting(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The bound address for agents.
    pub fn agents_address(&self) -> SocketAddr {
        self.agents_address
    }

    /// The bound address for enrolment.
    pub fn enrolment_address(&self) -> SocketAddr {
        self.enrolment_address
    }

    /// The bound address for operators on other machines.
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.remote_address
    }

    /// Serves until `shutdown`. Agents reconnect to the next coordinator by themselves. Fails when a listener fails.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
        self.boxed(Box::pin(shutdown)).await
    }

    /// Boxed, so that the server is compiled in this crate alone, and not in each program that awaits one.
    fn boxed<'a>(self, shutdown: Boxed<'a, ()>) -> Boxed<'a, Result<(), ServeError>> {
        Box::pin(self.serve(shutdown))
    }

    async fn serve(self, shutdown: Boxed<'_, ()>) -> Result<(), ServeError> {
        let (stop, stopped) = watch::channel(false);
        let until = || {
            let mut stopped = stopped.clone();
            async move { drop(stopped.wait_for(|stopped| *stopped).await) }
        };
        let clients =
            |allowed: &Allowed| tls::for_clients(self.app.authorities(), &self.certificate, &self.clock, allowed);
        let nodes = Allowed::Agents(self.app.node_keys());
        let sessions = SessionThread::start().map_err(ServeError::Thread)?;
        let agents = grpc::serve_agents(
            (self.app.clone(), sessions.handle()),
            tls::accept(self.agents, clients(&nodes)?, nodes, self.patience),
            self.asks_every,
            until(),
        );
        let enrolment = tls::for_enrolment(self.certificate.clone(), self.clock.clone())?;
        let enrolment = grpc::serve_enrolment(
            self.app.clone(),
            tls::accept(self.enrolment, enrolment, Allowed::Anyone, self.patience),
            self.asks_every,
            until(),
        );
        let operators = grpc::serve_operators(self.app.clone(), UnixListenerStream::new(self.operators), until());
        let allowed = Allowed::Operators(self.app.operator_keys());
        let operator_clients = clients(&allowed)?;
        let remote = async {
            let Some(listener) = self.remote else { return Ok(()) };
            let incoming = tls::accept(listener, operator_clients, allowed, self.patience);
            grpc::serve_remote(self.app.clone(), incoming, self.asks_every, until()).await
        };
        let renewed = keep_certificate(&self.app, &self.certificate, &self.state, &self.clock);
        info!(agents = %self.agents_address, enrolment = %self.enrolment_address, "serving");

        let serving = async { tokio::try_join!(agents, enrolment, operators, remote).map(drop) };
        tokio::pin!(serving);
        let ended = tokio::select! {
            ended = &mut serving => Some(ended),
            () = self.app.drive(until()) => None,
            () = renewed => None,
            () = self.app.keep_copies() => None,
            () = self.app.keep_history() => None,
            () = tell(&self.app, &self.notify) => None,
            () = shutdown => None,
        };
        self.notify.stopping();
        stop.send(true).ok();
        self.app.part().await?;
        match ended {
            Some(ended) => ended?,
            None => tokio::select! {
                ended = serving => ended?,
                () = sleep(GRACE) => {}
            },
        }
        std::fs::remove_file(self.state.socket()).ok();
        self.app.close().await;
        Ok(())
    }
}

/// Raises the limit of open files to the hard limit: each agent is one open file.
pub fn raise_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    // If that fails, agents beyond the limit wait until others disconnect.
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        setrlimit(Resource::RLIMIT_NOFILE, most, most).ok();
    }
}

/// Binds and runs in one call. Fails as [`Coordinator::bind`] and [`Coordinator::run`].
pub async fn serve(
    options: ServeOptions,
    clock: Arc<dyn Clock>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    Coordinator::bind(options, clock).await?.run(shutdown).await
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |source| ServeError::Listen {
        at: address.to_string(),
        source,
    };
    let listener = queueing(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// A listener with the longest queue that the kernel allows by itself (`net.core.somaxconn`). A whole fleet that reconnects fits in:
/// a SYN that finds the queue full is sent again only after 1 s, 3 s, 7 s (tcp(7)).
fn queueing(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // As `TcpListener::bind` does: the address may be in TIME_WAIT from the last run.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// We hold the lock, so an existing socket belongs to a dead process.
fn listen_operators(state: &StateFolder) -> Result<UnixListener, ServeError> {
    let path = state.socket();
    let failed = |source| ServeError::Listen {
        at: path.display().to_string(),
        source,
    };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Resets the watchdog only when the database answers.
async fn tell(app: &App, notify: &Notify) {
    notify.ready();
    if !notify.has_receiver() {
        return std::future::pending().await;
    }
    loop {
        match app.connected_summary().await {
            Ok(line) => {
                notify.status(&line);
                notify.alive();
            }
            Err(error) => error!(error = &error as &dyn std::error::Error, "the database does not answer"),
        }
        sleep(notify.watchdog().unwrap_or(TOLD).min(TOLD)).await;
    }
}

async fn keep_certificate(app: &App, certificate: &Certificate, state: &StateFolder, clock: &Arc<dyn Clock>) {
    loop {
        tokio::select! {
            () = sleep(CERTIFICATE) => {}
            () = app.server_must_renew() => {}
        }
        let ca = &app.authorities().now().ca;
        let renewed = ServerIdentity::load_or_renew(ca, &state.server(), clock.now_ms()).map_err(|e| e.to_string());
        if let Err(error) = renewed.and_then(|identity| certificate.replace(identity).map_err(|e| e.to_string())) {
            error!(error, "the coordinator's certificate could not be renewed");
        }
    }
}
