use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Cidr, Invalid, Spec};

/// Task: a Proxmox node reaches its LAN over a bridge, which its guests share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureBridge {
    /// The bridge.
    pub bridge: BridgeName,
    /// The node's LAN address, with the prefix length of its network.
    pub address: Cidr,
    /// The LAN's router.
    pub gateway: Ipv4Addr,
    /// The name servers, at least one, in order.
    pub name_servers: Vec<IpAddr>,
}

impl EnsureBridge {
    /// The resolver of glibc uses no more name servers (resolv.conf(5), MAXNS).
    pub const MOST_NAME_SERVERS: usize = 3;
}

impl Spec for EnsureBridge {
    fn check(&self) -> Result<(), Invalid> {
        if !self.address.reaches(self.gateway) || self.gateway == self.address.address {
            let problem = format!("{} is not the router of {}", self.gateway, self.address);
            return Err(Invalid::new("gateway", problem));
        }
        let odd = |server: &IpAddr| server.is_unspecified() || server.is_multicast();
        let count = self.name_servers.len();
        if !(1..=Self::MOST_NAME_SERVERS).contains(&count) || self.name_servers.iter().any(odd) {
            let problem = format!("{count} addresses, of 1 to {} name servers", Self::MOST_NAME_SERVERS);
            return Err(Invalid::new("name_servers", problem));
        }
        Ok(())
    }
}

/// The name of a bridge, as Proxmox numbers them: `vmbr0` to `vmbr4094`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BridgeName(String);

impl BridgeName {
    /// Fails for anything but `vmbr` and a number from 0 to 4094 without leading zeroes.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let number = text.strip_prefix("vmbr").and_then(|number| {
            let value: u16 = number.parse().ok()?;
            (value <= 4094 && value.to_string() == number).then_some(value)
        });
        match number {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(Invalid::new("bridge", format!("{text:?} is not vmbr0 to vmbr4094"))),
        }
    }
}
text!(BridgeName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_has_a_name_that_proxmox_gives() {
        assert_eq!(BridgeName::new("vmbr0").unwrap().as_str(), "vmbr0");
        for bad in [
            "",
            "br0",
            "vmbr",
            "vmbr00",
            "vmbr4095",
            "vmbr+1",
            "vmbr0 up",
            "vmbr99999",
        ] {
            assert!(BridgeName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_router_is_another_machine_in_the_network() {
        let spec = |gateway: [u8; 4], servers: usize| EnsureBridge {
            bridge: BridgeName::new("vmbr0").unwrap(),
            address: "10.10.80.50/24".parse().unwrap(),
            gateway: gateway.into(),
            name_servers: vec![IpAddr::from([10, 10, 80, 1]); servers],
        };
        assert!(spec([10, 10, 80, 1], 3).check().is_ok());
        for bad in [
            spec([10, 10, 81, 1], 1),
            spec([10, 10, 80, 50], 1),
            spec([10, 10, 80, 1], 0),
            spec([10, 10, 80, 1], 4),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
