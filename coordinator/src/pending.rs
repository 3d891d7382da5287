//! A network change that waits for confirmation, as the node's session knows it.

use std::collections::BTreeMap;

use heeler_proto::NodeName;
use heeler_proto::v1::{self, reply::Answer};

use crate::sessions::Answered;

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

impl From<Answered> for PeerAnswer {
    fn from(answered: Answered) -> Self {
        match answered {
            Ok(Answer::Reach(v1::Reach { up: false, .. })) => Self::Down,
            Ok(Answer::Reach(v1::Reach { reached: true, .. })) => Self::Reached,
            Ok(_) => Self::NotReached(String::new()),
            Err(why) => Self::NotReached(why),
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
