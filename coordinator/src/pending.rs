//! A network change that waits for confirmation, as the node's session knows it.

use std::collections::BTreeMap;

use heeler_proto::{NodeName, v1};

/// A network change that the node undoes unless it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Id of the change, unique on the node.
    pub guard_id: String,
    /// The backplane's new address.
    pub address: String,
    /// Whether the coordinator runs on this node. Then its own connection proves nothing.
    pub own_node: bool,
    /// What the peers answered.
    pub checks: BTreeMap<NodeName, PeerCheck>,
    /// The last verdict sent to the node; empty: none yet.
    pub verdict: String,
    /// Whether that verdict confirmed the change.
    pub confirmed: bool,
}

/// A question to a peer, and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCheck {
    /// When it was asked, Unix milliseconds.
    pub asked_at_ms: u64,
    /// None until it answers.
    pub answer: Option<PeerAnswer>,
}

/// A peer's answer about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerAnswer {
    /// It reaches the address.
    Reached,
    /// It does not; holds a possible reason.
    NotReached(String),
    /// The peer's own backplane is down, so its answer does not count.
    Down,
}

impl From<v1::ReachReply> for PeerAnswer {
    fn from(reply: v1::ReachReply) -> Self {
        match (reply.up, reply.reached) {
            (false, _) => Self::Down,
            (true, true) => Self::Reached,
            (true, false) => Self::NotReached(reply.error),
        }
    }
}

impl Pending {
    /// Before any peer is asked.
    #[must_use]
    pub fn new(wire: v1::PendingNetwork, own_node: bool) -> Self {
        Self {
            guard_id: wire.guard_id,
            address: wire.address,
            own_node,
            checks: BTreeMap::new(),
            verdict: String::new(),
            confirmed: false,
        }
    }
}
