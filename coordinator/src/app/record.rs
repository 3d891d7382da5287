use heeler_proto::Word as _;
use heeler_proto::{
    self as wire, NodeName, TaskId,
    v1::{self, EventKind},
};
use heeler_store::{Event, Node, Outcome, Task, TaskState, Tx};
use prost::Message as _;
use v1::event::Kind;
use v1::to_agent::Body;

use super::{App, Result, decoded, ledger, network, spec, words};
use crate::sessions::Session;

/// Bytes of a progress message; a longer one is ignored.
const PROGRESS: usize = 4 * 1024;
/// Characters of an event's text that are stored.
const TEXT: usize = 4 * 1024;
/// Bytes of an event's body; of a longer one only the text is stored.
const BODY: usize = 256 * 1024;

impl App {
    /// Stores an agent's event with its effects, then acknowledges it. An event that is already stored is only
    /// acknowledged. Fails when the database cannot be written: nothing is acknowledged.
    pub async fn record(&self, session: &Session, event: v1::Event) -> Result<()> {
        let Some(kind) = &event.kind else { return Ok(()) };
        if let Kind::Progress(_) = kind
            && event.seq == 0
        {
            // A follower's queue holds many of them, so each must be small.
            if event.encoded_len() <= PROGRESS {
                self.feed.progress(live(&session.node, &event, kind));
            }
            return Ok(());
        }
        let mut tx = self.store.write().await?;
        let Some(mut node) = tx.node(session.node.as_str()).await? else {
            return Ok(());
        };
        if event.seq != 0 && event.seq <= node.acknowledged {
            session.send(Body::Ack(v1::EventAck { seq: node.acknowledged }));
            return Ok(());
        }
        let task = tx.task(&event.task_id).await?.filter(|task| task.node == node.name);
        if let Some(task) = &task {
            self.take_effect(&mut tx, &mut node, task, kind).await?;
        }
        match kind {
            Kind::Snapshots(run) => Self::see_round(&mut node, run)?,
            Kind::Scrub(run) => Self::see_scrub(&mut node, run, event.at_ms)?,
            _ => {}
        }
        node.acknowledged = node.acknowledged.max(event.seq);
        node.last_seen_ms = self.now_ms();
        tx.set_node(&node).await?;
        let stored = Event {
            at_ms: event.at_ms,
            node: node.name,
            task_id: task.map(|task| task.id).unwrap_or_default(),
            kind: words::kind(kind).word().to_owned(),
            text: words::text(kind).chars().take(TEXT).collect(),
            body: (event.encoded_len() <= BODY).then(|| event.encode_to_vec()),
            ..Event::default()
        };
        self.save_with_event(tx, stored).await?;
        if event.seq != 0 {
            session.send(Body::Ack(v1::EventAck { seq: event.seq }));
        }
        if let Kind::TaskFinished(_) = kind {
            session.ask_facts(self.now_ms());
        }
        Ok(())
    }

    async fn take_effect(&self, tx: &mut Tx, node: &mut Node, task: &Task, kind: &Kind) -> Result<()> {
        let Kind::TaskFinished(finished) = kind else {
            return Ok(tx.run_task(&task.id).await?);
        };
        tx.finish_task(&task.id, &outcome(finished), self.now_ms()).await?;
        tx.forget_drift(&node.name).await?;
        // These pools are newer than the stored facts, which are from before the task.
        if !finished.pools.is_empty() {
            let before = ledger::facts_of(node)?.unwrap_or_default();
            let mut facts = v1::Facts {
                pools: finished.pools.clone(),
                ..before.clone()
            };
            ledger::name_lost_legs(tx, &mut facts.pools).await?;
            self.take_pools(tx, node, &before, &mut facts).await?;
            node.facts = Some(facts.encode_to_vec());
        }
        let wanted = wire::Task::try_from(decoded::<v1::Task>("a task", &task.task)?)?;
        let done = finished.outcome() == v1::TaskOutcome::Done;
        if let wire::Task::KeepBackplane(backplane) = &wanted
            && done
        {
            let mut facts = ledger::facts_of(node)?.unwrap_or_default();
            network::has_come_up(&mut facts, backplane);
            node.facts = Some(facts.encode_to_vec());
        }
        if let Some(digest) = spec::digest_of(&wanted) {
            tx.set_applied(&node.name, wanted.kind(), done.then_some(&digest))
                .await?;
        }
        let made = match &wanted {
            wire::Task::EnsurePool(ensure) if done => Some(ensure.pool.name.as_str()),
            _ => None,
        };
        self.see_pools(tx, &node.name, &finished.pools, made).await
    }

    /// Handles an agent's answer to an assignment: it took the task, or refuses it. Fails when the database cannot be
    /// written.
    pub async fn answered(&self, session: &Session, reply: v1::AssignmentReply) -> Result<()> {
        let Ok(id) = TaskId::new(&reply.task_id) else {
            return Ok(());
        };
        let mut tx = self.store.write().await?;
        let task = tx
            .task(id.as_str())
            .await?
            .filter(|task| task.node == session.node.as_str());
        let Some(task) = task.filter(|task| !task.state.is_over()) else {
            return Ok(());
        };
        let (kind, text) = if reply.accepted {
            if task.state == TaskState::Running {
                return Ok(());
            }
            tx.run_task(&task.id).await?;
            (EventKind::Accepted, "sent to the agent".to_owned())
        } else {
            let outcome = words::ended(TaskState::Refused, reply.reason.as_str());
            tx.finish_task(&task.id, &outcome, self.now_ms()).await?;
            (EventKind::Refused, format!("the agent refused it: {}", reply.reason))
        };
        let event = Event {
            task_id: task.id,
            ..self.event(kind, session.node.as_str(), text)
        };
        self.save_with_event(tx, event).await?;
        Ok(())
    }
}

fn live(node: &NodeName, event: &v1::Event, kind: &Kind) -> v1::FleetEvent {
    v1::FleetEvent {
        id: 0,
        at_ms: event.at_ms,
        node: node.to_string(),
        task_id: event.task_id.clone(),
        kind: words::kind(kind).into(),
        text: words::text(kind),
        event: Some(event.clone()),
        ..v1::FleetEvent::default()
    }
}

fn outcome(finished: &v1::TaskFinished) -> Outcome {
    let state = match finished.outcome() {
        v1::TaskOutcome::Done => TaskState::Done,
        v1::TaskOutcome::Blocked => TaskState::Blocked,
        v1::TaskOutcome::Refused => TaskState::Refused,
        v1::TaskOutcome::Failed | v1::TaskOutcome::Unspecified => TaskState::Failed,
    };
    let blocked = finished.blocked.as_ref().map(prost::Message::encode_to_vec);
    Outcome {
        state,
        reason: finished.reason.chars().take(TEXT).collect(),
        blocked,
        changes: finished.changes,
    }
}
