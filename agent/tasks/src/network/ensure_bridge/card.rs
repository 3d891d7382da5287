use heeler_host::facts::{Nic, Refusal};
use heeler_host::link;
use heeler_proto::EnsureBridge;

use super::state::State;
use crate::engine::{Blocked, Plan};

/// The LAN's card.
#[derive(Debug, Clone, Copy)]
pub(super) struct Card<'s> {
    pub(super) nic: &'s Nic,
    /// Whether it is in the bridge already.
    pub(super) bridged: bool,
}

impl State {
    /// The card in the bridge, else the one that has the LAN address, else the one with the default route into the
    /// LAN; never a guess.
    pub(super) fn choose(&self, task: &EnsureBridge) -> Result<Card<'_>, Blocked> {
        let bridge = task.bridge.as_str();
        let in_it = |nic: &&Nic| matches!(&nic.refusal, Some(Refusal::PortOf(master)) if master == bridge);
        if let Some(nic) = self.nics.iter().find(in_it) {
            return Ok(Card { nic, bridged: true });
        }
        if self.interfaces.contains_key(bridge) {
            return Err(Blocked::new(
                format!("{bridge} exists, and no wired card is in it: {}", self.list()),
                "Heeler does not add a card to a bridge that it does not know",
                format!("on the node, look at {bridge} in /etc/network/interfaces; then: heeler plan"),
            ));
        }
        let address = task.address.address;
        let has = |nic: &&Nic| nic.addresses.iter().any(|one| is(one, address));
        let with_it: Vec<&Nic> = self.nics.iter().filter(has).collect();
        let found = match with_it.as_slice() {
            [] => self.by_route(task)?,
            [nic] => nic,
            _ => {
                return Err(Blocked::new(
                    format!("several cards have {address}: {}", self.list()),
                    "Heeler does not guess which one is the LAN's",
                    "take the address from all cards but one; then: heeler plan",
                ));
            }
        };
        match &found.refusal {
            Some(Refusal::PortOf(master)) => Err(Blocked::new(
                format!("the LAN's card {} ({}) belongs to {master}", found.mac, found.name),
                "a card can be in one bridge only",
                format!("name that bridge in heeler.toml, or take the card out of {master}; then: heeler plan"),
            )),
            _ if found.name == link::BACKPLANE => Err(Blocked::new(
                format!("{address} is on {}, the backplane's card", found.name),
                "the bridge is for the LAN, and the backplane's card stays alone",
                "correct the node's address in heeler.toml; then: heeler plan",
            )),
            _ => Ok(Card {
                nic: found,
                bridged: false,
            }),
        }
    }

    fn by_route(&self, task: &EnsureBridge) -> Result<&Nic, Blocked> {
        let address = task.address.address;
        let mut others = self.interfaces.iter();
        if let Some((name, _)) = others.find(|(_, one)| one.addresses.iter().any(|one| is(one, address))) {
            return Err(Blocked::new(
                format!(
                    "{address} is on {name}, which is no wired card; the wired ones: {}",
                    self.list()
                ),
                "a bridge needs a wired card: Wi-Fi cannot carry the addresses of guests, and Heeler changes no other \
                 bridge or bond",
                "connect the LAN to a wired card and give that one the address; then: heeler plan",
            ));
        }
        let in_lan = |nic: &&Nic| {
            let default = |device: &str| {
                self.routes
                    .iter()
                    .any(|one| one.destination == "default" && one.device == device)
            };
            let mut own = nic
                .addresses
                .iter()
                .filter_map(|one| one.split('/').next()?.parse().ok());
            default(&nic.name) && own.any(|one| task.address.reaches(one))
        };
        let mut found = self.nics.iter().filter(in_lan);
        match (found.next(), found.next()) {
            (Some(nic), None) => Ok(nic),
            _ => Err(Blocked::new(
                format!(
                    "no wired card has {address}, nor another address of its network with the default route: {}",
                    self.list()
                ),
                "Heeler does not guess which card is the LAN's",
                "correct the node's address in heeler.toml, or connect the LAN; then: heeler plan",
            )),
        }
    }

    fn list(&self) -> String {
        let one = |nic: &Nic| match nic.addresses.first() {
            Some(address) => format!("{} ({}, {address})", nic.mac, nic.name),
            None => format!("{} ({})", nic.mac, nic.name),
        };
        match self.nics.as_slice() {
            [] => "none".to_owned(),
            nics => nics.iter().map(one).collect::<Vec<_>>().join("; "),
        }
    }
}

fn is(with_prefix: &str, address: std::net::Ipv4Addr) -> bool {
    with_prefix.split('/').next() == Some(address.to_string().as_str())
}

/// The card is not chosen yet; `CardChosen` says why.
pub(super) fn unknown() -> Plan {
    Plan::After("CardChosen")
}
