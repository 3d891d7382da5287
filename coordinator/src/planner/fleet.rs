use heeler_proto::{Generation, NodeName, TaskId};
use heeler_store::TaskState;

use crate::pending::Pending;

/// The fleet as the planner sees it: the record and the sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    /// Epoch of the coordinator.
    pub epoch: u64,
    /// Whether there is an accepted revision.
    pub accepted: bool,
    /// The nodes, by name.
    pub nodes: Vec<NodeView>,
}

/// A node, as the planner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub name: NodeName,
    /// Whether its key is shut out; then it gets nothing.
    pub revoked: bool,
    /// Whether it is paused; then it gets no new tasks.
    pub paused: bool,
    /// Counter of the newest generation that was handed out; 0: none.
    pub counter: u64,
    /// When it was heard last, Unix milliseconds; 0: never.
    pub last_seen_ms: u64,
    /// When it was last compared with the accepted revision, Unix milliseconds; 0: not yet.
    pub compared_at_ms: u64,
    /// When its facts arrived, Unix milliseconds; 0: never.
    pub facts_at_ms: u64,
    /// Whether its facts show it up on the backplane. Set only while a network change is to begin.
    pub on_backplane: bool,
    /// Its session; None while it is not connected.
    pub session: Option<SessionView>,
    /// Tasks that have not ended, oldest first.
    pub open: Vec<TaskView>,
}

/// An open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Number of the session, unique while the coordinator runs.
    pub id: u64,
    /// When it began, Unix milliseconds.
    pub since_ms: u64,
    /// When it was last asked for a comparison, Unix milliseconds; 0: never.
    pub compare_asked_at_ms: u64,
    /// When it was last asked for facts, Unix milliseconds; 0: never.
    pub facts_asked_at_ms: u64,
    /// The network change that waited for confirmation when the session opened.
    pub pending: Option<Pending>,
}

impl NodeView {
    /// The network change that waits for confirmation.
    #[must_use]
    pub fn pending(&self) -> Option<&Pending> {
        self.session.as_ref()?.pending.as_ref()
    }

    /// The task that changes the network, if it was handed out and has not ended.
    pub(super) fn changing(&self) -> Option<&TaskView> {
        self.open.iter().find(|task| task.network && task.generation.is_some())
    }
}

/// A task that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskView {
    /// Id of the task.
    pub id: TaskId,
    /// Queued, sent or running.
    pub state: TaskState,
    /// When it was queued, Unix milliseconds.
    pub created_at_ms: u64,
    /// None until it is handed out.
    pub generation: Option<Generation>,
    /// Whether it changes the network.
    pub network: bool,
    /// The nodes that were up on the backplane when it was handed out; None when it was not handed out or that is not
    /// known.
    pub peers: Option<Vec<NodeName>>,
    /// Whether it was handed out over the node's open session.
    pub sent_over_session: bool,
}
