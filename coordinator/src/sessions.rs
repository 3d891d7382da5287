//! The open sessions of agents.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heeler_proto::{NodeName, TaskId, v1};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

use crate::pending::{PeerAnswer, PeerCheck, Pending};

use v1::to_agent::Body;

/// An agent that answers a ping within this time is alive.
pub const PING: Duration = Duration::from_secs(5);
/// Messages queued for a slow agent; one more ends its session.
pub const OUTBOX: usize = 256;

/// An open session of an agent.
#[derive(Debug)]
pub struct Session {
    /// Number, from 1, unique while the process runs.
    pub id: u64,
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: NodeName,
    /// SHA-256 of the key of its certificate.
    pub key_sha256: [u8; 32],
    /// Serial number of the node's board; empty when it has none.
    pub hardware_serial: String,
    out: Mutex<Option<mpsc::Sender<v1::ToAgent>>>,
    pending: Mutex<Option<Pending>>,
    awaited: Mutex<Awaited>,
    welcomed: AtomicBool,
    closed: Notify,
}

#[derive(Debug, Default)]
struct Awaited {
    previews: HashMap<String, oneshot::Sender<v1::PreviewReply>>,
    facts: HashMap<String, oneshot::Sender<v1::FactsReply>>,
    copies: HashMap<String, oneshot::Sender<v1::CopyReply>>,
    snapshots: HashMap<String, oneshot::Sender<v1::SnapshotAnswer>>,
    last_facts: u64,
    asked: VecDeque<Question>,
    told_trust: u32,
    refused: HashSet<&'static str>,
    pools: Option<AskedPools>,
    pings: HashMap<u64, oneshot::Sender<()>>,
    last_ping: u64,
    handed_out: HashSet<TaskId>,
    facts_asked_at_ms: u64,
    releases: HashMap<String, oneshot::Sender<v1::ReleaseReply>>,
    compared_at_ms: u64,
    since_ms: u64,
}

/// A question to the agent, by its id; one answer is accepted.
#[derive(Debug, PartialEq, Eq)]
enum Question {
    Facts(String),
    Preview(String),
}

/// Most open questions; one more replaces the oldest.
const QUESTIONS: usize = 64;

impl Awaited {
    fn ask(&mut self, question: Question) {
        if self.asked.len() >= QUESTIONS {
            self.asked.pop_front();
        }
        self.asked.push_back(question);
    }

    fn takes(&mut self, question: &Question) -> bool {
        let place = self.asked.iter().position(|asked| asked == question);
        place.and_then(|place| self.asked.remove(place)).is_some()
    }
}

/// An open question about the node's pools.
#[derive(Debug)]
struct AskedPools {
    request_id: String,
    /// Whether the pools have changed since.
    again: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    /// A session whose messages go to `out`.
    #[must_use]
    pub fn new(
        id: u64,
        (node, key_sha256): (NodeName, [u8; 32]),
        hardware_serial: String,
        out: mpsc::Sender<v1::ToAgent>,
        pending: Option<Pending>,
    ) -> Self {
        Self {
            id,
            node,
            key_sha256,
            hardware_serial,
            out: Mutex::new(Some(out)),
            pending: Mutex::new(pending),
            awaited: Mutex::default(),
            welcomed: AtomicBool::new(false),
            closed: Notify::new(),
        }
    }

    /// Queues a message. False when the session has ended; a full queue ends it, and the agent reconnects.
    pub fn send(&self, body: Body) -> bool {
        let mut out = lock(&self.out);
        let sent = out
            .as_ref()
            .is_some_and(|out| out.try_send(v1::ToAgent { body: Some(body) }).is_ok());
        if !sent && out.take().is_some() {
            self.closed.notify_one();
        }
        sent
    }

    /// Sends the welcome and allows other messages. Until then the session is reserved but not visible.
    pub fn welcome(&self, welcome: v1::Welcome) {
        lock(&self.awaited).since_ms = welcome.now_ms;
        self.send(Body::Welcome(welcome));
        self.welcomed.store(true, Ordering::Release);
    }

    /// Sends the reason to the agent and ends the session.
    pub fn close(&self, reason: &str) {
        self.send(Body::Goodbye(v1::Goodbye {
            reason: reason.to_owned(),
        }));
        lock(&self.out).take();
        self.closed.notify_one();
    }

