use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Invalid, Spec};

/// Task: the node's second network card (the backplane) has a fixed name and its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepBackplane {
    /// The address of the card, with the prefix length of its network.
    pub address: Cidr,
    /// The card, by its hardware address. None: the agent takes the only card that can be the backplane, or blocks.
    pub mac: Option<Mac>,
    /// The program whose files the agent writes.
    pub renderer: Renderer,
}

/// The program that configures the backplane on a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Renderer {
    /// ifupdown2 on a node that runs Proxmox, netplan elsewhere.
    #[default]
    Auto,
    /// netplan, also on a node that runs Proxmox.
    Netplan,
}

/// An IPv4 address and a prefix length, such as `10.10.10.1/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    /// The address itself: not loopback, multicast or 0.0.0.0.
    pub address: Ipv4Addr,
    /// Length of the network's prefix, 1 to 30.
    pub prefix: u8,
}

impl Cidr {
    /// Fails when the address is loopback, multicast or 0.0.0.0, or the prefix length is not 1 to 30.
    pub fn new(address: Ipv4Addr, prefix: u8) -> Result<Self, Invalid> {
        let cidr = Self { address, prefix };
        let odd = address.is_loopback() || address.is_multicast() || address.is_unspecified();
        if odd || !(1..=30).contains(&prefix) {
            return Err(Invalid::new("address", format!("{cidr} cannot be a machine's address")));
        }
        Ok(cidr)
    }

    /// Whether `other` is in the same network.
    pub fn reaches(self, other: Ipv4Addr) -> bool {
        let shift = 32 - u32::from(self.prefix);
        u32::from(self.address) >> shift == u32::from(other) >> shift
    }
}

impl FromStr for Cidr {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let unfit = || {
            Invalid::new(
                "address",
                format!("{text:?} is not an IPv4 address with a prefix length"),
            )
        };
        let (address, prefix) = text.split_once('/').ok_or_else(unfit)?;
        let (address, prefix) = (
            address.parse().map_err(|_| unfit())?,
            prefix.parse().map_err(|_| unfit())?,
        );
        Self::new(address, prefix)
    }
}

impl TryFrom<String> for Cidr {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.address, self.prefix))
    }
}

/// A network card's hardware address: six octets in lower-case hex with colons, such as `d8:3a:dd:00:11:22`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(String);

impl Mac {
    /// Takes upper case as well. Fails for anything but six hex octets with colons, for all zeroes, and for a multicast
    /// address.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let octets: Vec<Option<u8>> = text
            .split(':')
            .map(|part| {
                let hex = part.len() == 2 && part.chars().all(|c| c.is_ascii_hexdigit());
                u8::from_str_radix(part, 16).ok().filter(|_| hex)
            })
            .collect();
        let one = octets.first().copied().flatten().is_some_and(|first| first & 1 == 0);
        if octets.len() == 6 && one && octets.iter().all(Option::is_some) && text != "00:00:00:00:00:00" {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(Invalid::new("mac", format!("{text:?} is not a MAC address")))
        }
    }
}
text!(Mac);

impl Spec for KeepBackplane {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_network_and_is_a_machines() {
        let cidr: Cidr = "10.10.99.50/24".parse().unwrap();
        assert_eq!(cidr.to_string(), "10.10.99.50/24");
        assert!(cidr.reaches(Ipv4Addr::new(10, 10, 99, 51)));
        assert!(!cidr.reaches(Ipv4Addr::new(10, 10, 98, 51)));
        for bad in [
            "10.10.99.50",
            "10.10.99.50/0",
            "10.10.99.50/31",
            "127.0.0.1/8",
            "224.0.0.1/24",
            "fd00::1/64",
        ] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_group_address_names_no_card() {
        assert_eq!(Mac::new("00:E0:4C:68:00:01").unwrap().as_str(), "00:e0:4c:68:00:01");
        for bad in [
            "",
            "00:e0:4c:68:00",
            "01:00:5e:00:00:01",
            "00e04c680001",
            "00:00:00:00:00:00",
            "+0:e0:4c:68:00:01",
        ] {
            assert!(Mac::new(bad).is_err(), "{bad}");
        }
    }
}
