use std::time::Duration;

use heeler_host::guard::GuardState;
use heeler_host::{RunError, System};
use heeler_proto::KeepBackplane;

use super::state::State;
use crate::engine::{GuardAction, Op, Plan, Step, StepName};

/// How long it may take until the card has its old address.
const SETTLE: Duration = Duration::from_secs(30);

/// No change is incomplete: an interrupted one is complete or undone.
pub(super) struct NothingHalfDone {
    pub(super) task: KeepBackplane,
}

impl Step for NothingHalfDone {
    const NAME: StepName = "NothingHalfDone";
    type Observed = State;

    async fn observe(&self, host: &dyn System) -> Result<State, RunError> {
        State::of(host, &self.task).await
    }

    fn plan(&self, seen: &State) -> Plan {
        match seen.guard {
            GuardState::Armed(_) if !seen.holds(&self.task) => Plan::Change {
                ops: vec![Op::Guard(GuardAction::Undo)],
                settle: SETTLE,
            },
            _ => Plan::Satisfied,
        }
    }
}
