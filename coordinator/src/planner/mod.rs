//! Decides what to do next for the whole fleet.
//!
//! [`decide`] is pure: the same fleet and time give the same decisions. It runs on every wake-up and on a timer, and
//! always looks at the whole fleet. Decisions are stored before anything is sent.

mod fleet;
mod network;
#[cfg(test)]
mod tests;

use heeler_proto::{Generation, NodeName, TaskId};
use heeler_store::TaskState;

pub use fleet::{Fleet, NodeView, SessionView, TaskView};

/// How long a plan and its consents are valid. A task that no agent has taken within this time is never started.
pub const TASK_LIFETIME_MS: u64 = 60 * 60 * 1000;
/// Facts of this age are asked for again.
pub const FACTS_LIFETIME_MS: u64 = 5 * 60 * 1000;

/// Time between two comparisons of a node with the accepted revision.
pub const COMPARE_EVERY_MS: u64 = 30 * 60 * 1000;
/// Wait after a comparison that gave no result, or whose result a task has made old.
const COMPARE_AGAIN_MS: u64 = 60 * 1000;
/// Wait from the start of a session to its first comparison. The second constant is added for each node before it in
/// the list, so that nodes that connect at once are compared one after the other.
const COMPARE_FIRST_MS: u64 = 2_000;
const COMPARE_APART_MS: u64 = 200;

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Hand the task out over that session.
    Assign {
        /// Node that gets the task.
        node: NodeName,
        /// Id of the task.
        task: TaskId,
        /// Generation of the assignment.
        generation: Generation,
        /// Whether the task is handed out for the first time, under a new generation.
        first: bool,
        /// The session to use, by [`SessionView::id`].
        session: u64,
        /// For a network change: the nodes that must confirm it. Else None.
        peers: Option<Vec<NodeName>>,
    },
    /// End the task without an answer from the agent.
    Refuse {
        /// Id of the task.
        task: TaskId,
        /// The reason.
        why: Why,
    },
    /// Ask a peer whether it reaches the node with the changed network.
    Ask {
        /// The peer to ask.
        peer: NodeName,
        /// The session to use, by [`SessionView::id`].
        session: u64,
        /// The node with the changed network.
        about: NodeName,
    },
    /// Confirm a node's network change.
    Confirm {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// Peers that reach it; empty when none is up on the backplane.
        by: Vec<NodeName>,
    },
    /// Tell a node why its network change is not confirmed yet.
    Doubt {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// The reason, which a person reads if the node undoes the change.
        reason: String,
    },
    /// Compare the node with the accepted revision. Changes nothing on it.
    Compare {
        /// Node to compare.
        node: NodeName,
        /// The session to use, by [`SessionView::id`].
        session: u64,
    },
    /// Ask the node for facts.
    Look {
        /// Node to ask.
        node: NodeName,
        /// The session to use, by [`SessionView::id`].
        session: u64,
    },
}

/// Why a task ends without an answer from the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No agent took it within an hour.
    TooLate,
    /// The node's key was shut out.
    Revoked {
        /// Whether the agent had taken it; then its outcome is not known.
        begun: bool,
    },
    /// The node was paused before the task was handed out.
    Paused,
}

impl Why {
    /// The reason for a person, with what to type.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::TooLate => "the node did not take the task within an hour; nothing was done. Look again: heeler plan",
            Self::Paused => {
                "the node was paused before it got the task; nothing was done. After the pause: heeler plan"
            }
            Self::Revoked { begun: false } => "the node was revoked before it took the task; nothing was done",
            Self::Revoked { begun: true } => "the node was revoked during the task: how far the task got is not known",
        }
    }
}

