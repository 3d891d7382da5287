//! Who is connected now.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heeler_proto::{NodeName, TaskId, v1};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

use crate::pending::{Heard, Pending, Word};

use v1::to_agent::Body;

/// What an agent must answer a ping within to count as alive.
pub const PING: Duration = Duration::from_secs(5);
/// Messages that may wait for a slow agent before its session is given up.
pub const OUTBOX: usize = 256;

/// One agent's open stream.
#[derive(Debug)]
pub struct Session {
    /// 1 and up, for the life of this process.
    pub id: u64,
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: NodeName,
    /// SHA-256 of the key that it came with.
    pub key_sha256: [u8; 32],
    /// The board's.
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

/// A question that waits for its one answer, by its id.
#[derive(Debug, PartialEq, Eq)]
enum Question {
    Facts(String),
    Preview(String),
}

/// Questions of a stream that wait for an answer; a further one takes the place of the oldest.
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

/// A question about the pools that is not answered yet.
#[derive(Debug)]
struct AskedPools {
    request_id: String,
    /// They have changed since it was asked.
    again: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    /// A stream that messages leave by `out`.
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

    /// Queues a message. An agent that does not read fast enough loses its session, and comes again.
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

    /// The first message. Before it the session is taken, and nobody can send over it.
    pub fn welcome(&self, welcome: v1::Welcome) {
        lock(&self.awaited).since_ms = welcome.now_ms;
        self.send(Body::Welcome(welcome));
        self.welcomed.store(true, Ordering::Release);
    }

    /// Says why, and ends the stream.
    pub fn close(&self, reason: &str) {
        self.send(Body::Goodbye(v1::Goodbye {
            reason: reason.to_owned(),
        }));
        lock(&self.out).take();
        self.closed.notify_one();
    }

    /// Ends when the coordinator has ended the stream.
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

    /// A ping was answered.
    pub fn ponged(&self, nonce: u64) {
        if let Some(done) = lock(&self.awaited).pings.remove(&nonce) {
            done.send(()).ok();
        }
    }

    /// Asks for a preview; the receiver fails when the session ends first.
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

    /// A preview has arrived.
    pub fn previewed(&self, reply: v1::PreviewReply) {
        if let Some(done) = lock(&self.awaited).previews.remove(&reply.request_id) {
            done.send(reply).ok();
        }
    }

    /// Asks for facts; the receiver fails when the session ends first.
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

    /// A pool of the node's has changed: its pools are asked for, one question at a time however often it says so.
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

    /// Whether this is the answer to the question about the pools.
    #[must_use]
    pub fn asked_pools(&self, request_id: &str) -> bool {
        let awaited = lock(&self.awaited);
        awaited
            .pools
            .as_ref()
            .is_some_and(|asked| asked.request_id == request_id)
    }

    /// The question about the pools is answered; they are asked for once more when they have changed since.
    pub fn told_pools(&self) {
        let asked = lock(&self.awaited).pools.take();
        if asked.is_some_and(|asked| asked.again) {
            self.ask_pools();
        }
    }

    /// Asks about snapshots, or for one; the receiver fails when the session ends first.
    pub fn ask_snapshots(&self, ask: v1::SnapshotAsk) -> oneshot::Receiver<v1::SnapshotAnswer> {
        let (done, answer) = oneshot::channel();
        let mut awaited = lock(&self.awaited);
        awaited.snapshots.retain(|_, waiter| !waiter.is_closed());
        awaited.snapshots.insert(ask.request_id.clone(), done);
        drop(awaited);
        self.send(Body::Snapshots(ask));
        answer
    }

    /// An answer about snapshots has arrived.
    pub fn told_snapshots(&self, answer: v1::SnapshotAnswer) {
        if let Some(done) = lock(&self.awaited).snapshots.remove(&answer.request_id) {
            done.send(answer).ok();
        }
    }

    /// When facts were asked for last; 0 never.
    #[must_use]
    pub fn facts_asked_at_ms(&self) -> u64 {
        lock(&self.awaited).facts_asked_at_ms
    }

    /// When the session began, and when the accepted revision was compared with the node last, over it; 0 never.
    #[must_use]
    pub fn compared_ms(&self) -> (u64, u64) {
        let awaited = lock(&self.awaited);
        (awaited.since_ms, awaited.compared_at_ms)
    }

    /// The accepted revision is compared with the node: `question` asks for it, unless nothing is wanted.
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

    /// Whether facts were asked for under that id: they are taken once.
    #[must_use]
    pub fn takes_facts(&self, request_id: &str) -> bool {
        lock(&self.awaited).takes(&Question::Facts(request_id.to_owned()))
    }

    /// Whether a preview was asked for under that id: it is taken once.
    #[must_use]
    pub fn takes_preview(&self, request_id: &str) -> bool {
        lock(&self.awaited).takes(&Question::Preview(request_id.to_owned()))
    }

    /// Tells it whom to trust, and what becomes of its certificate.
    pub fn tell_trust(&self, trust: v1::Trust) {
        let mut awaited = lock(&self.awaited);
        awaited.told_trust = awaited.told_trust.saturating_add(1);
        drop(awaited);
        self.send(Body::Trust(trust));
    }