    /// Waits until the coordinator has ended the session.
    pub async fn closed(&self) {
        self.closed.notified().await;
    }

    /// Whether the agent answers within [`PING`].
    pub async fn is_alive(&self) -> bool {
        let (done, answer) = oneshot::channel();
        let nonce = {
            let mut awaited = lock(&self.awaited);
            awaited.pings.retain(|_, waiter| !waiter.is_closed());
            awaited.last_ping += 1;
            let nonce = awaited.last_ping;
            awaited.pings.insert(nonce, done);
            nonce
        };
        self.send(Body::Ping(v1::Ping { nonce })) && matches!(timeout(PING, answer).await, Ok(Ok(())))
    }

    /// Handles the answer to a ping.
    pub fn ponged(&self, nonce: u64) {
        if let Some(done) = lock(&self.awaited).pings.remove(&nonce) {
            done.send(()).ok();
        }
    }

    /// Asks for a preview. The receiver fails when the session ends first.
    pub fn ask_preview(&self, request_id: String, tasks: Vec<v1::Task>) -> oneshot::Receiver<v1::PreviewReply> {
        let (done, answer) = oneshot::channel();
        let mut awaited = lock(&self.awaited);
        awaited.previews.retain(|_, waiter| !waiter.is_closed());
        awaited.previews.insert(request_id.clone(), done);
        awaited.ask(Question::Preview(request_id.clone()));
        drop(awaited);
        self.send(Body::Preview(v1::PreviewRequest { request_id, tasks }));
        answer
    }

    /// Passes a preview on to the caller that asked.
    pub fn previewed(&self, reply: v1::PreviewReply) {
        if let Some(done) = lock(&self.awaited).previews.remove(&reply.request_id) {
            done.send(reply).ok();
        }
    }

    /// Asks for facts. The receiver fails when the session ends first.
    pub fn ask_facts(&self, now_ms: u64) -> oneshot::Receiver<v1::FactsReply> {
        let (done, answer) = oneshot::channel();
        let mut awaited = lock(&self.awaited);
        awaited.facts.retain(|_, waiter| !waiter.is_closed());
        awaited.last_facts += 1;
        awaited.facts_asked_at_ms = now_ms;
        let request_id = awaited.last_facts.to_string();
        awaited.facts.insert(request_id.clone(), done);
        awaited.ask(Question::Facts(request_id.clone()));
        drop(awaited);
        self.send(Body::Facts(v1::FactsRequest {
            request_id,
            pools_only: false,
        }));
        answer
    }

    /// Asks for the pools after a change. Only one question is open at a time, however often the agent reports a
    /// change.
    pub fn ask_pools(&self) {
        let mut awaited = lock(&self.awaited);
        if let Some(asked) = &mut awaited.pools {
            asked.again = true;
            return;
        }
        awaited.last_facts += 1;
        let request_id = awaited.last_facts.to_string();
        awaited.pools = Some(AskedPools {
            request_id: request_id.clone(),
            again: false,
        });
        drop(awaited);
        self.send(Body::Facts(v1::FactsRequest {
            request_id,
            pools_only: true,
        }));
    }

    /// Whether `request_id` is the open question about the pools.
    #[must_use]
    pub fn asked_pools(&self, request_id: &str) -> bool {
        let awaited = lock(&self.awaited);
        awaited
            .pools
            .as_ref()
            .is_some_and(|asked| asked.request_id == request_id)
    }

    /// Closes the question about the pools; asks again when they have changed since.
    pub fn end_pools_question(&self) {
        let asked = lock(&self.awaited).pools.take();
        if asked.is_some_and(|asked| asked.again) {
            self.ask_pools();
        }
    }

    /// Asks about snapshots, or for a change of one. The receiver fails when the session ends first.
    pub fn ask_snapshots(&self, ask: v1::SnapshotAsk) -> oneshot::Receiver<v1::SnapshotAnswer> {
        let (done, answer) = oneshot::channel();
        let mut awaited = lock(&self.awaited);
        awaited.snapshots.retain(|_, waiter| !waiter.is_closed());
        awaited.snapshots.insert(ask.request_id.clone(), done);
        drop(awaited);
        self.send(Body::Snapshots(ask));
        answer
    }

