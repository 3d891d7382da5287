use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use heeler_proto::v1::{self, EventKind, request::Ask, to_agent::Body};
use heeler_proto::{Generation, NodeName, TaskId};
use heeler_store::{Event, Operation, OperationKind, Outcome, Task, TaskState, Tx};
use tokio::time::{Instant, sleep};
use tracing::error;

use super::who::COORDINATOR;
use super::{App, AppError, Result, decoded, ledger, network, node_name, spec, task_id};
use crate::operation::{NetworkChange, Verdict};
use crate::planner::{ChangeView, Decision, Fleet, NodeView, Ready, SessionView, TaskView, Why, decide};
use crate::sessions::{Purpose, Session};

/// Longest time between two runs of the planner.
const EVERY: Duration = Duration::from_secs(15);
/// The same while a node waits for the confirmation of a network change, within its 90 seconds.
const IN_HASTE: Duration = Duration::from_secs(1);
/// After a run the planner rests this many times as long as the run took, at most [`IN_HASTE`]. When a fleet
/// reconnects, every node wakes the planner, and each run reads all nodes.
const REST: u32 = 9;

/// A message that is sent once the transaction is stored.
enum Send {
    Assignment(Arc<Session>, TaskId, Box<v1::Assignment>),
    Look(Arc<Session>),
    Ask(Arc<Session>, v1::ReachRequest, Purpose),
    Confirmation(Arc<Session>, v1::NetworkConfirmation),
    Compare(Arc<Session>, Option<(u64, v1::PreviewRequest)>),
}

impl App {
    /// Runs the planner when it is woken and on a timer, until `shutdown`.
    pub async fn drive(&self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        loop {
            let began = Instant::now();
            let next = self.drive_once().await.unwrap_or_else(|error| {
                self.heed(&error);
                let error: &dyn std::error::Error = &error;
                error!(error, "the planner could not run");
                EVERY
            });
            tokio::select! {
                () = sleep((began.elapsed() * REST).min(IN_HASTE)) => {}
                () = &mut shutdown => return,
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = sleep(next) => {}
                () = &mut shutdown => return,
            }
        }
    }

    /// Decides what to do, stores it, then sends it. Returns when to decide again; that is sooner while a node waits for
    /// a confirmation, because its guard undoes the change after 90 s.
    async fn drive_once(&self) -> Result<Duration> {
        let now_ms = self.now_ms();
        let seen = self.fleet(&mut self.store.read().await?).await?;
        let waits = seen.nodes.iter().any(|node| node.unconfirmed().is_some());
        let next = if waits { IN_HASTE } else { EVERY };
        if decide(&seen, now_ms).is_empty() {
            return Ok(next);
        }
        let mut tx = self.store.write().await?;
        let mut send = Vec::new();
        for decision in decide(&self.fleet(&mut tx).await?, now_ms) {
            self.carry_out(&mut tx, decision, &mut send).await?;
        }
        let last = tx.added_event();
        tx.save().await?;
        self.feed.stored(last);
        for message in send {
            match message {
                Send::Assignment(session, task, assignment) => session.assign(task, *assignment),
                Send::Look(session) => session.ask_facts(now_ms),
                Send::Ask(peer, request, purpose) => drop(peer.ask_for(Ask::Reach(request), purpose)),
                Send::Confirmation(session, told) => drop(session.send(Body::NetworkConfirmation(told))),
                Send::Compare(session, question) => session.compare(question, now_ms),
            }
        }
        Ok(next)
    }

