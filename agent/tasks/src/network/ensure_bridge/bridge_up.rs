use std::time::Duration;

use heeler_host::guard::{GuardState, Way, Written};
use heeler_host::{RunError, System, UnitAction, bridge, ifupdown};
use heeler_proto::EnsureBridge;

use super::card::{Card, unknown};
use super::state::{State, UNITS};
use crate::engine::{GuardAction, Op, Plan, Step, StepName};
use crate::network::timer_missing;

/// How long the bridge may take to come up without a reboot.
const SETTLE: Duration = Duration::from_secs(30);

/// The bridge has the card, the LAN address and the default route, now and after each boot.
pub(super) struct BridgeUp {
    pub(super) task: EnsureBridge,
}

impl Step for BridgeUp {
    const NAME: StepName = "BridgeUp";
    type Observed = State;

    async fn observe(&self, host: &dyn System) -> Result<State, RunError> {
        State::of(host).await
    }

    fn plan(&self, seen: &State) -> Plan {
        if let Some(not_here) = seen.not_here() {
            return not_here;
        }
        let Ok(card) = seen.choose(&self.task) else {
            return unknown();
        };
        if seen.holds(&self.task) {
            return Plan::Satisfied;
        }
        if matches!(seen.guard, GuardState::Armed(_)) {
            return Plan::After("NothingHalfDone");
        }
        if let Some(blocked) = self.obstacle(seen, card) {
            return blocked;
        }
        let files = seen.files.ops(&self.task, &card.nic.mac);
        let units = Self::units(seen);
        // The bridge is up, and only its next boot differs.
        if files.is_empty() && seen.is_live(&self.task) {
            return Plan::change(units);
        }
        let at_boot = !(card.bridged && units.is_empty());
        let mut ops = vec![Op::Guard(GuardAction::Arm(self.way(seen, card, at_boot)))];
        ops.extend(files);
        ops.push(Op::Run(ifupdown::check_syntax()));
        ops.extend(units);
        ops.push(match at_boot {
            true => Op::Reboot {
                reason: format!(
                    "{} takes over the LAN from the present network program",
                    self.task.bridge
                ),
                trial: false,
            },
            false => Op::Run(ifupdown::apply()),
        });
        Plan::Change { ops, settle: SETTLE }
    }
}

impl BridgeUp {
    fn way(&self, seen: &State, card: Card<'_>, at_boot: bool) -> Way {
        let bridge = self.task.bridge.as_str();
        let (from, addresses) = match seen.interfaces.get(bridge) {
            Some(interface) => (bridge, &interface.addresses),
            None => (card.nic.name.as_str(), &card.nic.addresses),
        };
        let before = match addresses.as_slice() {
            [] => "without an address".to_owned(),
            addresses => addresses.join(", "),
        };
        Way {
            change: format!(
                "{from} {before} -> {bridge} {} through {}",
                self.task.address, self.task.gateway
            ),
            address: self.task.address.address.to_string(),
            name: bridge.to_owned(),
            old_name: bridge.to_owned(),
            files: vec![bridge::CARD_PATH.into(), ifupdown::PATH.into()],
            written: Written::Interfaces,
            units: UNITS.map(str::to_owned).to_vec(),
            router: Some(self.task.gateway.to_string()),
            at_boot,
        }
    }

    /// NetworkManager is switched off for the next boot, not stopped: until then it renews the address. Its connections
    /// stay on the disk.
    fn units(seen: &State) -> Vec<Op> {
        let mut ops = Vec::new();
        let mut act = |unit: &str, action| {
            let unit = unit.to_owned();
            ops.push(Op::Unit { unit, action });
        };
        if seen.networking.enabled != "enabled" {
            act(ifupdown::UNIT, UnitAction::Enable);
        }
        for unit in seen.others_on() {
            act(unit, UnitAction::Disable);
        }
        ops
    }

    /// Blocked, when nothing may be changed now.
    fn obstacle(&self, seen: &State, card: Card<'_>) -> Option<Plan> {
        if let Some(blocked) = seen.files.contradiction(&self.task, &card.nic.name) {
            return Some(Plan::Blocked(blocked));
        }
        if seen.networking.load != "loaded" {
            return Some(Plan::blocked(
                format!("{} is {}", ifupdown::UNIT, seen.networking.load),
                "without it nothing makes the bridge at boot",
                format!("on the node: systemctl unmask {}; then: heeler plan", ifupdown::UNIT),
            ));
        }
        timer_missing(&seen.timer)
    }
}
