use heeler_proto::{Generation, NodeName, TaskId};
use heeler_store::TaskState;

use crate::operation::{Armed, NetworkChange};

/// The fleet as the planner sees it: the record and the sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    pub epoch: u64,
    /// When the coordinator started, Unix milliseconds. It has heard nobody before.
    pub since_ms: u64,
    pub accepted: bool,
    /// The nodes, by name.
    pub nodes: Vec<NodeView>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
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
    /// The open operation that changes its network.
    pub change: Option<ChangeView>,
    /// Tasks that have not ended, oldest first.
    pub open: Vec<TaskView>,
}

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
}

/// An open operation that changes a node's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeView {
    pub operation: u64,
    /// How far it has got.
    pub change: NetworkChange,
    /// How its task ended, and why; None while that is open.
    pub ended: Option<(TaskState, String)>,
}

impl NodeView {
    /// The change of its network that goes on.
    pub(super) fn changing(&self) -> Option<&ChangeView> {
        self.change.as_ref().filter(|change| change.ended.is_none())
    }

    /// The change that the connected node has made, and that is not confirmed yet.
    pub fn unconfirmed(&self) -> Option<&Armed> {
        let change = &self.changing()?.change;
        change.armed.as_ref().filter(|_| {
            let connected = self.session.is_some() && !self.revoked;
            connected && !change.is_confirmed()
        })
    }
}

/// Whether a task may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// Since then, Unix milliseconds: when it was queued, or when its predecessor was done.
    At(u64),
    /// Its predecessor is open.
    Waits,
    /// Its predecessor, of this kind, ended and was not done.
    Never(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskView {
    pub id: TaskId,
    /// Queued, sent or running.
    pub state: TaskState,
    pub ready: Ready,
    /// When the first of its consents expires, Unix milliseconds; None without consents.
    pub consented_until_ms: Option<u64>,
    /// None until it is handed out.
    pub generation: Option<Generation>,
    pub network: bool,
    /// Whether it was handed out over the node's open session.
    pub sent_over_session: bool,
}
