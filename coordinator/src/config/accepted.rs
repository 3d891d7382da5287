//! The rules of heeler.toml's keys, for texts from elsewhere. None: heeler.toml refuses the text.

use std::net::IpAddr;

use heeler_proto::{NodeName, PoolName};

use super::place_names;
use super::values::{self, Network, masked};

pub(crate) fn address(text: &str) -> Option<IpAddr> {
    values::address(text).ok()
}

pub(crate) fn network(text: &str) -> Option<Network> {
    values::network(text).ok()
}

/// An address with the length of its network's prefix, such as 10.10.99.50/24.
pub(crate) fn address_in_network(text: &str) -> Option<(IpAddr, Network)> {
    let (address, prefix) = text.split_once('/')?;
    let address = self::address(address)?;
    let first = masked(address, prefix.parse().ok()?);
    Some((address, network(&format!("{first}/{prefix}"))?))
}

pub(crate) fn domain(text: &str) -> Option<String> {
    values::domain(text).ok().map(String::from)
}

pub(crate) fn mac(text: &str) -> Option<String> {
    values::mac(text).ok()
}

pub(crate) fn node_name(text: &str) -> Option<NodeName> {
    values::node_name(text).ok()
}

pub(crate) fn pool_name(text: &str) -> Option<PoolName> {
    values::pool_name(text).ok()
}

pub(crate) fn user_name(text: &str) -> Option<String> {
    values::user_name(text).ok()
}

pub(crate) fn locale(text: &str) -> Option<String> {
    place_names::locale(text).ok().map(String::from)
}

pub(crate) fn timezone(text: &str) -> Option<String> {
    place_names::timezone(text).ok().map(String::from)
}
