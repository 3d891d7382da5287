//! Decides what to do next for the whole fleet.
//!
//! [`decide`] is pure: the same fleet and time give the same decisions. It runs on every wake-up and on a timer, and
//! always looks at the whole fleet. Decisions are stored before anything is sent.

mod fleet;
mod network;
#[cfg(test)]
mod tests;

use heeler_proto::{Generation, NodeName, TaskId};
use heeler_store::{OperationState, TaskState};

use crate::operation::{NetworkChange, Verdict};

pub use fleet::{ChangeView, Fleet, NodeView, Ready, SessionView, TaskView};

/// How long a plan and its consents are valid. A task that no agent has taken within this time after it was ready is
/// never started.
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Hand the task out over that session.
    Assign {
        /// Node that gets the task.
        node: NodeName,
        task: TaskId,
        generation: Generation,
        /// Whether the task is handed out for the first time, under a new generation.
        first: bool,
        session: u64,
        /// For a network change: the nodes that must confirm it. Else None.
        peers: Option<Vec<NodeName>>,
    },
    /// End the task without an answer from the agent.
    Refuse { task: TaskId, why: Why },
    /// Store how far a network change has got, then ask the peers and tell the node.
    Proceed {
        operation: u64,
        /// The node whose network changes.
        node: NodeName,
        change: NetworkChange,
        /// Peers to ask whether they reach the node.
        ask: Vec<NodeName>,
        /// What to tell the node; None: nothing new.
        verdict: Option<Verdict>,
    },
    /// End an operation.
    End {
        operation: u64,
        state: OperationState,
        /// Why, as a clause.
        reason: String,
    },
    /// Compare the node with the accepted revision. Changes nothing on it.
    Compare { node: NodeName, session: u64 },
    /// Ask the node for facts.
    Look { node: NodeName, session: u64 },
}

/// Why a task ends without an answer from the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// No agent took it within an hour after it was ready.
    TooLate,
    /// It waits for another task, and its node has not been connected for an hour.
    Away,
    /// A consent expired before the task was ready.
    ConsentExpired,
    /// Its predecessor, of this kind, was not done.
    Unreached(String),
    /// The node's key was shut out.
    Revoked {
        /// Whether the agent had taken it; then its outcome is not known.
        begun: bool,
    },
    /// The node was paused before the task was handed out.
    Paused,
    /// It changes the network of a node that is not connected, and another node waits for its turn.
    LeftInChange,
}

impl Why {
    /// The reason for a person, with what to type.
    pub fn text(&self) -> String {
        let text = match self {
            Self::TooLate => "the node did not take the task within an hour; nothing was done. Look again: heeler plan",
            Self::Away => {
                "the node was not connected for an hour, and its earlier task has not ended; nothing was done. When it \
                 is back: heeler plan"
            }
            Self::ConsentExpired => {
                "its consent, which is valid for an hour, expired while an earlier task ran; nothing was done. Look \
                 again: heeler plan"
            }
            Self::Unreached(kind) => return format!("not started: {kind}, which comes first, did not finish"),
            Self::Paused => {
                "the node was paused before it got the task; nothing was done. After the pause: heeler plan"
            }
            Self::LeftInChange => {
                "the node was not connected for 3 minutes while its network was to change, and another node waits for \
                 its turn; the node undoes what was not confirmed. When it is back: heeler plan"
            }
            Self::Revoked { begun: false } => "the node was revoked before it took the task; nothing was done",
            Self::Revoked { begun: true } => "the node was revoked during the task: how far the task got is not known",
        };
        text.to_owned()
    }
}

