use heeler_proto::v1::{self, EventKind, NetworkConfirmation};
use heeler_proto::{KeepBackplane, NodeName};
use heeler_store::{NewOperation, Operation, OperationKind, OperationState, Tx};

use super::who::COORDINATOR;
use super::{App, AppError, Result};
use crate::operation::{Armed, NetworkChange, PeerAnswer, Verdict};
use crate::sessions::{Answered, Session};

/// Characters of a change's id; a longer one is not confirmed.
const GUARD_ID: usize = 128;

/// The kernel's id of this boot (random(4)). An agent with the same id runs on the coordinator's machine.
pub(super) fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

/// The name that the agent gives the backplane's card.
const CARD: &str = "enbp0";

/// Whether these facts show the backplane's card with a link and an address.
pub(super) fn is_up(facts: Option<&v1::Facts>) -> bool {
    let up = |nic: &v1::Nic| nic.name == CARD && nic.carrier && !nic.addresses.is_empty();
    facts.is_some_and(|facts| facts.nics.iter().any(up))
}

/// Addresses of the backplane's card, as ADDRESS/PREFIX.
pub(super) fn addresses(facts: &v1::Facts) -> impl Iterator<Item = &String> {
    let cards = facts.nics.iter().filter(|nic| nic.name == CARD);
    cards.flat_map(|nic| &nic.addresses)
}

/// Enters the result of a finished backplane task into facts that are older than it.
pub(super) fn has_come_up(facts: &mut v1::Facts, task: &KeepBackplane) {
    facts.nics.retain(|nic| nic.name != CARD);
    facts.nics.push(v1::Nic {
        name: CARD.to_owned(),
        mac: task.mac.as_ref().map(ToString::to_string).unwrap_or_default(),
        carrier: true,
        addresses: vec![task.address.to_string()],
        ..v1::Nic::default()
    });
}

/// How far a change has got, from its row.
pub(super) fn change(operation: &Operation) -> Result<NetworkChange> {
    serde_json::from_slice(&operation.body).map_err(|_| STORED)
}

/// As the row stores it.
pub(super) fn encoded(change: &NetworkChange) -> Result<Vec<u8>> {
    serde_json::to_vec(change).map_err(|_| STORED)
}

const STORED: AppError = AppError::Stored {
    what: "a network change",
};

impl App {
    /// Begins the operation of a network task that is handed out, and returns its number. `peers` must confirm it.
    pub(super) async fn begin_change(
        &self,
        tx: &mut Tx,
        (node, operator): (&NodeName, String),
        peers: Vec<NodeName>,
    ) -> Result<u64> {
        let new = NewOperation {
            kind: OperationKind::NetworkChange,
            node: Some(node.to_string()),
            operator,
            body: encoded(&NetworkChange {
                peers,
                ..NetworkChange::default()
            })?,
        };
        Ok(tx.add_operation(&new, self.now_ms()).await?)
    }

    /// Stores which change waits for confirmation on a node that connects. Peers are asked anew, because their answers
    /// are about the time before. Returns what to tell the node when no open task made the change: it is undone.
    pub(super) async fn arm(
        &self,
        tx: &mut Tx,
        (node, has_work): (&str, bool),
        hello: &v1::Hello,
    ) -> Result<Option<NetworkConfirmation>> {
        let wire = hello.pending_network.as_ref();
        let armed = wire.and_then(|wire| {
            Some(Armed {
                guard_id: Some(&wire.guard_id).filter(|id| id.len() <= GUARD_ID)?.clone(),
                address: wire.address.parse().ok()?,
                own_node: self.boot_id.as_ref() == Some(&hello.boot_id),
                checks: std::collections::BTreeMap::new(),
                verdict: None,
            })
        });
        let open = match has_work {
            true => tx.open_operations().await?,
            false => Vec::new(),
        };
        let mut own = open
            .into_iter()
            .filter(|open| open.kind == OperationKind::NetworkChange && open.node.as_deref() == Some(node));
        let Some(operation) = own.next() else {
            return Ok(wire.map(|wire| NetworkConfirmation {
                guard_id: wire.guard_id.clone(),
                confirmed: false,
                reason: "the coordinator has no open task that made this change".to_owned(),
            }));
        };
        let mut change = change(&operation)?;
        if change.connected(armed) {
            tx.set_operation(operation.id, &encoded(&change)?, self.now_ms())
                .await?;
        }
        Ok(None)
    }

    /// Stores a peer's answer whether it reaches a node, to the question about that operation and change, asked at that
    /// time (Unix milliseconds). An answer from before the node connected again says nothing about its network now.
    pub(super) async fn reached(
        &self,
        peer: &Session,
        (operation, guard_id, asked_at_ms): (u64, &str, u64),
        answered: Answered,
    ) -> Result<()> {
        let mut tx = self.store.write().await?;
        let open = tx.operation(operation).await?;
        let Some(open) = open.filter(|open| open.state == OperationState::Open) else {
            return Ok(());
        };
        let mut change = change(&open)?;
        let armed = change.armed.as_mut().filter(|armed| armed.guard_id == guard_id);
        let check = armed.and_then(|armed| armed.checks.get_mut(&peer.node));
        let Some(check) = check.filter(|check| check.asked_at_ms == asked_at_ms) else {
            return Ok(());
        };
        check.answer = Some(PeerAnswer::from(answered));
        tx.set_operation(operation, &encoded(&change)?, self.now_ms()).await?;
        tx.save().await?;
        self.wake.notify_one();
        Ok(())
    }

    /// Records who confirms a node's network change, before the node learns it.
    pub(super) async fn keep_confirmation(&self, tx: &mut Tx, node: &NodeName, by: &[NodeName]) -> Result<()> {
        let names: Vec<&str> = by.iter().map(NodeName::as_str).collect();
        let peers = match names.as_slice() {
            [] => "no other node could check it; the new session confirms it".to_owned(),
            names => format!("confirmed over a new session, and by {}", names.join(", ")),
        };
        let text = format!("network change kept: {peers}");
        tx.add_event(&self.event(EventKind::NetworkConfirmed, node.as_str(), &text))
            .await?;
        self.audit(tx, COORDINATOR, "network confirmed", node.as_str(), &peers)
            .await?;
        Ok(())
    }
}

/// What the node is told.
pub(super) fn confirmation(armed: &Armed, verdict: Verdict) -> NetworkConfirmation {
    let (confirmed, reason) = match verdict {
        Verdict::Confirmed(_) => (true, String::new()),
        Verdict::Doubted(reason) => (false, reason),
    };
    NetworkConfirmation {
        guard_id: armed.guard_id.clone(),
        confirmed,
        reason,
    }
}
