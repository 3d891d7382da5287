use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Invalid, NodeName, Spec};

/// A DNS domain in lower case, such as `example.lan`: at most 189 characters, so that a name of 63 in it has at most 253
/// (RFC 1035, 2.3.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

impl Domain {
    /// Fails for anything but labels of 1 to 63 lower-case letters, digits and inner hyphens with single dots between
    /// them, and for a last label of digits alone, which would look like an address.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let labels = text.split('.').all(|label| NodeName::new(label).is_ok());
        let number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
        match text.len() <= 189 && labels && !text.rsplit('.').next().is_none_or(number) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new("domain", format!("{text:?} is not a domain"))),
        }
    }
}
text!(Domain);

/// A node's name and its address on the LAN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// The name without the domain.
    pub name: NodeName,
    /// Never a loopback address: Proxmox does not start on a node whose name has only such a one.
    pub address: IpAddr,
}

/// Task: the node has its final host name, and knows the names of the cluster's nodes without DNS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureNames {
    /// The host name; it is one of `hosts`.
    pub name: NodeName,
    /// The domain of all these names.
    pub domain: Domain,
    /// The lines of /etc/hosts, at most [`EnsureNames::MOST_HOSTS`].
    pub hosts: Vec<Host>,
}

impl EnsureNames {
    /// Twice the nodes of the largest cluster that Proxmox recommends (32).
    pub const MOST_HOSTS: usize = 64;

    /// Name and domain, such as `pi5l.example.lan`.
    pub fn full(&self, name: &NodeName) -> String {
        format!("{name}.{}", self.domain)
    }
}

impl Spec for EnsureNames {
    fn check(&self) -> Result<(), Invalid> {
        let bad = |text: String| Err(Invalid::new("hosts", text));
        if self.hosts.len() > Self::MOST_HOSTS {
            return bad(format!("{} are more than {}", self.hosts.len(), Self::MOST_HOSTS));
        }
        for (at, host) in self.hosts.iter().enumerate() {
            let address = host.address;
            if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
                return bad(format!("{address} is no address of a machine"));
            }
            let before = &self.hosts[..at];
            if before.iter().any(|one| one.name == host.name || one.address == address) {
                return bad(format!("{} or {address} is there twice", host.name));
            }
        }
        match self.hosts.iter().any(|host| host.name == self.name) {
            true => Ok(()),
            false => bad(format!("{} itself is missing", self.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_only_ever_plain_labels() {
        for good in ["lan", "example.lan", "a-1.b2.example"] {
            assert_eq!(Domain::new(good).unwrap().as_str(), good);
        }
        let long = format!("{}.lan", ["a"; 94].join("."));
        for bad in [
            "",
            ".",
            "lan.",
            ".lan",
            "a..b",
            "Example.lan",
            "exa mple.lan",
            "-a.lan",
            "a_b.lan",
            "a.lan\nx",
            "10.0.0.1",
            "7",
            &long,
        ] {
            assert!(Domain::new(bad).is_err(), "{bad}");
        }
    }
}