/// What to do next. Decisions about different nodes are independent, except that only one node's network changes at a
/// time: peers that must confirm a change must not change themselves. A node that left during its change holds up no
/// other: its change is given up first.
pub fn decide(fleet: &Fleet, now_ms: u64) -> Vec<Decision> {
    let mut changing = fleet
        .nodes
        .iter()
        .find(|node| !node.revoked && node.changing().is_some());
    // The node whose change holds up another.
    let mut holds_up = None;
    let mut decisions: Vec<_> = fleet.nodes.iter().filter_map(network::ended).collect();
    for node in &fleet.nodes {
        for mut decision in decide_node(fleet, node, now_ms) {
            let network = |task: &TaskId| node.open.iter().any(|open| open.id == *task && open.network);
            if let Decision::Assign { task, first, peers, .. } = &mut decision
                && network(task)
            {
                if let Some(other) = changing.filter(|other| other.name != node.name) {
                    holds_up.get_or_insert(other);
                    continue;
                }
                if *first && network::too_soon(fleet, node, now_ms) {
                    continue;
                }
                changing = Some(node);
                *peers = Some(network::up_beside(fleet, node, now_ms));
            }
            decisions.push(decision);
        }
    }
    decisions.extend(
        holds_up
            .into_iter()
            .flat_map(|node| network::given_up(fleet, node, now_ms)),
    );
    decisions.extend(
        fleet
            .nodes
            .iter()
            .filter_map(|node| network::proceed(fleet, node, now_ms)),
    );
    for (node, place) in fleet.nodes.iter().zip(0..).filter(|_| fleet.accepted) {
        decisions.extend(compare(node, place, now_ms));
    }
    decisions
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

/// Why the task is never started, or its outcome is not waited for.
fn refused(fleet: &Fleet, node: &NodeView, task: &TaskView, now_ms: u64) -> Option<Why> {
    // `abs_diff`: a time in the future, stored before the clock went back, is too long ago as well.
    let too_long = |since_ms: u64| now_ms.abs_diff(since_ms) >= TASK_LIFETIME_MS;
    let (queued, taken) = (task.state == TaskState::Queued, task.state == TaskState::Running);
    match &task.ready {
        _ if node.revoked => Some(Why::Revoked { begun: taken }),
        _ if node.paused && queued => Some(Why::Paused),
        _ if taken => None,
        Ready::Never(kind) => Some(Why::Unreached(kind.clone())),
        // A node that was away gets nothing later that nobody asks for again.
        Ready::Waits => {
            let away = node.session.is_none() && too_long(node.last_seen_ms.max(fleet.since_ms));
            away.then_some(Why::Away)
        }
        Ready::At(since_ms) if too_long(*since_ms) => Some(Why::TooLate),
        Ready::At(_) => {
            let expired = task.consented_until_ms.is_some_and(|until_ms| until_ms <= now_ms);
            (queued && expired).then_some(Why::ConsentExpired)
        }
    }
}

fn decide_node(fleet: &Fleet, node: &NodeView, now_ms: u64) -> Vec<Decision> {
    let mut decisions = Vec::new();
    let mut going = Vec::new();
    for task in &node.open {
        match refused(fleet, node, task, now_ms) {
            Some(why) => decisions.push(Decision::Refuse {
                task: task.id.clone(),
                why,
            }),
            None => going.push(task),
        }
    }
    let Some(session) = node.session.as_ref().filter(|_| !node.revoked) else {
        return decisions;
    };

    // A node gets one task at a time; the next one waits until it ends.
    let handed_out = going.iter().find(|task| task.generation.is_some());
    match handed_out.or_else(|| going.iter().find(|task| task.ready != Ready::Waits)) {
        // A paused node may have got this task. It is not sent again; the agent reports it if it has it.
        Some(task) if node.paused && task.state == TaskState::Sent => {}
        Some(task) if !task.sent_over_session => decisions.push(Decision::Assign {
            node: node.name.clone(),
            task: task.id.clone(),
            generation: task.generation.unwrap_or(Generation {
                epoch: fleet.epoch,
                counter: node.counter + 1,
            }),
            first: task.generation.is_none(),
            session: session.id,
            peers: None,
        }),
        None if going.is_empty() => {
            let asked_ms = past(node.facts_at_ms, now_ms).max(past(session.facts_asked_at_ms, now_ms));
            if now_ms >= asked_ms.saturating_add(FACTS_LIFETIME_MS) {
                decisions.push(Decision::Look {
                    node: node.name.clone(),
                    session: session.id,
                });
            }
        }
        _ => {}
    }
    decisions
}
