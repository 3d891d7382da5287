//! What a running corosync sees: members that are online, votes, quorum.

use std::collections::BTreeSet;

use super::{configured, expected, version};
use crate::call::Call;
use crate::corosync_conf::{CorosyncConf, Node};
use crate::network::is_near;

/// The view of one node.
pub struct View {
    pub conf: CorosyncConf,
    /// Number of this node.
    pub own: u64,
    online: BTreeSet<u64>,
    pub expected: u64,
}

impl View {
    /// None when corosync does not run.
    pub fn of(call: &Call) -> Option<Self> {
        version(call)?;
        let conf = configured(call)?;
        let own = conf.node(&call.node)?;
        let reached = |node: &&Node| node.id == own.id || reaches(call, &conf, own, node);
        let online: Vec<&Node> = conf.nodes.iter().filter(reached).collect();
        let votes = |nodes: &[&Node]| nodes.iter().map(|node| node.votes).sum::<u64>();
        let all = votes(&conf.nodes.iter().collect::<Vec<_>>());
        let expected = expected(call).map_or(all, |lowered| lowered.max(votes(&online)));
        Some(Self {
            own: own.id,
            online: online.iter().map(|node| node.id).collect(),
            expected,
            conf,
        })
    }

    /// Members that are online, by number.
    pub fn online(&self) -> Vec<&Node> {
        let mut nodes: Vec<&Node> = self.conf.nodes.iter().filter(|n| self.is_online(n)).collect();
        nodes.sort_by_key(|node| node.id);
        nodes
    }

    pub fn is_online(&self, node: &Node) -> bool {
        self.online.contains(&node.id)
    }

    pub fn votes(&self) -> u64 {
        self.online().iter().map(|node| node.votes).sum()
    }

    /// Votes that are needed.
    pub fn quorum(&self) -> u64 {
        self.expected / 2 + 1
    }

    pub fn is_quorate(&self) -> bool {
        self.votes() >= self.quorum()
    }
}

/// Whether both know each other, run the same file, and share a network on some link.
fn reaches(call: &Call, conf: &CorosyncConf, own: &Node, node: &Node) -> bool {
    let Some(other) = call.neighbour(&node.name) else {
        return false;
    };
    let same = configured(&other).is_some_and(|theirs| theirs.name == conf.name && theirs.node(&own.name) == Some(own));
    same && version(&other) == version(call) && (0..8).any(|link| is_linked(call, &other, own, node, link))
}

/// Whether a link between two nodes is up: the switch `link-N-down` of a node takes its end down.
pub fn is_linked(call: &Call, other: &Call, own: &Node, node: &Node, link: u8) -> bool {
    let is_down = |machine: &Call| machine.switch(&format!("link-{link}-down")).is_some();
    let ends = own.addresses.get(&link).zip(node.addresses.get(&link));
    ends.is_some_and(|(one, two)| is_near(one, two)) && !is_down(call) && !is_down(other)
}
