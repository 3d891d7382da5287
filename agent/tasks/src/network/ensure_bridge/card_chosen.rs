use heeler_host::{RunError, System};
use heeler_proto::EnsureBridge;

use super::state::State;
use crate::engine::{Plan, Step, StepName};

/// The LAN's card is known by its hardware address.
pub(super) struct CardChosen {
    pub(super) task: EnsureBridge,
}

impl Step for CardChosen {
    const NAME: StepName = "CardChosen";
    type Observed = State;

    async fn observe(&self, host: &dyn System) -> Result<State, RunError> {
        State::of(host).await
    }

    fn plan(&self, seen: &State) -> Plan {
        seen.not_here().unwrap_or_else(|| match seen.choose(&self.task) {
            Ok(_) => Plan::Satisfied,
            Err(blocked) => Plan::Blocked(blocked),
        })
    }
}
