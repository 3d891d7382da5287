//! A session: one stream to the coordinator, from hello to its end.

mod answer;
mod outbox;

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::time::Duration;

use heeler_host::facts::Hardware;
use heeler_host::guard;
use heeler_proto::v1::agent_client::AgentClient;
use heeler_proto::v1::request::Ask;
use heeler_proto::v1::{
    Assignment, FromAgent, Goodbye, Hello, NetworkConfirmation, PendingNetwork, RenewReply, Request, ToAgent, Welcome,
    from_agent, to_agent,
};
use heeler_tasks::engine::in_full;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use self::answer::Answered;
pub use self::answer::Refused;
use self::outbox::Outbox;
use crate::connect::Link;
use crate::identity::{IdentityError, Validity};
use crate::shared::Shared;
use crate::trusted::TrustError;

/// How long the coordinator may take to open the stream and to send its welcome.
const OPENING: Duration = Duration::from_secs(20);

/// How many requests that examine the machine may run in parallel.
const LOOKS: usize = 8;

/// Messages between session and stream. Further ones wait in the outbox, which is bounded.
const ON_THE_WAY: usize = 2;

/// When a renewal is tried again after no answer or a refusal, and the least time between two.
const RENEW_AGAIN: Duration = Duration::from_secs(600);

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The coordinator refused, or the connection broke.
    #[error("the session is lost: {0}")]
    Lost(String),
    #[error("the coordinator did not open the session in {} s", OPENING.as_secs())]
    Silent,
    #[error("the coordinator did not start with a welcome: it has another version")]
    Unwelcome,
    #[error("the network was changed: a new session must show that the coordinator is still reached")]
    NetworkChanged,
    #[error("the coordinator ended the session: {0}")]
    Goodbye(String),
    #[error("the coordinator sends requests and does not read the answers: too many wait")]
    Unread,
    /// The key or certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// New statements of trust could not be stored; ending the session tells the coordinator so.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl From<Status> for SessionError {
    fn from(status: Status) -> Self {
        Self::Lost(status.message().to_owned())
    }
}

pub struct Session<'a> {
    shared: &'a Shared,
    outgoing: mpsc::Sender<FromAgent>,
    incoming: Streaming<ToAgent>,
    outbox: Outbox,
    looks: JoinSet<FromAgent>,
    renew_at: Instant,
    /// The coordinator's time at the welcome, and when that was: renewal goes by its clock, not the node's.
    welcome: (u64, Instant),
    network: watch::Receiver<bool>,
    /// Guard id of the network change that waits for confirmation over this session.
    pending: Option<String>,
}

impl<'a> Session<'a> {
    /// Sends the hello over `link` and waits for the welcome. Fails when it does not come, or not in time.
    pub async fn open(shared: &'a Shared, link: &Link, hardware: Hardware) -> Result<Self, SessionError> {
        let (outgoing, messages) = mpsc::channel(ON_THE_WAY);
        let mut network = shared.network.subscribe();
        let waits = *network.borrow_and_update();
        let pending = if waits {
            answer::pending(shared.host.as_ref()).await
        } else {
            None
        };
        let guard_id = pending.as_ref().map(|pending| pending.guard_id.clone());
        let hello = (hardware, pending);
        let opened = timeout(OPENING, open(shared, link, hello, &outgoing, messages)).await;
        let (welcome, incoming) = opened.map_err(|_| SessionError::Silent)??;
        if let Err(error) = shared.clock.learn(welcome.now_ms).await {
            tracing::warn!(%error, "could not store the coordinator's time");
        }
        let told_ms = shared.clock.judged(welcome.now_ms);
        acknowledged(shared, welcome.acknowledged).await;
        Ok(Self {
            shared,
            outgoing,
            incoming,
            outbox: Outbox::after(welcome.acknowledged),
            looks: JoinSet::new(),
            renew_at: Instant::now(),
            welcome: (told_ms, Instant::now()),
            network,
            pending: guard_id,
        })
    }