/// What to do next. Decisions about different nodes are independent, except that only one node's network changes at a
/// time: peers that must confirm a change must not change themselves.
#[must_use]
pub fn decide(fleet: &Fleet, now_ms: u64) -> Vec<Decision> {
    let mut changing = fleet.nodes.iter().find(|node| is_changing(node, now_ms));
    let mut decisions = Vec::new();
    for node in &fleet.nodes {
        let mine = changing.is_none_or(|changing| changing.name == node.name);
        for mut decision in decide_node(fleet.epoch, node, now_ms) {
            let network = |task: &TaskId| node.open.iter().any(|open| open.id == *task && open.network);
            match &mut decision {
                Decision::Assign { task, peers, .. } if network(task) => {
                    if mine {
                        changing = Some(node);
                        *peers = Some(network::up_beside(fleet, node, now_ms));
                        decisions.push(decision);
                    }
                }
                _ => decisions.push(decision),
            }
        }
    }
    decisions.extend(network::decide_network(fleet, now_ms));
    for (node, place) in fleet.nodes.iter().zip(0..).filter(|_| fleet.accepted) {
        decisions.extend(compare(node, place, now_ms));
    }
    decisions
}

/// Whether the node's network is being changed; also true for a short time after it has disconnected.
fn is_changing(node: &NodeView, now_ms: u64) -> bool {
    network::is_there(node, now_ms) && !node.revoked && node.changing().is_some()
}

/// Compares a node that has no task: soon after it connected, then every half-hour.
fn compare(node: &NodeView, place: u64, now_ms: u64) -> Option<Decision> {
    let session = node
        .session
        .as_ref()
        .filter(|_| !node.revoked && node.open.is_empty())?;
    let apart_ms = COMPARE_APART_MS.saturating_mul(place).saturating_add(COMPARE_FIRST_MS);
    let due_ms = match session.compare_asked_at_ms {
        0 => past(session.since_ms, now_ms).saturating_add(apart_ms),
        asked if node.compared_at_ms >= asked => past(asked, now_ms).saturating_add(COMPARE_EVERY_MS),
        asked => past(asked, now_ms).saturating_add(COMPARE_AGAIN_MS),
    };
    (now_ms >= due_ms).then(|| Decision::Compare {
        node: node.name.clone(),
        session: session.id,
    })
}

/// A time in the future was stored before the clock went back, so it counts as long ago.
fn past(at_ms: u64, now_ms: u64) -> u64 {
    if at_ms <= now_ms { at_ms } else { 0 }
}

fn decide_node(epoch: u64, node: &NodeView, now_ms: u64) -> Vec<Decision> {
    let refused = |task: &TaskView| -> Option<Why> {
        let taken = task.state == TaskState::Running;
        // `abs_diff`: a task from the future, made before the clock went back, is late as well.
        let late = now_ms.abs_diff(task.created_at_ms) >= TASK_LIFETIME_MS;
        if node.revoked {
            Some(Why::Revoked { begun: taken })
        } else if node.paused && task.state == TaskState::Queued {
            Some(Why::Paused)
        } else {
            (!taken && late).then_some(Why::TooLate)
        }
    };
    let mut decisions: Vec<_> = node
        .open
        .iter()
        .filter_map(|task| {
            refused(task).map(|why| Decision::Refuse {
                task: task.id.clone(),
                why,
            })
        })
        .collect();
    let Some(session) = node.session.as_ref().filter(|_| !node.revoked) else {
        return decisions;
    };

    // A node gets one task at a time; the next one waits until it ends.
    match node.open.iter().find(|task| refused(task).is_none()) {
        // A paused node may have got this task. It is not sent again; the agent reports it if it has it.
        Some(task) if node.paused && task.state == TaskState::Sent => {}
        Some(task) if !task.sent_over_session => decisions.push(Decision::Assign {
            node: node.name.clone(),
            task: task.id.clone(),
            generation: task.generation.unwrap_or(Generation {
                epoch,
                counter: node.counter + 1,
            }),
            first: task.generation.is_none(),
            session: session.id,
            peers: None,
        }),
        Some(_) => {}
        None => {
            let asked_ms = past(node.facts_at_ms, now_ms).max(past(session.facts_asked_at_ms, now_ms));
            if now_ms >= asked_ms.saturating_add(FACTS_LIFETIME_MS) {
                decisions.push(Decision::Look {
                    node: node.name.clone(),
                    session: session.id,
                });
            }
        }
    }
    decisions
}
