use std::sync::Arc;

use heeler_proto::v1::{NetworkConfirmation, request::Ask, to_agent::Body};
use heeler_proto::{KeepBackplane, NodeName, v1};
use heeler_store::Tx;

use super::who::COORDINATOR;
use super::{App, AppError, node_name};
use crate::pending::{PeerAnswer, Pending};
use crate::sessions::{Answered, Purpose, Session};

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

/// Joins names with spaces, as the database stores them.
pub(super) fn join_names(peers: &[NodeName]) -> String {
    peers.iter().map(NodeName::as_str).collect::<Vec<_>>().join(" ")
}

/// Reads the result of [`join_names`].
pub(super) fn split_names(peers: &str) -> Result<Vec<NodeName>, AppError> {
    peers.split_whitespace().map(node_name).collect()
}

impl App {
    /// The network change that the agent still has to get confirmed.
    pub(super) fn pending(&self, hello: &mut v1::Hello) -> Option<Pending> {
        let own_node = self.boot_id.as_ref() == Some(&hello.boot_id);
        hello
            .pending_network
            .take()
            .map(|pending| Pending::new(pending, own_node))
    }

    /// Handles a peer's answer whether it reaches a node. The pair is that node and the id of its network change.
    pub(super) fn reached(&self, peer: &Session, (about, guard_id): (&NodeName, &str), answered: Answered) {
        if let Some(session) = self.sessions.of(about) {
            session.take_answer(guard_id, &peer.node, PeerAnswer::from(answered));
            self.wake.notify_one();
        }
    }

    /// Asks a peer whether it reaches the node with the changed network.
    pub(super) fn ask_peer(&self, peer: &Session, about: &NodeName) {
        let Some(session) = self.sessions.of(about) else { return };
        if let Some((guard_id, address)) = session.note_asked(&peer.node, self.now_ms()) {
            let about = about.clone();
            peer.ask_for(
                Ask::Reach(v1::ReachRequest { address }),
                Purpose::Reach { about, guard_id },
            );
        }
    }

    /// Records who confirms a node's network change, before the node learns it.
    pub(super) async fn keep_confirmation(
        &self,
        tx: &mut Tx,
        node: &NodeName,
        by: &[NodeName],
    ) -> Result<(), AppError> {
        let names: Vec<&str> = by.iter().map(NodeName::as_str).collect();
        let peers = match names.as_slice() {
            [] => "no other node could check it; the new session confirms it".to_owned(),
            names => format!("confirmed over a new session, and by {}", names.join(", ")),
        };
        let text = format!("network change kept: {peers}");
        tx.add_event(&self.event("network confirmed", node.as_str(), &text))
            .await?;
        self.audit(tx, COORDINATOR, "network confirmed", node.as_str(), &peers)
            .await?;
        Ok(())
    }
}

/// Sends a node the verdict on its network change; an empty `reason` confirms it.
pub(super) fn send_confirmation(session: &Arc<Session>, reason: String) {
    if let Some(guard_id) = session.judge(&reason) {
        session.send(Body::NetworkConfirmation(NetworkConfirmation {
            guard_id,
            confirmed: reason.is_empty(),
            reason,
        }));
    }
}
