//! Network cards at run time: names, addresses, and what udev, networkd and ifupdown2 do with their files.

use std::net::Ipv4Addr;

use super::nic::Nic;
use super::state::State;
use crate::{bridge, guard, ifupdown, link, netplan};

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) mac: String,
    pub(super) name: String,
    pub(super) up: bool,
    /// The address with prefix length from DHCP or set by hand.
    pub(super) own: Option<String>,
    /// The address with prefix length from the configuration files.
    pub(super) given: Option<String>,
}

impl Link {
    pub(super) fn addresses(&self) -> impl Iterator<Item = &String> {
        self.own.iter().chain(&self.given)
    }
}

impl State {
    /// All plugged-in cards, with their hardware.
    pub(super) fn links(&self) -> impl Iterator<Item = (&Link, &Nic)> {
        let nic = |link: &Link| self.board.nics.iter().find(|nic| nic.mac == link.mac);
        self.kernel
            .links
            .iter()
            .filter_map(move |link| Some((link, nic(link)?)))
    }

    /// Resets the network as a boot does.
    pub(super) fn network_boots(&mut self) {
        self.kernel.links.clear();
        self.kernel.bridge = None;
        for nic in self.board.nics.clone() {
            self.plugged(&nic);
        }
        if self.ifupdown_boots() {
            self.bridges();
        }
        self.configure();
    }

    /// The kernel finds the card, and udev names it.
    pub(super) fn plugged(&mut self, nic: &Nic) {
        let own = self.by_dhcp(nic);
        self.kernel.links.push(Link {
            mac: nic.mac.clone(),
            name: nic.name.clone(),
            up: true,
            own,
            given: None,
        });
        self.name_by_udev(&nic.name.clone());
    }

    pub(super) fn name_by_udev(&mut self, name: &str) {
        for (path, fixed) in [(link::PATH, link::BACKPLANE), (bridge::CARD_PATH, bridge::CARD)] {
            let pinned = self.os.files.text(path).and_then(|text| link::pinned(&text));
            let taken = self.link(fixed).is_some();
            for one in &mut self.kernel.links {
                if one.name == name && Some(&one.mac) == pinned.as_ref() && !taken {
                    fixed.clone_into(&mut one.name);
                }
            }
        }
    }

    /// Applies the files as systemd-networkd and `ifreload -a` do. A card without configuration keeps its address.
    pub(super) fn configure(&mut self) {
        let wanted = configured(self.os.files.text(netplan::PATH), self.os.files.text(ifupdown::PATH));
        for one in &mut self.kernel.links {
            if let Some((name, address)) = &wanted
                && one.name == *name
            {
                (one.up, one.given) = (true, Some(address.clone()));
            }
        }
        self.publish();
    }

    /// Updates the addresses that others on the switch can reach.
    pub(super) fn publish(&self) {
        for nic in &self.board.nics {
            self.board.wire.take(&nic.mac);
        }
        for (one, nic) in self.links().filter(|(one, nic)| one.up && nic.carrier) {
            for address in one.addresses() {
                if let Some((address, prefix)) = split(address) {
                    self.board.wire.put(address, prefix, &nic.mac);
                }
            }
        }
        let bridge = self.kernel.bridge.as_ref().and_then(|bridge| bridge.address.as_deref());
        if let (Some((address, prefix)), Some((link, nic))) = (bridge.and_then(split), self.port())
            && link.up
            && nic.carrier
        {
            self.board.wire.put(address, prefix, &nic.mac);
        }
    }

    pub(super) fn link(&self, name: &str) -> Option<&Link> {
        self.kernel.links.iter().find(|link| link.name == name)
    }

    /// Whether `address` answers over the card `name`: each must be in the other's network.
    pub(super) fn pings(&self, name: &str, address: Ipv4Addr) -> bool {
        let Some((addresses, nic, linked)) = self.on(name) else {
            return false;
        };
        let Some((_, theirs)) = self.board.wire.who_has(address, &nic.mac) else {
            return false;
        };
        let mut own = addresses.iter().filter_map(|address| split(address));
        own.any(|(own, prefix)| linked && within(own, address, prefix.max(theirs)))
    }

    /// Starts the guard's timer, if a change is pending.
    pub(super) fn start_timer(&mut self) -> bool {
        let armed = "/var/lib/heeler-agent/guard/armed";
        let pending = self.os.files.has(std::path::Path::new(armed));
        self.kernel.guard_due_ms = pending.then(|| self.clock.now_ms() + self.clock.shortened(GUARD_MS));
        self.guard_set.notify_one();
        pending
    }

    pub(super) fn is_guard(unit: &str) -> bool {
        unit == guard::TIMER
    }
}

/// `OnActiveSec` of heeler-guard.timer, in milliseconds.
const GUARD_MS: u64 = 90_000;

fn configured(netplan: Option<String>, interfaces: Option<String>) -> Option<(String, String)> {
    let name = link::BACKPLANE.to_owned();
    let by_netplan = netplan.and_then(|text| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix("addresses: ["))?;
        Some(line.trim_matches(|c| matches!(c, '"' | ']')).to_owned())
    });
    let address = by_netplan.or_else(|| ifupdown::address_of(&interfaces?, &name))?;
    Some((name, address))
}

fn split(address: &str) -> Option<(Ipv4Addr, u8)> {
    let (address, prefix) = address.split_once('/')?;
    Some((address.parse().ok()?, prefix.parse().ok()?))
}

fn within(one: Ipv4Addr, other: Ipv4Addr, prefix: u8) -> bool {
    let shift = 32 - u32::from(prefix.clamp(1, 32));
    u32::from(one) >> shift == u32::from(other) >> shift
}
