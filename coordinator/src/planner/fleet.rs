use heeler_proto::{Generation, NodeName, TaskId};
use heeler_store::TaskState;

use crate::pending::Pending;

/// The fleet as the planner sees it: what is stored, and who is connected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    /// The coordinator's.
    pub epoch: u64,
    /// There is an accepted revision.
    pub accepted: bool,
    /// By name.
    pub nodes: Vec<NodeView>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub name: NodeName,
    /// Nothing may be handed to it.
    pub revoked: bool,
    /// Held still by a person: nothing new may be handed to it.
    pub paused: bool,
    /// Counter of the last generation that was handed out.
    pub counter: u64,
    /// When it was heard of last.
    pub last_seen_ms: u64,
    /// When the accepted revision was last compared with it; 0: not this revision.
    pub compared_at_ms: u64,
    /// When it was looked at last; 0 never.
    pub facts_at_ms: u64,
    /// It was up on the backplane then; looked at while a change of a network is to begin.
    pub on_backplane: bool,
    /// None: not connected.
    pub session: Option<SessionView>,
    /// Tasks that are not over, the oldest first.
    pub open: Vec<TaskView>,
}

/// An open stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Its number.
    pub id: u64,
    /// When it began.
    pub since_ms: u64,
    /// When a comparison was asked for over it; 0 never.
    pub compare_asked_at_ms: u64,
    /// When facts were asked for over it; 0 never.
    pub facts_asked_at_ms: u64,
    /// The change of the node's network that it was opened after.
    pub pending: Option<Pending>,
}

impl NodeView {
    /// The change of its network that waits to be confirmed.
    #[must_use]
    pub fn pending(&self) -> Option<&Pending> {
        self.session.as_ref()?.pending.as_ref()
    }

    /// The change of its network that was handed out and is not over.
    pub(super) fn changing(&self) -> Option<&TaskView> {
        self.open.iter().find(|task| task.network && task.generation.is_some())
    }
}

/// A task that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskView {
    /// As `heeler task show` takes it.
    pub id: TaskId,
    /// Queued, sent or running.
    pub state: TaskState,
    /// When it was asked for.
    pub created_at_ms: u64,
    /// None until it was handed out.
    pub generation: Option<Generation>,
    /// It changes the network.
    pub network: bool,
    /// Who was up on the backplane when it was handed out; None: it was not, or nobody knows.
    pub peers: Option<Vec<NodeName>>,
    /// It was handed out over the node's open session.
    pub sent_over_session: bool,
}
