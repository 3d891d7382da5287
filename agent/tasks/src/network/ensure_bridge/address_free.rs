use heeler_host::{RunError, System};
use heeler_proto::EnsureBridge;

use super::card::unknown;
use super::state::State;
use crate::engine::{Plan, Step, StepName};

/// The card has a link, the router answers on it, and no other machine has the node's address.
pub(super) struct AddressFree {
    pub(super) task: EnsureBridge,
}

pub(super) struct Observed {
    state: State,
    /// None when it was not asked.
    asked: Option<Asked>,
}

struct Asked {
    /// The hardware address of another machine that has the node's.
    taken: Option<String>,
    router: bool,
}

impl Step for AddressFree {
    const NAME: StepName = "AddressFree";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let state = State::of(host).await?;
        let idle = state.not_here.is_some() || state.holds(&self.task);
        let card = state.choose(&self.task).ok();
        let asked = match card.filter(|card| !idle && card.nic.up && card.nic.carrier) {
            None => None,
            Some(card) => {
                let name = match card.bridged {
                    true => self.task.bridge.as_str(),
                    false => &card.nic.name,
                };
                let who = async |address| {
                    host.address_taken(name, address)
                        .await
                        .map_err(|source| RunError::File {
                            path: format!("the network behind {name}"),
                            source,
                        })
                };
                Some(Asked {
                    taken: who(self.task.address.address).await?,
                    router: who(self.task.gateway).await?.is_some(),
                })
            }
        };
        Ok(Observed { state, asked })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let state = &seen.state;
        if let Some(not_here) = state.not_here() {
            return not_here;
        }
        let Ok(card) = state.choose(&self.task) else {
            return unknown();
        };
        let (address, gateway) = (self.task.address.address, self.task.gateway);
        match &seen.asked {
            None if state.holds(&self.task) => Plan::Satisfied,
            None => Plan::blocked(
                format!("{} ({}) has no link", card.nic.mac, card.nic.name),
                "without a link Heeler cannot check the router, and whether the node's address is free",
                "plug the cable in at both ends; then: heeler plan",
            ),
            Some(Asked { taken: Some(mac), .. }) => Plan::blocked(
                format!("{address} is in use: {mac} answers for it, too"),
                "two machines with the same address lose their connections",
                "give this node or the other machine another address; then: heeler plan",
            ),
            Some(Asked { router: false, .. }) => Plan::blocked(
                format!(
                    "nobody answers for {gateway}, the gateway in heeler.toml, on {}",
                    card.nic.name
                ),
                "through a wrong router the node reaches nothing outside its LAN",
                "correct gateway in [network] of heeler.toml, or switch the router on; then: heeler plan",
            ),
            Some(_) => Plan::Satisfied,
        }
    }
}
