use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use heeler_proto::v1;
use heeler_proto::{Generation, NodeName, TaskId};
use heeler_store::{NewEvent, Outcome, Task, TaskState, Tx};
use tokio::time::{Instant, sleep};
use tracing::error;

use super::who::COORDINATOR;
use super::{App, AppError, decoded, ledger, network, node_name, spec, task_id};
use crate::planner::{Decision, Fleet, NodeView, SessionView, TaskView, Why, decide};
use crate::sessions::Session;

/// Longest time between two runs of the planner.
const EVERY: Duration = Duration::from_secs(15);
/// The same while a node waits for the confirmation of a network change, within its 90 seconds.
const IN_HASTE: Duration = Duration::from_secs(1);
/// After a run the planner rests this many times as long as the run took, at most [`IN_HASTE`]. When a fleet
/// reconnects, every node wakes the planner, and each run reads all nodes.
const REST: u32 = 4;

/// A message that is sent once the transaction is stored.
enum Send {
    Assignment(Arc<Session>, TaskId, Box<v1::Assignment>),
    Look(Arc<Session>),
    Ask(Arc<Session>, NodeName),
    Confirmation(Arc<Session>, String),
    Compare(Arc<Session>, Option<(u64, v1::PreviewRequest)>),
}

impl App {
    /// Runs the planner when it is woken and on a timer, until `shutdown`.
    pub async fn drive(&self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        loop {
            let began = Instant::now();
            if let Err(error) = self.drive_once().await {
                self.heed(&error);
                let error: &dyn std::error::Error = &error;
                error!(error, "the planner could not run");
            }
            tokio::select! {
                () = sleep((began.elapsed() * REST).min(IN_HASTE)) => {}
                () = &mut shutdown => return,
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = sleep(self.until_next()) => {}
                () = &mut shutdown => return,
            }
        }
    }

    /// Decides what to do, stores it, then sends it.
    ///
    /// # Errors
    /// When the database fails: nothing is sent.
    pub async fn drive_once(&self) -> Result<(), AppError> {
        let now_ms = self.now_ms();
        let idle = decide(&self.fleet(&mut self.store.read().await?).await?, now_ms).is_empty();
        if idle {
            return Ok(());
        }
        let mut tx = self.store.write().await?;
        let mut send = Vec::new();
        for decision in decide(&self.fleet(&mut tx).await?, now_ms) {
            send.extend(self.carry_out(&mut tx, decision).await?);
        }
        let last = tx.last_event().await?;
        tx.save().await?;
        self.feed.stored(last);
        for message in send {
            match message {
                Send::Assignment(session, task, assignment) => session.assign(task, *assignment),
                Send::Look(session) => session.ask_facts(now_ms),
                Send::Ask(peer, about) => self.ask_peer(&peer, &about),
                Send::Confirmation(session, reason) => network::send_confirmation(&session, reason),
                Send::Compare(session, question) => session.compare(question, now_ms),
            }
        }
        Ok(())
    }

    /// Shorter while a node waits for a confirmation: its guard undoes the change after 90 s.
    fn until_next(&self) -> Duration {
        let waits = |session: &Arc<Session>| session.pending().is_some_and(|pending| !pending.confirmed);
        if self.sessions.all().iter().any(waits) {
            IN_HASTE
        } else {
            EVERY
        }
    }

    async fn fleet(&self, tx: &mut Tx) -> Result<Fleet, AppError> {
        let now_ms = self.now_ms();
        let open = tx.open_tasks().await?;
        let pauses = tx.pauses().await?;
        let accepted = tx.accepted_number().await?;
        let looked_at: HashMap<_, _> = tx.looked_at(accepted).await?.into_iter().collect();
        // Only a queued backplane task needs to know who is up, and the facts are costly to decode.
        let begins = open
            .iter()
            .any(|task| task.kind == spec::BACKPLANE && task.state == TaskState::Queued);
        let mut nodes = Vec::new();
        for node in tx.nodes().await? {
            let name = node_name(&node.name)?;
            let session = self.sessions.of(&name);
            let own = open.iter().filter(|task| task.node == node.name);
            nodes.push(NodeView {
                revoked: node.state.is_shut_out(),
                paused: pauses
                    .iter()
                    .any(|pause| pause.node == node.name && pause.holds(now_ms)),
                counter: node.counter,
                compared_at_ms: looked_at.get(&node.name).copied().unwrap_or(0),
                facts_at_ms: node.facts_at_ms,
                on_backplane: begins && network::is_up(ledger::facts_of(&node)?.as_ref()),
                last_seen_ms: node.last_seen_ms,
                open: own
                    .map(|task| view(task, session.as_deref()))
                    .collect::<Result<_, _>>()?,
                session: session.map(|session| session_view(&session)),
                name,
            });
        }
        Ok(Fleet {
            epoch: self.epoch(),
            accepted: accepted > 0,
            nodes,
        })
    }