    /// Serves the coordinator until the session ends. `validity` is that of the certificate in use. Fails always, with
    /// the reason for the end.
    pub async fn serve(mut self, validity: Validity) -> Result<Infallible, SessionError> {
        self.renew_at = self.due(validity);
        let outgoing = self.outgoing.clone();
        let mut changes = self.shared.journal.changes();
        let mut progress = self.shared.progress.subscribe();
        let mut pools = self.shared.pools_changed.subscribe();
        loop {
            let waiting = self.outbox.waiting(&self.shared.journal.state());
            tokio::select! {
                received = self.incoming.message() => {
                    let _busy = self.shared.pulse.busy();
                    let received = received?.ok_or_else(|| SessionError::Lost("the coordinator closed it".to_owned()))?;
                    self.receive(received).await?;
                }
                permit = outgoing.reserve(), if waiting => {
                    let permit = permit.map_err(|_| SessionError::Lost("the coordinator stopped reading".to_owned()))?;
                    if let Some(next) = self.outbox.next(&self.shared.journal.state()) {
                        permit.send(next);
                    }
                }
                Some(answer) = self.looks.join_next() => self.looked(answer),
                // One message that is not read yet reports all changes after it.
                Ok(()) = pools.changed(), if !waiting => {
                    let changed = heeler_proto::v1::PoolsChanged {};
                    self.outbox.push(message(from_agent::Body::PoolsChanged(changed)));
                }
                // Neither fails: both senders live as long as the session.
                _ = changes.changed() => {}
                _ = progress.changed() => {
                    let latest = progress.borrow_and_update().clone();
                    self.outbox.progress(latest);
                }
                Ok(()) = self.network.changed() => {
                    if *self.network.borrow_and_update() {
                        return Err(SessionError::NetworkChanged);
                    }
                    self.pending = None;
                }
                () = sleep_until(self.renew_at) => self.renew()?,
            }
        }
    }

    async fn receive(&mut self, received: ToAgent) -> Result<(), SessionError> {
        self.outbox.room()?;
        match received.body {
            Some(to_agent::Body::Request(request)) => self.asked(request).await,
            Some(to_agent::Body::Assignment(assignment)) => self.assigned(assignment).await,
            Some(to_agent::Body::Ack(ack)) => acknowledged(self.shared, ack.seq).await,
            Some(to_agent::Body::Renew(reply)) => self.renewed(reply).await?,
            Some(to_agent::Body::Ping(ping)) => {
                let pong = heeler_proto::v1::Pong { nonce: ping.nonce };
                self.outbox.push(message(from_agent::Body::Pong(pong)));
            }
            Some(to_agent::Body::Trust(trust)) => self.learn_trust(trust).await?,
            Some(to_agent::Body::NetworkConfirmation(confirmation)) => self.network_confirmed(confirmation).await,
            Some(to_agent::Body::Goodbye(goodbye)) => return Err(SessionError::Goodbye(goodbye.reason)),
            // A later version's message: it knows our version from the hello.
            Some(to_agent::Body::Welcome(_)) | None => {}
        }
        Ok(())
    }

    async fn asked(&mut self, Request { id, ask }: Request) {
        let answered = match ask {
            Some(_) if self.looks.len() >= LOOKS => Err(answer::BUSY.to_owned().into()),
            Some(ask) => match self.look(ask).await {
                Ok(look) => {
                    self.looks.spawn(async move { answer::reply(id, look.await) });
                    return;
                }
                Err(why) => Err(why.into()),
            },
            None => Err(format!("agent {} does not know this request", crate::VERSION).into()),
        };
        self.outbox.push(answer::reply(id, answered));
    }

    /// The answer to a request, to be waited for beside others; or why the request is refused.
    async fn look(&self, ask: Ask) -> Result<Pin<Box<dyn Future<Output = Answered> + Send>>, String> {
        let shared = self.shared;
        let (host, schedule) = (shared.host.clone(), shared.schedule_state());
        let changes = shared.pools_changed.subscribe();
        Ok(match ask {
            Ask::Facts(request) => Box::pin(answer::facts(host, request, schedule, changes)),
            Ask::Preview(request) => {
                let interrupted = shared.journal.state().interrupted();
                Box::pin(answer::preview(host, request, interrupted, schedule, changes))
            }
            Ask::Snapshots(ask) => {
                shared.permit_ask(&ask).await?;
                Box::pin(answer::snapshots(host, shared.pool.clone(), ask, schedule))
            }
            Ask::Reach(request) => Box::pin(answer::reach(host, request)),
            Ask::Copy(chunk) => Box::pin(answer::copy(host, shared.copies.clone(), chunk)),
            Ask::Release(request) => Box::pin(answer::release(host, request, shared.leaving.clone())),
        })
    }

    /// Counts only over a session that was opened after the change.
    async fn network_confirmed(&self, confirmation: NetworkConfirmation) {
        if self.pending.as_ref() != Some(&confirmation.guard_id) {
            return;
        }
        let host = self.shared.host.as_ref();
        let written = if confirmation.confirmed {
            guard::confirm(host, &confirmation.guard_id).await.map(drop)
        } else {
            guard::doubt(host, &confirmation.reason).await
        };
        if let Err(error) = written {
            tracing::warn!("{}", in_full(&error));
        }
    }

