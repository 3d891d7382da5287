//! A change of a node's network that waits to be confirmed, as its session knows of it.

use std::collections::BTreeMap;

use heeler_proto::{NodeName, v1};

/// It is undone by the node itself unless it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Of no other change on that node.
    pub guard_id: String,
    /// The backplane's new address.
    pub address: String,
    /// The coordinator runs on that very node: that it is reached from there proves nothing.
    pub own_node: bool,
    /// What its peers say.
    pub words: BTreeMap<NodeName, Word>,
    /// What the node was told last; empty: nothing yet.
    pub told: String,
    /// It was told that the change stays.
    pub confirmed: bool,
}

/// What a peer was asked, and said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// When, Unix milliseconds.
    pub asked_at_ms: u64,
    /// None: it has not answered yet.
    pub heard: Option<Heard>,
}

/// What a peer says of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It answers.
    Reached,
    /// It does not, and why that may be.
    NotReached(String),
    /// The peer's own backplane is down: its word means nothing.
    Down,
}

impl From<v1::ReachReply> for Heard {
    fn from(reply: v1::ReachReply) -> Self {
        match (reply.up, reply.reached) {
            (false, _) => Self::Down,
            (true, true) => Self::Reached,
            (true, false) => Self::NotReached(reply.error),
        }
    }
}

impl Pending {
    /// Nobody was asked yet.
    #[must_use]
    pub fn new(wire: v1::PendingNetwork, own_node: bool) -> Self {
        Self {
            guard_id: wire.guard_id,
            address: wire.address,
            own_node,
            words: BTreeMap::new(),
            told: String::new(),
            confirmed: false,
        }
    }
}
