use std::collections::HashMap;

use heeler_proto::Word as _;
use heeler_proto::v1::{self, EventKind};
use heeler_store::{Node, Pause, Tx};

use super::{App, AppError, Result, Who, ledger, nodes, words};

/// Longest pause with an end: 366 days. A longer one is meant to have no end.
const LONGEST_MS: u64 = 366 * 24 * 60 * 60 * 1000;

impl App {
    /// Pauses a node: it gets no new tasks. It finishes the task that it has, and its snapshots continue. Fails when no
    /// node has that name, it is shut out, or the pause is longer than a year.
    pub async fn pause(&self, request: v1::PauseNodeRequest, who: &Who) -> Result<v1::PauseNodeReply> {
        let mut tx = self.store.write().await?;
        let node = nodes::known(&mut tx, &request.node).await?;
        if node.state.is_shut_out() {
            return Err(AppError::Refused(format!(
                "{} is {}: it gets no tasks anyway",
                node.name,
                words::node_state(node.state).word()
            )));
        }
        if request.for_ms > LONGEST_MS {
            return Err(AppError::Invalid(
                "a pause lasts at most a year; without --for it lasts until heeler node resume".to_owned(),
            ));
        }
        let since_ms = self.now_ms();
        let pause = Pause {
            node: node.name.clone(),
            reason: request.reason,
            operator: who.name.clone(),
            since_ms,
            until_ms: if request.for_ms == 0 {
                0
            } else {
                since_ms.saturating_add(request.for_ms)
            },
        };
        tx.pause(&pause).await?;
        self.audit(&mut tx, &pause.operator, "node paused", &node.name, &pause.reason)
            .await?;
        let open = tx.open_tasks().await?;
        let in_hand = open
            .into_iter()
            .find(|task| task.node == node.name && task.counter > 0)
            .map(|task| task.id)
            .unwrap_or_default();
        let why = match pause.reason.as_str() {
            "" => String::new(),
            reason => format!(": {reason}"),
        };
        let text = format!("paused by {}{why}", pause.operator);
        self.save_and_tell(tx, EventKind::Paused, &node.name, text).await?;
        Ok(v1::PauseNodeReply {
            pause: Some(wire(pause)),
            in_hand,
        })
    }

    /// Ends a pause. Returns whether the node was paused. Fails when no node has that name.
    pub async fn resume(&self, request: v1::ResumeNodeRequest, who: &Who) -> Result<bool> {
        let mut tx = self.store.write().await?;
        let node = nodes::known(&mut tx, &request.node).await?;
        let held = tx.pause_of(&node.name, self.now_ms()).await?.is_some();
        if tx.resume(&node.name).await? {
            self.audit(&mut tx, &who.name, "node resumed", &node.name, "").await?;
            let text = format!("resumed by {}", who.name);
            self.save_and_tell(tx, EventKind::Resumed, &node.name, text).await?;
        }
        Ok(held)
    }
}

pub(super) async fn all(tx: &mut Tx, now_ms: u64) -> Result<HashMap<String, v1::Pause>> {
    let pauses = tx.pauses().await?.into_iter();
    let holding = pauses.filter(|pause| pause.holds(now_ms));
    Ok(holding.map(|pause| (pause.node.clone(), wire(pause))).collect())
}

/// The pause in force for a node: the one set here, else the one set on the node.
pub(super) async fn of(tx: &mut Tx, node: &str, now_ms: u64) -> Result<Option<v1::Pause>> {
    if let Some(pause) = tx.pause_of(node, now_ms).await? {
        return Ok(Some(wire(pause)));
    }
    match tx.node(node).await? {
        Some(node) => on_node(&node, now_ms),
        None => Ok(None),
    }
}

/// The pause that was set on the node itself.
pub(super) fn on_node(node: &Node, now_ms: u64) -> Result<Option<v1::Pause>> {
    let facts = ledger::facts_of(node)?;
    Ok(facts.and_then(|facts| in_force(facts.paused, now_ms)))
}

/// `paused`, if it is in force.
pub(super) fn in_force(paused: Option<v1::Pause>, now_ms: u64) -> Option<v1::Pause> {
    paused.filter(|pause| pause.until_ms == 0 || now_ms < pause.until_ms)
}

fn wire(pause: Pause) -> v1::Pause {
    v1::Pause {
        reason: pause.reason,
        operator: pause.operator,
        since_ms: pause.since_ms,
        until_ms: pause.until_ms,
        on_node: false,
    }
}