    async fn fleet(&self, tx: &mut Tx) -> Result<Fleet> {
        let now_ms = self.now_ms();
        let open = tx.open_tasks().await?;
        let ids: HashSet<&str> = open.iter().map(|task| task.id.as_str()).collect();
        let operations = tx.open_operations().await?;
        let pauses = tx.pauses().await?;
        let accepted = tx.accepted_number().await?;
        let looked_at: HashMap<_, _> = tx.looked_at(accepted).await?.into_iter().collect();
        // Only a queued backplane task needs to know who is up, and the facts are large.
        let begins = open
            .iter()
            .any(|task| task.kind == spec::BACKPLANE && task.state == TaskState::Queued);
        let mut nodes = Vec::new();
        let known = match begins {
            true => tx.nodes().await?,
            false => tx.nodes_without_facts().await?,
        };
        for node in known {
            let name = node_name(&node.name)?;
            let session = self.sessions.of(&name);
            let mut own = Vec::new();
            for task in open.iter().filter(|task| task.node == node.name) {
                let ready = ready(tx, task, &ids).await?;
                own.push(view(task, ready, session.as_deref())?);
            }
            let change = operations.iter().find(|open| {
                open.kind == OperationKind::NetworkChange && open.node.as_deref() == Some(node.name.as_str())
            });
            nodes.push(NodeView {
                change: match change {
                    Some(change) => Some(change_view(tx, change).await?),
                    None => None,
                },
                revoked: node.state.is_shut_out(),
                paused: pauses
                    .iter()
                    .any(|pause| pause.node == node.name && pause.holds(now_ms)),
                counter: node.counter,
                compared_at_ms: looked_at.get(&node.name).copied().unwrap_or(0),
                facts_at_ms: node.facts_at_ms,
                on_backplane: network::is_up(ledger::facts_of(&node)?.as_ref()),
                last_seen_ms: node.last_seen_ms,
                open: own,
                session: session.map(|session| session_view(&session)),
                name,
            });
        }
        Ok(Fleet {
            epoch: self.epoch(),
            since_ms: self.started_ms,
            accepted: accepted > 0,
            nodes,
        })
    }

    async fn carry_out(&self, tx: &mut Tx, decision: Decision, send: &mut Vec<Send>) -> Result<()> {
        let open = |node: &NodeName, id: u64| self.sessions.of(node).filter(|open| open.id == id);
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
                    self.hand_out(tx, &node, &task, generation, peers).await?;
                }
                if let Some(session) = open(&node, session) {
                    let assignment = assignment(tx, &task, generation).await?;
                    send.push(Send::Assignment(session, task, Box::new(assignment)));
                }
            }
            Decision::Refuse { task, why } => {
                let begun = matches!(why, Why::Revoked { begun: true } | Why::LeftInChange);
                let (state, kind) = match begun {
                    true => (TaskState::Failed, EventKind::Failed),
                    false => (TaskState::Refused, EventKind::Refused),
                };
                let outcome = Outcome {
                    state,
                    reason: why.text(),
                    blocked: None,
                    changes: 0,
                };
                tx.finish_task(task.as_str(), &outcome, self.now_ms()).await?;
                let node = tx.task(task.as_str()).await?.map(|task| task.node).unwrap_or_default();
                let event = Event {
                    task_id: task.into(),
                    ..self.event(kind, &node, why.text())
                };
                tx.add_event(&event).await?;
                // Tasks that wait for this one are refused by the next run.
                self.wake.notify_one();
            }
            Decision::Proceed {
                operation,
                node,
                change,
                ask,
                verdict,
            } => {
                tx.set_operation(operation, &network::encoded(&change)?, self.now_ms())
                    .await?;
                if let Some(Verdict::Confirmed(by)) = &verdict {
                    self.keep_confirmation(tx, &node, by).await?;
                }
                send.extend(self.proceed((operation, &node), &change, &ask, verdict));
            }
            Decision::End {
                operation,
                state,
                reason,
            } => tx.end_operation(operation, (state, &reason), self.now_ms()).await?,
            Decision::Compare { node, session } => {
                let question = self.comparison(tx, node.as_str()).await?;
                send.extend(open(&node, session).map(|session| Send::Compare(session, question)));
            }
            Decision::Look { node, session } => send.extend(open(&node, session).map(Send::Look)),
        }
        Ok(())
    }

    async fn hand_out(
        &self,
        tx: &mut Tx,
        node: &NodeName,
        task: &TaskId,
        generation: Generation,
        peers: Option<Vec<NodeName>>,
    ) -> Result<()> {
        let operation = match peers {
            Some(peers) => {
                let operator = tx.task(task.as_str()).await?.map(|task| task.operator);
                let asked = (node, operator.unwrap_or_default());
                Some(self.begin_change(tx, asked, peers).await?)
            }
            None => None,
        };
        let number = (generation.epoch, generation.counter);
        tx.send_task(task.as_str(), number, operation).await?;
        if let Some(mut node) = tx.node(node.as_str()).await? {
            node.counter = generation.counter;
            tx.set_node(&node).await?;
        }
        let detail = format!("task {task}, generation {}.{}", generation.epoch, generation.counter);
        self.audit(tx, COORDINATOR, "task sent", node.as_str(), &detail).await?;
        Ok(())
    }

    /// The questions to the peers, and the verdict to the node.
    fn proceed(
        &self,
        (operation, node): (u64, &NodeName),
        change: &NetworkChange,
        ask: &[NodeName],
        verdict: Option<Verdict>,
    ) -> Vec<Send> {
        let Some(armed) = &change.armed else { return Vec::new() };
        let peers = ask.iter().filter_map(|peer| self.sessions.of(peer));
        let asks = peers.filter_map(|peer| {
            let request = v1::ReachRequest {
                address: armed.address.to_string(),
            };
            let purpose = Purpose::Reach {
                operation,
                guard_id: armed.guard_id.clone(),
                asked_at_ms: armed.checks.get(&peer.node)?.asked_at_ms,
            };
            Some(Send::Ask(peer, request, purpose))
        });
        let told = verdict.and_then(|verdict| {
            let session = self.sessions.of(node)?;
            Some(Send::Confirmation(session, network::confirmation(armed, verdict)))
        });
        asks.chain(told).collect()
    }
}

