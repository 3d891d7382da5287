use heeler_host::guard::GuardState;
use heeler_host::{RunError, System};
use heeler_proto::EnsureBridge;

use super::state::State;
use crate::engine::{GuardAction, Op, Plan, Step, StepName};

/// The router answers over the bridge, and a new session and every peer have confirmed the change.
pub(super) struct ChangeConfirmed {
    pub(super) task: EnsureBridge,
}

impl Step for ChangeConfirmed {
    const NAME: StepName = "ChangeConfirmed";
    type Observed = State;

    async fn observe(&self, host: &dyn System) -> Result<State, RunError> {
        State::of(host).await
    }

    fn plan(&self, seen: &State) -> Plan {
        if let Some(not_here) = seen.not_here() {
            return not_here;
        }
        match &seen.guard {
            _ if !seen.holds(&self.task) => Plan::After("BridgeUp"),
            GuardState::Armed(_) => Plan::change(vec![Op::Guard(GuardAction::Confirm)]),
            GuardState::Idle | GuardState::Undone(_) => Plan::Satisfied,
        }
    }
}
