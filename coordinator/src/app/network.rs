use std::sync::Arc;

use heeler_proto::v1::{NetworkVerdict, ReachReply, ReachRequest, to_agent::Body};
use heeler_proto::{NodeName, v1};
use heeler_store::Tx;

use super::{App, AppError};
use crate::pending::{Heard, Pending};
use crate::sessions::Session;

/// The kernel's name for this boot: an agent that has the same one runs on this very machine.
pub(super) fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

impl App {
    /// The change of its network that an agent says hello with.
    pub(super) fn pending(&self, hello: &mut v1::Hello) -> Option<Pending> {
        let own_node = self.boot_id.as_ref() == Some(&hello.boot_id);
        hello
            .pending_network
            .take()
            .map(|pending| Pending::new(pending, own_node))
    }

    /// A peer says whether it reaches an address that it was asked about.
    pub(super) fn reached(&self, peer: &Session, reply: ReachReply) {
        let request = reply.request_id.clone();
        let Some((about, guard_id)) = request.split_once(' ') else {
            return;
        };
        let session = NodeName::new(about).ok().and_then(|about| self.sessions.of(&about));
        if let Some(session) = session {
            session.hear(guard_id, &peer.node, Heard::from(reply));
            self.wake.notify_one();
        }
    }

    /// Asks a peer whether it reaches the node whose network was changed.
    pub(super) fn ask_peer(&self, peer: &Session, about: &NodeName) {
        let Some(session) = self.sessions.of(about) else { return };
        if let Some((guard_id, address)) = session.asked(&peer.node, self.now_ms()) {
            peer.send(Body::Reach(ReachRequest {
                request_id: format!("{about} {guard_id}"),
                address,
            }));
        }
    }

    /// Writes down who confirms a node's change, before the node is told.
    pub(super) async fn keep_confirmation(
        &self,
        tx: &mut Tx,
        node: &NodeName,
        by: &[NodeName],
    ) -> Result<(), AppError> {
        let names: Vec<&str> = by.iter().map(NodeName::as_str).collect();
        let peers = match names.as_slice() {
            [] => "no peer is up on the backplane yet: a new session alone confirms it".to_owned(),
            names => format!("confirmed over a new session, and by {}", names.join(", ")),
        };
        let text = format!("the change of its network stays: {peers}");
        tx.add_event(&self.event("network confirmed", node.as_str(), &text))
            .await?;
        self.audit(tx, "network confirmed", node.as_str(), &peers).await?;
        Ok(())
    }
}

/// Tells a node what became of its change; `reason` is empty when it stays.
pub(super) fn tell_verdict(session: &Arc<Session>, reason: String) {
    if let Some(guard_id) = session.judge(&reason) {
        session.send(Body::Verdict(NetworkVerdict {
            guard_id,
            confirmed: reason.is_empty(),
            reason,
        }));
    }
}