/// When the task may start. `open`: the ids of all open tasks.
async fn ready(tx: &mut Tx, task: &Task, open: &HashSet<&str>) -> Result<Ready> {
    Ok(match &task.predecessor {
        _ if task.ready_at_ms > 0 => Ready::At(task.ready_at_ms),
        Some(first) if open.contains(first.as_str()) => Ready::Waits,
        first => {
            let first = tx.task(first.as_deref().unwrap_or_default()).await?;
            Ready::Never(first.map_or_else(|| "a task".to_owned(), |first| first.kind))
        }
    })
}

async fn change_view(tx: &mut Tx, operation: &Operation) -> Result<ChangeView> {
    let task = tx.task_of_operation(operation.id).await?;
    let lost = || (TaskState::Failed, "its task is not on record".to_owned());
    let ended = task.map_or_else(
        || Some(lost()),
        |task| task.state.is_over().then_some((task.state, task.reason)),
    );
    Ok(ChangeView {
        operation: operation.id,
        change: network::change(operation)?,
        ended,
    })
}

fn session_view(session: &Session) -> SessionView {
    let (since_ms, compare_asked_at_ms) = session.compared_ms();
    SessionView {
        id: session.id,
        since_ms,
        compare_asked_at_ms,
        facts_asked_at_ms: session.facts_asked_at_ms(),
    }
}

fn view(task: &Task, ready: Ready, session: Option<&Session>) -> Result<TaskView> {
    let id = task_id(&task.id)?;
    let generation = Generation {
        epoch: task.epoch,
        counter: task.counter,
    };
    Ok(TaskView {
        ready,
        consented_until_ms: task.consented_until_ms,
        network: task.kind == spec::BACKPLANE,
        sent_over_session: session.is_some_and(|session| session.has_task(&id)),
        state: task.state,
        generation: (generation.counter > 0).then_some(generation),
        id,
    })
}

async fn assignment(tx: &mut Tx, id: &TaskId, generation: Generation) -> Result<v1::Assignment> {
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
