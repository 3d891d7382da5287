use heeler_host::facts::Nic;
use heeler_host::{RunError, System, ip};
use heeler_proto::KeepBackplane;

use super::card::{Cards, cards, unknown};
use crate::engine::{Key, Op, Plan, Step, StepName};

/// The card has a link, and no other machine on it has the address.
pub(super) struct AddressFree {
    pub(super) task: KeepBackplane,
}

pub(super) struct Observed {
    cards: Cards,
    /// The hardware address of the machine that has it; None when there is none, or it was not asked.
    taken: Option<String>,
}

impl Step for AddressFree {
    const NAME: StepName = "AddressFree";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let cards = cards(host).await?;
        let ask = cards
            .choose(&self.task)
            .ok()
            .filter(|nic| nic.up && nic.carrier && !self.has(nic));
        let taken = match ask {
            Some(nic) => host
                .address_taken(&nic.name, self.task.address.address)
                .await
                .map_err(|source| RunError::File {
                    path: format!("the network behind {}", nic.name),
                    source,
                })?,
            None => None,
        };
        Ok(Observed { cards, taken })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        self.judge(seen).at(Key::Backplane, "")
    }
}

impl AddressFree {
    fn judge(&self, seen: &Observed) -> Plan {
        let Ok(nic) = seen.cards.choose(&self.task) else {
            return unknown();
        };
        let address = self.task.address;
        let elsewhere = seen
            .cards
            .nics
            .iter()
            .find(|other| other.name != nic.name && self.has(other));
        if let Some(other) = elsewhere {
            return Plan::blocked(
                format!("another card, {}, already has {address}", other.name),
                "an address on two cards works on neither",
                "give the backplane another address in heeler.toml, or take it from that card; then: heeler plan",
            );
        }
        if !nic.up {
            let op = Op::Run(ip::switch_on(&nic.name));
            return Plan::Change {
                ops: vec![op],
                settle: std::time::Duration::from_secs(10),
            };
        }
        if !nic.carrier {
            return Plan::blocked(
                format!("{} ({}) has no link", nic.mac, nic.name),
                "without a link Heeler cannot check that its address is free and that peers reach it",
                "plug the cable in at both ends; then: heeler plan",
            );
        }
        match &seen.taken {
            None => Plan::Satisfied,
            Some(mac) => Plan::blocked(
                format!("{} is in use: {mac} answers for it", address.address),
                "two machines with the same address lose their connections",
                "give this node or the other machine another address; then: heeler plan",
            ),
        }
    }

    fn has(&self, nic: &Nic) -> bool {
        let wanted = self.task.address.address.to_string();
        nic.addresses
            .iter()
            .any(|address| address.split('/').next() == Some(wanted.as_str()))
    }
}