    /// Passes an answer about snapshots on to the caller that asked.
    pub fn pass_snapshot_answer(&self, answer: v1::SnapshotAnswer) {
        if let Some(done) = lock(&self.awaited).snapshots.remove(&answer.request_id) {
            done.send(answer).ok();
        }
    }

    /// When facts were last asked for, Unix milliseconds; 0: never.
    #[must_use]
    pub fn facts_asked_at_ms(&self) -> u64 {
        lock(&self.awaited).facts_asked_at_ms
    }

    /// When the session began, and when it was last asked for a comparison, both Unix milliseconds; 0: never.
    #[must_use]
    pub fn compared_ms(&self) -> (u64, u64) {
        let awaited = lock(&self.awaited);
        (awaited.since_ms, awaited.compared_at_ms)
    }

    /// Asks for a comparison with the accepted revision; `question` is None when the revision wants nothing of the
    /// node.
    pub fn compare(&self, question: Option<Body>, now_ms: u64) {
        let mut awaited = lock(&self.awaited);
        awaited.compared_at_ms = now_ms;
        if let Some(Body::Preview(request)) = &question {
            awaited.ask(Question::Preview(request.request_id.clone()));
        }
        drop(awaited);
        if let Some(question) = question {
            self.send(question);
        }
    }

    /// Whether facts with this id were asked for. True once only.
    #[must_use]
    pub fn takes_facts(&self, request_id: &str) -> bool {
        lock(&self.awaited).takes(&Question::Facts(request_id.to_owned()))
    }

    /// Whether a preview with this id was asked for. True once only.
    #[must_use]
    pub fn takes_preview(&self, request_id: &str) -> bool {
        lock(&self.awaited).takes(&Question::Preview(request_id.to_owned()))
    }

    /// Sends the statements that the node lacks, and whether to renew its certificate.
    pub fn tell_trust(&self, trust: v1::Trust) {
        let mut awaited = lock(&self.awaited);
        awaited.told_trust = awaited.told_trust.saturating_add(1);
        drop(awaited);
        self.send(Body::Trust(trust));
    }

    /// Whether an answer to [`Self::tell_trust`] is expected. True once for each call of it.
    #[must_use]
    pub fn takes_trust(&self) -> bool {
        let mut awaited = lock(&self.awaited);
        let waits = awaited.told_trust > 0;
        awaited.told_trust = awaited.told_trust.saturating_sub(1);
        waits
    }

    /// Whether this is the first message of the session whose `field` was beyond its bound.
    #[must_use]
    pub fn refuses(&self, field: &'static str) -> bool {
        lock(&self.awaited).refused.insert(field)
    }

    /// Asks what a release would stop or, with `go`, for the release. The receiver fails when the session ends first.
    pub fn ask_release(&self, request_id: String, go: bool) -> oneshot::Receiver<v1::ReleaseReply> {
        let (done, answer) = oneshot::channel();
        let mut awaited = lock(&self.awaited);
        awaited.releases.retain(|_, waiter| !waiter.is_closed());
        awaited.releases.insert(request_id.clone(), done);
        drop(awaited);
        self.send(Body::Release(v1::ReleaseRequest { request_id, go }));
        answer
    }

    /// Passes the answer to a release on to the caller that asked.
    pub fn releases(&self, reply: v1::ReleaseReply) {
        if let Some(done) = lock(&self.awaited).releases.remove(&reply.request_id) {
            done.send(reply).ok();
        }
    }

    /// Passes facts, or the reason why there are none, on to the caller that asked.
    pub fn looked(&self, reply: v1::FactsReply) {
        if let Some(done) = lock(&self.awaited).facts.remove(&reply.request_id) {
            done.send(reply).ok();
        }
    }

    /// Sends a chunk of a copy. The receiver fails when the session ends first.
    pub fn ask_copy(&self, chunk: v1::CopyChunk) -> oneshot::Receiver<v1::CopyReply> {
        let (done, answer) = oneshot::channel();
        lock(&self.awaited).copies.insert(chunk.name.clone(), done);
        self.send(Body::Copy(chunk));
        answer
    }

