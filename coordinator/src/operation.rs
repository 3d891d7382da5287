//! How far an operation has got, as its row stores it: one type for each kind, in JSON.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use heeler_proto::NodeName;
use heeler_proto::v1::{self, reply::Answer};
use serde::{Deserialize, Serialize};

use crate::sessions::Answered;

/// Characters of a peer's reason that are stored.
const WHY: usize = 200;

/// A change of one node's network, from the assignment of its task to the end of that task. The node undoes the change
/// unless it is confirmed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkChange {
    /// The nodes that were up on the backplane before it began. Each must confirm it.
    pub peers: Vec<NodeName>,
    /// What waited for confirmation when the node last connected; None: nothing.
    pub armed: Option<Armed>,
    /// Whether the node was told in an earlier session that the change stays.
    #[serde(default)]
    pub told_before: bool,
}

/// A change that the node has made, and the answers about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Armed {
    /// Id of the change, unique on the node.
    pub guard_id: String,
    pub address: Ipv4Addr,
    /// Whether the coordinator runs on this node. Then its own connection proves nothing.
    pub own_node: bool,
    pub checks: BTreeMap<NodeName, PeerCheck>,
    /// What the node was told last; None: nothing yet.
    pub verdict: Option<Verdict>,
}

/// A question to a peer, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerCheck {
    /// When it was asked, Unix milliseconds.
    pub asked_at_ms: u64,
    /// None until it answers.
    pub answer: Option<PeerAnswer>,
}

/// A peer's answer about an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerAnswer {
    /// It reaches the address.
    Reached,
    /// It does not; holds a possible reason.
    NotReached(String),
    /// The peer's own backplane is down, so its answer does not count.
    Down,
}

/// What a node is told about its change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It stays. Holds the peers that reach the node; empty when none is up on the backplane.
    Confirmed(Vec<NodeName>),
    /// Why it is not confirmed yet, which a person reads if the node undoes it.
    Doubted(String),
}

impl From<Answered> for PeerAnswer {
    fn from(answered: Answered) -> Self {
        match answered {
            Ok(Answer::Reach(v1::Reach { up: false, .. })) => Self::Down,
            Ok(Answer::Reach(v1::Reach { reached: true, .. })) => Self::Reached,
            Ok(_) => Self::NotReached(String::new()),
            Err((_, why)) => Self::NotReached(why.chars().take(WHY).collect()),
        }
    }
}

impl NetworkChange {
    /// Notes what waits for confirmation on a node that has connected. False when nothing waits, and nothing did.
    pub fn connected(&mut self, armed: Option<Armed>) -> bool {
        let notes = armed.is_some() || self.armed.is_some();
        self.told_before |= self.is_confirmed();
        self.armed = armed;
        notes
    }

    /// Whether the change may stay: the node was told so, in this session or before.
    #[must_use]
    pub fn may_stay(&self) -> bool {
        self.told_before || self.is_confirmed()
    }

    /// Whether the node was told that the change stays.
    pub fn is_confirmed(&self) -> bool {
        let verdict = self.armed.as_ref().and_then(|armed| armed.verdict.as_ref());
        matches!(verdict, Some(Verdict::Confirmed(_)))
    }
}
