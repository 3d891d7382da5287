use std::time::Duration;

use heeler_host::claim::Claim;
use heeler_host::facts::Nic;
use heeler_host::guard::{GuardState, Way, Written};
use heeler_host::{RunError, System, UnitAction, ifupdown, link, netplan, networkd};
use heeler_proto::KeepBackplane;

use super::card::unknown;
use super::state::State;
use crate::engine::{GuardAction, Key, Op, Plan, Step, StepName};
use crate::network::timer_missing;

/// How long networkd may take to set the address.
const SETTLE: Duration = Duration::from_secs(30);

/// The card has its fixed name and address, now and after each boot, and the change was confirmed.
pub(super) struct BackplaneUp {
    pub(super) task: KeepBackplane,
    pub(super) resumed: bool,
}

impl Step for BackplaneUp {
    const NAME: StepName = "BackplaneUp";
    type Observed = State;

    async fn observe(&self, host: &dyn System) -> Result<State, RunError> {
        State::of(host, &self.task).await
    }

    fn plan(&self, seen: &State) -> Plan {
        let Ok(nic) = seen.cards.choose(&self.task) else {
            return unknown();
        };
        let holds = seen.holds(&self.task);
        match &seen.guard {
            GuardState::Armed(_) if holds => return Plan::change(vec![Op::Guard(GuardAction::Confirm)]),
            GuardState::Armed(_) => return Plan::After("NothingHalfDone"),
            GuardState::Undone(undone) if self.resumed => {
                return Plan::blocked(
                    format!("{} was undone: {}", undone.change, undone.reason),
                    "the network is as it was before; Heeler does not try again by itself, because it could fail again",
                    "fix the cause, then: heeler apply",
                );
            }
            // The card keeps its address while it runs, but a file that wins takes effect at the next boot.
            GuardState::Idle | GuardState::Undone(_) if holds => {
                let winners = seen.claims.iter().filter(|claim| claim.wins);
                return claimed(nic, winners).map_or(Plan::Satisfied, |blocked| blocked.at(Key::Backplane, ""));
            }
            _ => {}
        }
        let blocked = self.obstacle(seen, nic).or_else(|| claimed(nic, seen.claims.iter()));
        if let Some(blocked) = blocked {
            return blocked.at(Key::Backplane, "");
        }
        let (files, paths) = seen.files.ops(&self.task, &nic.mac, seen.written);
        let way = Way {
            change: self.change(nic),
            address: self.task.address.address.to_string(),
            name: link::BACKPLANE.to_owned(),
            old_name: nic.name.clone(),
            files: paths.into_iter().map(Into::into).collect(),
            written: seen.written,
            units: Vec::new(),
            router: None,
            at_boot: false,
        };
        let mut ops = vec![Op::Guard(GuardAction::Arm(way))];
        ops.extend(files);
        if seen.written == Written::Netplan {
            ops.push(Op::Run(netplan::generate()));
        }
        if nic.name != link::BACKPLANE {
            ops.push(Op::Run(link::reload()));
            ops.push(Op::Run(link::apply(&nic.name)));
        }
        match seen.written {
            Written::Netplan => ops.extend(by_networkd(seen.network_manager)),
            Written::Interfaces => ops.push(Op::Run(ifupdown::apply())),
        }
        ops.push(Op::Guard(GuardAction::Confirm));
        Plan::Change { ops, settle: SETTLE }
    }
}

/// Applies the change to this card only; the others, with the agent's session, stay up.
fn by_networkd(network_manager: bool) -> impl Iterator<Item = Op> {
    let leave = network_manager.then(|| Op::Run(networkd::managed(link::BACKPLANE, false)));
    let start = Op::Unit {
        unit: networkd::UNIT.to_owned(),
        action: UnitAction::Start,
    };
    let up = networkd::reconfigure(link::BACKPLANE).map(Op::Run);
    leave.into_iter().chain([start]).chain(up)
}

/// The number of foreign lines that a message lists.
const SHOWN: usize = 3;

/// Blocked, when other files configure the card.
fn claimed<'c>(nic: &Nic, claims: impl Iterator<Item = &'c Claim>) -> Option<Plan> {
    let claims: Vec<_> = claims.collect();
    let first = claims.first()?;
    let lines = claims.iter().take(SHOWN);
    let lines: Vec<_> = lines
        .map(|claim| format!("{}:{}: {}", claim.path, claim.line, claim.text))
        .collect();
    let more = match claims.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let why = match first.wins {
        true => "that file configures the card, so Heeler's address would not come up, or would be gone after a reboot",
        false => "two files that configure one card contradict each other",
    };
    Some(Plan::blocked(
        format!(
            "the backplane's card {} ({}) is also configured by {}{more}",
            nic.name,
            nic.mac,
            lines.join("; ")
        ),
        why,
        "if the card is for the backplane alone, take it out of that file; if not, name another card in heeler.toml: \
         mac = \"…\"; then: heeler plan",
    ))
}

impl BackplaneUp {
    fn change(&self, nic: &Nic) -> String {
        let before = match nic.addresses.as_slice() {
            [] => "none".to_owned(),
            addresses => addresses.join(", "),
        };
        format!("backplane {before} -> {}", self.task.address)
    }

    /// Blocked, when nothing may be changed now.
    fn obstacle(&self, seen: &State, nic: &Nic) -> Option<Plan> {
        if let Some(refusal) = nic.refusal.as_ref().filter(|refusal| refusal.is_final()) {
            return Some(Plan::blocked(
                format!("this plan changes the backplane's card, but {refusal}"),
                "changing it could cut off the access to this node",
                "let the coordinator and your own ssh connect over the other card; then: heeler plan",
            ));
        }
        if let Some(address) = seen
            .files
            .foreign(&self.task)
            .filter(|_| seen.written == Written::Interfaces)
        {
            return Some(Plan::blocked(
                format!("{} gives {} the address {address:?}", ifupdown::PATH, link::BACKPLANE),
                "Heeler did not write that, and does not overwrite it",
                "correct it there, or in heeler.toml; then: heeler plan",
            ));
        }
        if let Some((name, cure)) = seen.missing {
            return Some(Plan::blocked(
                format!("{name} is missing on this node"),
                "the backplane's card cannot come up without it",
                format!("on the node: {cure}; then: heeler plan"),
            ));
        }
        timer_missing(&seen.timer)
    }
}