    /// Passes the answer to a chunk on to the caller that sent it.
    pub fn copied(&self, reply: v1::CopyReply) {
        if let Some(done) = lock(&self.awaited).copies.remove(&reply.name) {
            done.send(reply).ok();
        }
    }

    /// The network change that waited for confirmation when the session opened.
    #[must_use]
    pub fn pending(&self) -> Option<Pending> {
        lock(&self.pending).clone()
    }

    /// Forgets the network change, because it has ended.
    pub fn forget_pending(&self) {
        lock(&self.pending).take();
    }

    /// Notes that a peer is asked about the network change. Returns its guard id and address.
    pub fn asked(&self, peer: &NodeName, now_ms: u64) -> Option<(String, String)> {
        let mut pending = lock(&self.pending);
        let pending = pending.as_mut()?;
        let check = PeerCheck {
            asked_at_ms: now_ms,
            answer: None,
        };
        pending.checks.insert(peer.clone(), check);
        Some((pending.guard_id.clone(), pending.address.clone()))
    }

    /// Stores a peer's answer.
    pub fn take_answer(&self, guard_id: &str, peer: &NodeName, answer: PeerAnswer) {
        let mut pending = lock(&self.pending);
        let check = pending
            .as_mut()
            .filter(|pending| pending.guard_id == guard_id)
            .and_then(|pending| pending.checks.get_mut(peer));
        if let Some(check) = check {
            check.answer = Some(answer);
        }
    }

    /// Stores the verdict on the network change and returns its guard id; an empty reason confirms it.
    pub fn judge(&self, reason: &str) -> Option<String> {
        let mut pending = lock(&self.pending);
        let pending = pending.as_mut()?;
        reason.clone_into(&mut pending.verdict);
        pending.confirmed = reason.is_empty();
        Some(pending.guard_id.clone())
    }

    /// Whether the task was handed out over this session.
    #[must_use]
    pub fn has_task(&self, task: &TaskId) -> bool {
        lock(&self.awaited).handed_out.contains(task)
    }

    /// The same for an unchecked id.
    #[must_use]
    pub fn was_handed(&self, task: &str) -> bool {
        TaskId::new(task).is_ok_and(|task| self.has_task(&task))
    }

    /// Hands out a task, once in this session.
    pub fn assign(&self, task: TaskId, assignment: v1::Assignment) {
        if lock(&self.awaited).handed_out.insert(task) {
            self.send(Body::Assignment(assignment));
        }
    }

    /// Ends all waits for answers.
    pub fn forget_waiters(&self) {
        let mut awaited = lock(&self.awaited);
        awaited.previews.clear();
        awaited.facts.clear();
        awaited.copies.clear();
        awaited.snapshots.clear();
        awaited.pings.clear();
        awaited.releases.clear();
    }
}

/// The open sessions, at most one for each node.
#[derive(Debug, Default)]
pub struct Sessions {
    open: Mutex<HashMap<NodeName, Arc<Session>>>,
}

impl Sessions {
    /// Adds the session.
    ///
    /// # Errors
    /// The node's open session, when there is one.
    pub fn open(&self, session: &Arc<Session>) -> Result<(), Arc<Session>> {
        let mut open = lock(&self.open);
        if let Some(other) = open.get(&session.node) {
            return Err(other.clone());
        }
        open.insert(session.node.clone(), session.clone());
        Ok(())
    }

    /// Removes this session. False when it was removed before.
    pub fn remove(&self, session: &Session) -> bool {
        let mut open = lock(&self.open);
        let is_there = open.get(&session.node).is_some_and(|there| there.id == session.id);
        if is_there {
            open.remove(&session.node);
        }
        session.forget_waiters();
        is_there
    }

    /// The node's session, once it was welcomed.
    #[must_use]
    pub fn of(&self, node: &NodeName) -> Option<Arc<Session>> {
        let session = lock(&self.open).get(node).cloned();
        session.filter(|session| session.welcomed.load(Ordering::Acquire))
    }

    /// Every open session.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Session>> {
        lock(&self.open).values().cloned().collect()
    }
}

#[cfg(test)]
mod tests;
