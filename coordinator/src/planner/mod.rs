//! What to do next, for the whole fleet.
//!
//! [`decide`] is pure and is given no hint: it runs on every wake-up and on a timer, looks at all of the fleet, and
//! says the same for the same fleet. What it decides is stored before it is sent.

mod fleet;
mod network;
#[cfg(test)]
mod tests;

use heeler_proto::{Generation, NodeName, TaskId};
use heeler_store::TaskState;

pub use fleet::{Fleet, NodeView, SessionView, TaskView};

/// How long a person's word holds: a task that no agent has taken within it is never begun.
pub const TASK_LIFETIME_MS: u64 = 60 * 60 * 1000;
/// Older facts are asked for again.
pub const FACTS_LIFETIME_MS: u64 = 5 * 60 * 1000;

/// How often the accepted revision is compared with a node.
pub const COMPARE_EVERY_MS: u64 = 30 * 60 * 1000;
/// After a comparison that came to nothing, or that a task has made old.
const COMPARE_AGAIN_MS: u64 = 60 * 1000;
/// From a session's begin to its first comparison, and between those of two nodes that came at once.
const COMPARE_FIRST_MS: u64 = 2_000;
const COMPARE_APART_MS: u64 = 200;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Hand the task out over that session.
    Assign {
        /// To whom.
        node: NodeName,
        /// As `heeler task show` takes it.
        task: TaskId,
        /// In which order.
        generation: Generation,
        /// It has never been handed out before: its generation is new.
        first: bool,
        /// [`SessionView::id`].
        session: u64,
        /// Of a change of the network: who must confirm it.
        peers: Option<Vec<NodeName>>,
    },
    /// The task is over without the agent's word.
    Refuse {
        /// As `heeler task show` takes it.
        task: TaskId,
        /// Why.
        why: Why,
    },
    /// Ask a peer whether it reaches the node whose network was changed.
    Ask {
        /// Whom.
        peer: NodeName,
        /// [`SessionView::id`].
        session: u64,
        /// Whose network.
        about: NodeName,
    },
    /// A node's change of its network stays.
    Confirm {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// Peers that reach it; none: none is up on the backplane.
        by: Vec<NodeName>,
    },
    /// A node's change of its network cannot stay as things are.
    Doubt {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// Why, for the person, should the node come to undo it.
        reason: String,
    },
    /// Compare the accepted revision with the node: a look, which changes nothing.
    Compare {
        /// Whom.
        node: NodeName,
        /// [`SessionView::id`].
        session: u64,
    },
    /// Ask the node for facts.
    Look {
        /// Whom.
        node: NodeName,
        /// [`SessionView::id`].
        session: u64,
    },
}

/// Why a task is over without the agent's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody has taken it for an hour.
    TooLate,
    /// Its node was revoked.
    Revoked {
        /// The agent had taken it.
        begun: bool,
    },
    /// Its node was paused before it was handed out.
    Paused,
}

impl Why {
    /// In words, with what to type.
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

/// What to do next. Decisions about different nodes do not depend on each other, but for this: one network is changed at
/// a time, so that those who must say whether they reach a node stand still themselves.
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

/// Its network is being changed, and it is there, or was a moment ago.
fn is_changing(node: &NodeView, now_ms: u64) -> bool {
    network::is_there(node, now_ms) && !node.revoked && node.changing().is_some()
}

/// A node without a task is compared soon after it came, and every half-hour.
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

/// A time that is yet to come was kept before the clock went back: it counts as long ago.
fn past(at_ms: u64, now_ms: u64) -> u64 {
    if at_ms <= now_ms { at_ms } else { 0 }
}

fn decide_node(epoch: u64, node: &NodeView, now_ms: u64) -> Vec<Decision> {
    let refused = |task: &TaskView| -> Option<Why> {
        let taken = task.state == TaskState::Running;
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

    // One task in hand: the next one waits until this one is over.
    match node.open.iter().find(|task| refused(task).is_none()) {
        // What was sent and not taken is not sent again: a paused node that has it says so by itself.
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