    fn looked(&mut self, answer: Result<FromAgent, JoinError>) {
        match answer.map_err(JoinError::try_into_panic) {
            Ok(answer) => self.outbox.push(answer),
            Err(Ok(panic)) => resume_unwind(panic),
            Err(Err(_)) => {}
        }
    }

    async fn assigned(&mut self, assignment: Assignment) {
        let reply = self.shared.accept(assignment).await;
        self.outbox.push(message(from_agent::Body::Assignment(reply)));
    }

    /// New statements of trust arrived, or the certificate must be renewed because its authority will be dropped.
    async fn learn_trust(&mut self, trust: heeler_proto::v1::Trust) -> Result<(), SessionError> {
        let reply = self.shared.trusted.learn(trust.statements).await?;
        self.outbox.push(message(from_agent::Body::Trust(reply)));
        if trust.renew {
            self.renew()?;
        }
        Ok(())
    }

    fn renew(&mut self) -> Result<(), SessionError> {
        let csr = self.shared.identity.request(&self.shared.config.node)?;
        self.outbox
            .push(message(from_agent::Body::Renew(heeler_proto::v1::RenewRequest { csr })));
        self.renew_at = Instant::now() + RENEW_AGAIN;
        Ok(())
    }

    async fn renewed(&mut self, reply: RenewReply) -> Result<(), SessionError> {
        if !reply.error.is_empty() {
            tracing::warn!(reason = reply.error, "the coordinator did not renew the certificate");
            return Ok(());
        }
        match self
            .shared
            .identity
            .install(&reply.certificate_chain, &self.shared.trust)
            .await
        {
            Ok(certificate) => {
                tracing::info!("certificate renewed");
                self.renew_at = self.due(certificate.validity).max(Instant::now() + RENEW_AGAIN);
            }
            Err(error) => tracing::warn!("the renewed certificate cannot be used: {}", in_full(&error)),
        }
        Ok(())
    }

    /// When to renew, by the coordinator's clock: the node's own may be wrong by a year.
    fn due(&self, validity: Validity) -> Instant {
        let (told_ms, when) = self.welcome;
        when + Duration::from_millis(validity.renew_at_ms().saturating_sub(told_ms))
    }
}

async fn open(
    shared: &Shared,
    link: &Link,
    (hardware, pending_network): (Hardware, Option<PendingNetwork>),
    outgoing: &mpsc::Sender<FromAgent>,
    messages: mpsc::Receiver<FromAgent>,
) -> Result<(Welcome, Streaming<ToAgent>), SessionError> {
    let generation = shared
        .accepted
        .lock()
        .await
        .as_ref()
        .map(|accepted| accepted.generation);
    let hello = {
        let state = shared.journal.state();
        let in_hand = state.in_hand.as_ref().map(|known| known.task_id.to_string());
        Hello {
            node: shared.config.node.to_string(),
            agent_version: crate::VERSION.to_owned(),
            boot_id: hardware.boot_id,
            hardware_serial: hardware.serial,
            generation: Some(generation.unwrap_or_default().into()),
            task_id: in_hand.unwrap_or_default(),
            last_event: state.last_seq,
            pending_network,
            acknowledged: state.acknowledged,
            clock_ms: shared.host.now_ms(),
            trust: Some(shared.trusted.summary()),
        }
    };
    // Cannot fail: the channel is empty and has its receiver.
    let _ = outgoing.try_send(message(from_agent::Body::Hello(hello)));
    let mut client = AgentClient::with_origin(link.line(), link.origin());
    let mut incoming = client.session(ReceiverStream::new(messages)).await?.into_inner();
    match incoming.message().await?.and_then(|first| first.body) {
        Some(to_agent::Body::Welcome(welcome)) => Ok((welcome, incoming)),
        Some(to_agent::Body::Goodbye(Goodbye { reason })) => Err(SessionError::Goodbye(reason)),
        _ => Err(SessionError::Unwelcome),
    }
}

/// When this cannot be stored, the events are sent again later, and the coordinator stores them once.
async fn acknowledged(shared: &Shared, seq: u64) {
    if let Err(error) = shared.journal.acknowledge(seq).await {
        tracing::warn!("{}", in_full(&error));
    }
}

fn message(body: from_agent::Body) -> FromAgent {
    FromAgent { body: Some(body) }
}
