//! The open sessions of agents.

mod questions;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_channel::mpsc;
use heeler_proto::{NodeName, TaskId, v1};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use self::questions::Questions;
pub use self::questions::{Answered, NoAnswer, Purpose, Question};

use v1::{request::Ask, to_agent::Body};

/// An agent that answers a ping within this time is alive.
pub const PING: Duration = Duration::from_secs(5);
/// Messages queued for a slow agent, besides one for each sender; one more ends its session.
pub const OUTBOX: usize = 256;
/// Queue of messages to an agent. An empty one of this crate takes half the memory of tokio's.
pub type Outbox = mpsc::Sender<Box<v1::ToAgent>>;

/// An open session of an agent.
#[derive(Debug)]
pub struct Session {
    /// Number, from 1, unique while the process runs.
    pub id: u64,
    pub node: NodeName,
    /// SHA-256 of the key of its certificate.
    pub key_sha256: [u8; 32],
    /// Serial number of the node's board; empty when it has none.
    pub hardware_serial: String,
    out: Mutex<Option<Outbox>>,
    awaited: Mutex<Awaited>,
    welcomed: AtomicBool,
    closed: Notify,
}

#[derive(Debug, Default)]
struct Awaited {
    questions: Questions,
    told_trust: u32,
    refused: HashSet<&'static str>,
    pings: HashMap<u64, oneshot::Sender<()>>,
    last_ping: u64,
    handed_out: HashSet<TaskId>,
    facts_asked_at_ms: u64,
    compared_at_ms: u64,
    since_ms: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    /// A session whose messages go to `out`.
    pub fn new(id: u64, (node, key_sha256): (NodeName, [u8; 32]), hardware_serial: String, out: Outbox) -> Self {
        Self {
            id,
            node,
            key_sha256,
            hardware_serial,
            out: Mutex::new(Some(out)),
            awaited: Mutex::default(),
            welcomed: AtomicBool::new(false),
            closed: Notify::new(),
        }
    }

    /// Queues a message. False when the session has ended; a full queue ends it, and the agent reconnects.
    pub fn send(&self, body: Body) -> bool {
        let mut out = lock(&self.out);
        let message = Box::new(v1::ToAgent { body: Some(body) });
        let sent = out.as_mut().is_some_and(|out| out.try_send(message).is_ok());
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

    /// Asks, and waits for the answer for at most `patience`. Fails when the agent gives none, or none in time, or the
    /// session ends first.
    pub async fn ask<Q: Question>(&self, question: Q, patience: Duration) -> Result<Q::Answer, NoAnswer> {
        let (done, answer) = oneshot::channel();
        if !self.ask_for(question.ask(), Purpose::Caller(done)) {
            return Err(NoAnswer::Lost);
        }
        match timeout(patience, answer).await {
            Ok(Ok(Ok(answer))) => Q::answer(answer).ok_or(NoAnswer::Lost),
            Ok(Ok(Err((kind, why)))) => Err(NoAnswer::Refused(kind, why)),
            Ok(Err(_)) => Err(NoAnswer::Lost),
            Err(_) => Err(NoAnswer::Late(patience)),
        }
    }

    /// Asks without waiting. False when the session has ended.
    pub fn ask_for(&self, ask: Ask, purpose: Purpose) -> bool {
        let request = lock(&self.awaited).questions.add(ask, purpose);
        self.send(Body::Request(request))
    }

    /// What a reply is for, and its answer. None when it was not asked for; then it costs nothing.
    pub fn take(&self, reply: v1::Reply) -> Option<(Purpose, Answered)> {
        lock(&self.awaited).questions.take(reply)
    }

    /// Asks for all facts, which are stored when they arrive.
    pub fn ask_facts(&self, now_ms: u64) {
        lock(&self.awaited).facts_asked_at_ms = now_ms;
        self.ask_for(Ask::Facts(v1::FactsRequest::default()), Purpose::Facts);
    }

    /// Asks for the pools after a change. Only one question is open at a time, however often the agent reports a
    /// change.
    pub fn ask_pools(&self) {
        if !lock(&self.awaited).questions.pools_changed() {
            let ask = Ask::Facts(v1::FactsRequest { pools_only: true });
            self.ask_for(ask, Purpose::Pools { again: false });
        }
    }

    /// When facts were last asked for, Unix milliseconds; 0: never.
    pub fn facts_asked_at_ms(&self) -> u64 {
        lock(&self.awaited).facts_asked_at_ms
    }

    /// When the session began, and when it was last asked for a comparison, both Unix milliseconds; 0: never.
    pub fn compared_ms(&self) -> (u64, u64) {
        let awaited = lock(&self.awaited);
        (awaited.since_ms, awaited.compared_at_ms)
    }

    /// Asks for a comparison with the accepted revision; `question` is its number and the request, None when the
    /// revision wants nothing of the node.
    pub fn compare(&self, question: Option<(u64, v1::PreviewRequest)>, now_ms: u64) {
        lock(&self.awaited).compared_at_ms = now_ms;
        if let Some((revision, request)) = question {
            self.ask_for(Ask::Preview(request), Purpose::Drift { revision });
        }
    }

    /// Sends the statements that the node lacks, and whether to renew its certificate.
    pub fn tell_trust(&self, trust: v1::Trust) {
        let mut awaited = lock(&self.awaited);
        awaited.told_trust = awaited.told_trust.saturating_add(1);
        drop(awaited);
        self.send(Body::Trust(trust));
    }

    /// Whether an answer to [`Self::tell_trust`] is expected. True once for each call of it.
    pub fn takes_trust(&self) -> bool {
        let mut awaited = lock(&self.awaited);
        let waits = awaited.told_trust > 0;
        awaited.told_trust = awaited.told_trust.saturating_sub(1);
        waits
    }

    /// Whether this is the first message of the session whose `field` was beyond its bound.
    pub fn refuses(&self, field: &'static str) -> bool {
        lock(&self.awaited).refused.insert(field)
    }

    /// Whether the task was handed out over this session.
    pub fn has_task(&self, task: &TaskId) -> bool {
        lock(&self.awaited).handed_out.contains(task)
    }

    /// The same for an unchecked id.
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
        awaited.questions.forget();
        awaited.pings.clear();
    }
}

/// The open sessions, at most one for each node.
#[derive(Debug, Default)]
pub struct Sessions {
    open: Mutex<HashMap<NodeName, Arc<Session>>>,
}

impl Sessions {
    /// Adds the session. Its error: the node's open session, when there is one.
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
    pub fn of(&self, node: &NodeName) -> Option<Arc<Session>> {
        let session = lock(&self.open).get(node).cloned();
        session.filter(|session| session.welcomed.load(Ordering::Acquire))
    }

    /// The number of welcomed sessions, and the sum of their ids: two numbers that change with them.
    pub fn welcomed(&self) -> (usize, u64) {
        let open = lock(&self.open);
        let welcomed = open.values().filter(|session| session.welcomed.load(Ordering::Acquire));
        welcomed.fold((0, 0), |(count, sum), session| {
            (count + 1, sum.wrapping_add(session.id))
        })
    }

    pub fn all(&self) -> Vec<Arc<Session>> {
        lock(&self.open).values().cloned().collect()
    }
}

#[cfg(test)]
mod tests;
