use std::time::Duration;

use heeler_host::guard::{Armed, GuardState};
use heeler_host::{RunError, System, ifupdown};
use heeler_proto::EnsureBridge;

use super::state::State;
use crate::engine::{GuardAction, Op, Plan, Remove, Step, StepName, fingerprint};

/// How long it may take until an undone bridge has its old address.
const SETTLE: Duration = Duration::from_secs(30);
/// How long after the boot the bridge may come up. The guard waits longer.
const COMES_UP_S: u64 = 45;
/// The number of staged lines that a message shows.
const SHOWN: usize = 6;

/// No change is incomplete: an interrupted one is complete or undone, and none waits in Proxmox.
pub(super) struct NothingHalfDone {
    pub(super) task: EnsureBridge,
    pub(super) resumed: bool,
}

impl Step for NothingHalfDone {
    const NAME: StepName = "NothingHalfDone";
    type Observed = State;

    async fn observe(&self, host: &dyn System) -> Result<State, RunError> {
        State::of(host).await
    }

    fn plan(&self, seen: &State) -> Plan {
        match &seen.guard {
            GuardState::Armed(armed) => return self.pending(seen, armed),
            GuardState::Undone(undone) if self.resumed && !seen.holds(&self.task) => {
                return Plan::blocked(
                    format!("{} was undone: {}", undone.change, undone.reason),
                    "the network is as it was before; Heeler does not try again by itself, because it could fail again",
                    "fix the cause, then: heeler apply",
                );
            }
            GuardState::Undone(_) | GuardState::Idle => {}
        }
        seen.not_here().unwrap_or_else(|| self.staged(seen))
    }
}

impl NothingHalfDone {
    fn pending(&self, seen: &State, armed: &Armed) -> Plan {
        let ours = armed.way.name == self.task.bridge.as_str() && !seen.undoing && seen.is_written(&self.task);
        if ours && seen.is_live(&self.task) {
            return Plan::Satisfied;
        }
        if ours && armed.way.at_boot && !armed.is_of_boot(&seen.boot_id) && seen.up_s < COMES_UP_S {
            return Plan::Retry {
                after: Duration::from_secs(5),
                why: format!("{} has not come up yet since the reboot", self.task.bridge),
            };
        }
        Plan::Change {
            ops: vec![Op::Guard(GuardAction::Undo)],
            settle: SETTLE,
        }
    }

    /// Proxmox moves the staged file over the real one at the next boot.
    fn staged(&self, seen: &State) -> Plan {
        let Some(staged) = &seen.files.staged else {
            return Plan::Satisfied;
        };
        if seen.files.staged_is_empty() {
            let remove = Op::Remove(Remove {
                path: ifupdown::STAGED.into(),
                expects: fingerprint(Some(staged.as_bytes())),
            });
            return Plan::change(vec![remove.explained(
                "drop Proxmox's staged file, which says nothing and would replace the real one at boot",
            )]);
        }
        if seen.holds(&self.task) && seen.files.staged_holds(&self.task) {
            return Plan::Told(format!(
                "changes wait in {}; they leave {} as it is, and take effect at the next boot",
                ifupdown::STAGED,
                self.task.bridge
            ));
        }
        let lines = staged.lines().map(str::trim);
        let told: Vec<&str> = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let more = if told.len() > SHOWN { "; …" } else { "" };
        let told: String = told[..told.len().min(SHOWN)].join("; ").chars().take(300).collect();
        Plan::blocked(
            format!("changes wait in {}: {told}{more}", ifupdown::STAGED),
            "Proxmox would put that file in the place of the one that Heeler writes, at the next boot",
            "look at the node's System > Network in Proxmox's web page; to drop the changes there: Revert; then: heeler plan",
        )
    }
}