    /// Whether it was told whom to trust and has not answered: each time it answers once.
    #[must_use]
    pub fn takes_trust(&self) -> bool {
        let mut awaited = lock(&self.awaited);
        let waits = awaited.told_trust > 0;
        awaited.told_trust = awaited.told_trust.saturating_sub(1);
        waits
    }

    /// Whether it is the first time over this stream that this field was beyond its bound.
    #[must_use]
    pub fn refuses(&self, field: &'static str) -> bool {
        lock(&self.awaited).refused.insert(field)
    }

    /// Asks what leaving its node would mean, or, with `go`, to leave; the receiver fails when the session ends first.
    pub fn ask_release(&self, request_id: String, go: bool) -> oneshot::Receiver<v1::ReleaseReply> {
        let (done, answer) = oneshot::channel();
        let mut awaited = lock(&self.awaited);
        awaited.releases.retain(|_, waiter| !waiter.is_closed());
        awaited.releases.insert(request_id.clone(), done);
        drop(awaited);
        self.send(Body::Release(v1::ReleaseRequest { request_id, go }));
        answer
    }

    /// It has answered.
    pub fn releases(&self, reply: v1::ReleaseReply) {
        if let Some(done) = lock(&self.awaited).releases.remove(&reply.request_id) {
            done.send(reply).ok();
        }
    }

    /// Facts have arrived, or why there are none.
    pub fn looked(&self, reply: v1::FactsReply) {
        if let Some(done) = lock(&self.awaited).facts.remove(&reply.request_id) {
            done.send(reply).ok();
        }
    }

    /// Sends a part of a copy; the receiver fails when the session ends first.
    pub fn ask_copy(&self, chunk: v1::CopyChunk) -> oneshot::Receiver<v1::CopyReply> {
        let (done, answer) = oneshot::channel();
        lock(&self.awaited).copies.insert(chunk.name.clone(), done);
        self.send(Body::Copy(chunk));
        answer
    }

    /// A part of a copy was answered.
    pub fn copied(&self, reply: v1::CopyReply) {
        if let Some(done) = lock(&self.awaited).copies.remove(&reply.name) {
            done.send(reply).ok();
        }
    }

    /// The change of the node's network that this stream was opened after.
    #[must_use]
    pub fn pending(&self) -> Option<Pending> {
        lock(&self.pending).clone()
    }

    /// The pending change is over, whichever way.
    pub fn forget_pending(&self) {
        lock(&self.pending).take();
    }

    /// A peer is asked about the pending change: which one, and for which address.
    pub fn asked(&self, peer: &NodeName, now_ms: u64) -> Option<(String, String)> {
        let mut pending = lock(&self.pending);
        let pending = pending.as_mut()?;
        let word = Word {
            asked_at_ms: now_ms,
            heard: None,
        };
        pending.words.insert(peer.clone(), word);
        Some((pending.guard_id.clone(), pending.address.clone()))
    }

    /// A peer has answered.
    pub fn hear(&self, guard_id: &str, peer: &NodeName, heard: Heard) {
        let mut pending = lock(&self.pending);
        let word = pending
            .as_mut()
            .filter(|pending| pending.guard_id == guard_id)
            .and_then(|pending| pending.words.get_mut(peer));
        if let Some(word) = word {
            word.heard = Some(heard);
        }
    }

    /// The node is told what becomes of the pending change, which it names; an empty reason: it stays.
    pub fn judge(&self, reason: &str) -> Option<String> {
        let mut pending = lock(&self.pending);
        let pending = pending.as_mut()?;
        reason.clone_into(&mut pending.told);
        pending.confirmed = reason.is_empty();
        Some(pending.guard_id.clone())
    }

    /// Whether the task was handed out over this stream.
    #[must_use]
    pub fn has_task(&self, task: &TaskId) -> bool {
        lock(&self.awaited).handed_out.contains(task)
    }

    /// The same, for an id as it came.
    #[must_use]
    pub fn was_handed(&self, task: &str) -> bool {
        TaskId::new(task).is_ok_and(|task| self.has_task(&task))
    }

    /// Hands out a task, once over this stream.
    pub fn assign(&self, task: TaskId, assignment: v1::Assignment) {
        if lock(&self.awaited).handed_out.insert(task) {
            self.send(Body::Assignment(assignment));
        }
    }

    /// Nobody waits for this stream any more.
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

/// Every open stream, at most one a node.
#[derive(Debug, Default)]
pub struct Sessions {
    open: Mutex<HashMap<NodeName, Arc<Session>>>,
}

impl Sessions {
    /// Takes the session in, unless its node has one.
    ///
    /// # Errors
    /// The one that is there.
    pub fn open(&self, session: &Arc<Session>) -> Result<(), Arc<Session>> {
        let mut open = lock(&self.open);
        if let Some(other) = open.get(&session.node) {
            return Err(other.clone());
        }
        open.insert(session.node.clone(), session.clone());
        Ok(())
    }

    /// Takes out this very session. False when it was out already.
    pub fn remove(&self, session: &Session) -> bool {
        let mut open = lock(&self.open);
        let is_there = open.get(&session.node).is_some_and(|there| there.id == session.id);
        if is_there {
            open.remove(&session.node);
        }
        session.forget_waiters();
        is_there
    }

    /// The node's session, when it is connected and was welcomed.
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