    async fn carry_out(&self, tx: &mut Tx, decision: Decision) -> Result<Option<Send>, AppError> {
        match decision {
            Decision::Assign {
                node,
                task,
                generation,
                first,
                session,
                peers,
            } => {
                if first {
                    let peers = peers.map(|peers| network::join_names(&peers));
                    tx.send_task(task.as_str(), (generation.epoch, generation.counter), peers.as_deref())
                        .await?;
                    if let Some(mut node) = tx.node(node.as_str()).await? {
                        node.counter = generation.counter;
                        tx.set_node(&node).await?;
                    }
                    let detail = format!("task {task}, generation {}.{}", generation.epoch, generation.counter);
                    self.audit(tx, COORDINATOR, "task sent", node.as_str(), &detail).await?;
                }
                let session = self.sessions.of(&node).filter(|open| open.id == session);
                let Some(session) = session else { return Ok(None) };
                let assignment = assignment(tx, &task, generation).await?;
                Ok(Some(Send::Assignment(session, task, Box::new(assignment))))
            }
            Decision::Refuse { task, why } => {
                let begun = matches!(why, Why::Revoked { begun: true });
                let state = if begun { TaskState::Failed } else { TaskState::Refused };
                let outcome = Outcome {
                    state,
                    reason: why.text().to_owned(),
                    blocked: None,
                    changes: 0,
                };
                tx.finish_task(task.as_str(), &outcome, self.now_ms()).await?;
                let node = tx.task(task.as_str()).await?.map(|task| task.node).unwrap_or_default();
                let event = NewEvent {
                    task_id: task.into(),
                    ..self.event(state.as_str(), &node, why.text())
                };
                tx.add_event(&event).await?;
                Ok(None)
            }
            Decision::Ask { peer, session, about } => Ok(self
                .sessions
                .of(&peer)
                .filter(|open| open.id == session)
                .map(|peer| Send::Ask(peer, about))),
            Decision::Confirm { node, by } => {
                let Some(session) = self.sessions.of(&node) else {
                    return Ok(None);
                };
                self.keep_confirmation(tx, &node, &by).await?;
                Ok(Some(Send::Confirmation(session, String::new())))
            }
            Decision::Doubt { node, reason } => Ok(self
                .sessions
                .of(&node)
                .map(|session| Send::Confirmation(session, reason))),
            Decision::Compare { node, session } => {
                let session = self.sessions.of(&node).filter(|open| open.id == session);
                let question = self.comparison(tx, node.as_str()).await?;
                Ok(session.map(|session| Send::Compare(session, question)))
            }
            Decision::Look { node, session } => Ok(self
                .sessions
                .of(&node)
                .filter(|open| open.id == session)
                .map(Send::Look)),
        }
    }
}

fn session_view(session: &Session) -> SessionView {
    let (since_ms, compare_asked_at_ms) = session.compared_ms();
    SessionView {
        id: session.id,
        since_ms,
        compare_asked_at_ms,
        facts_asked_at_ms: session.facts_asked_at_ms(),
        pending: session.pending(),
    }
}

fn view(task: &Task, session: Option<&Session>) -> Result<TaskView, AppError> {
    let id = task_id(&task.id)?;
    let generation = Generation {
        epoch: task.epoch,
        counter: task.counter,
    };
    Ok(TaskView {
        peers: task.peers.as_deref().map(network::split_names).transpose()?,
        network: task.kind == spec::BACKPLANE,
        sent_over_session: session.is_some_and(|session| session.has_task(&id)),
        state: task.state,
        created_at_ms: task.created_at_ms,
        generation: (generation.counter > 0).then_some(generation),
        id,
    })
}

async fn assignment(tx: &mut Tx, id: &TaskId, generation: Generation) -> Result<v1::Assignment, AppError> {
    let stored = AppError::Stored { what: "a task" };
    let task = tx.task(id.as_str()).await?.ok_or(stored)?;
    let consents = tx.consents(id.as_str()).await?;
    Ok(v1::Assignment {
        task_id: task.id,
        generation: Some(generation.into()),
        task: Some(decoded("a task", &task.task)?),
        consents: consents
            .iter()
            .map(|bytes| decoded("a consent", bytes))
            .collect::<Result<_, _>>()?,
        revision: task.revision,
    })
}
