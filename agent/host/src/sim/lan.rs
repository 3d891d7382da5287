//! A bridge of ifupdown2 on the simulated machine, with one card.

use super::net::Link;
use super::nic::Nic;
use super::state::State;
use crate::{bridge, ifupdown, networkd};

/// A bridge that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bridge {
    pub(super) name: String,
    /// Name of the card in it; None when there is no card of that name.
    pub(super) port: Option<String>,
    /// With prefix length.
    pub(super) address: Option<String>,
    pub(super) gateway: Option<String>,
}

impl State {
    /// What `ifreload -a` and networking.service do with the first bridge in the file.
    pub(super) fn bridges(&mut self) {
        let text = self.os.files.text(ifupdown::PATH).unwrap_or_default();
        let stanzas = bridge::stanzas_of(&text);
        let found = stanzas.iter().find(|one| one.option("bridge-ports").is_some());
        self.kernel.bridge = found.map(|one| Bridge {
            name: one.name.clone(),
            port: one
                .ports()
                .first()
                .and_then(|port| self.link(port))
                .map(|port| port.name.clone()),
            address: one.address(),
            gateway: one.option("gateway").map(str::to_owned),
        });
    }

    /// Whether networking.service of ifupdown2 starts at boot.
    pub(super) fn ifupdown_boots(&self) -> bool {
        self.os.ifupdown2.is_some() && self.enabled(ifupdown::UNIT)
    }

    /// The address from DHCP: only NetworkManager asks for one.
    pub(super) fn by_dhcp(&self, nic: &Nic) -> Option<String> {
        nic.address.clone().filter(|_| self.enabled(networkd::NETWORK_MANAGER))
    }

    /// The card in the bridge; None when it is unplugged.
    pub(super) fn port(&self) -> Option<(&Link, &Nic)> {
        let port = self.kernel.bridge.as_ref()?.port.as_ref()?;
        self.links().find(|(link, _)| link.name == *port)
    }

    /// The addresses of the interface `name`, and whether its card has a link.
    pub(super) fn on(&self, name: &str) -> Option<(Vec<String>, &Nic, bool)> {
        if let Some(bridge) = self.kernel.bridge.as_ref().filter(|bridge| bridge.name == name) {
            let (link, nic) = self.port()?;
            return Some((bridge.address.iter().cloned().collect(), nic, link.up && nic.carrier));
        }
        let (link, nic) = self.links().find(|(link, _)| link.name == name)?;
        Some((link.addresses().cloned().collect(), nic, link.up && nic.carrier))
    }

    /// Name of the interface and router of the default route.
    pub(super) fn default_route(&self) -> Option<(String, String)> {
        if let Some(bridge) = &self.kernel.bridge
            && let (Some(_), Some(gateway)) = (&bridge.address, &bridge.gateway)
        {
            return Some((bridge.name.clone(), gateway.clone()));
        }
        let (link, _) = self.links().find(|(link, _)| link.own.is_some())?;
        let (network, _) = link.own.as_deref()?.rsplit_once('.')?;
        Some((link.name.clone(), format!("{network}.1")))
    }
}
