use std::net::IpAddr;

use heeler_proto::{NodeName, Serial};

use super::Place;
use super::reader::{Located, Table};
use super::sections::{self, Defaults, NetworkSettings, PoolSettings};
use super::system::{self, SystemSettings};
use super::values;

/// `[nodes.NAME]`: one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub name: Located<NodeName>,
    /// Where the machine is, for the person who goes there.
    pub location: Option<Located<String>>,
    /// LAN address, in the subnet of `[network]`.
    pub address: Located<IpAddr>,
    /// The backplane card; None when the node has none.
    pub backplane: Option<Backplane>,
    /// Serials of the mirror's legs; empty: the node has no pool.
    pub disks: Vec<Located<Serial>>,
    /// Position of `disks`, for messages.
    pub disks_place: Option<Place>,
    /// Keys that replace those of `[pool]`.
    pub pool: PoolSettings,
    /// Keys that replace those of `[network]`.
    pub network: NetworkSettings,
    /// Keys that replace those of `[system]`.
    pub system: SystemSettings,
    /// Keys that replace those of `[defaults]`.
    pub defaults: Defaults,
}

/// A node's card on the backplane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backplane {
    /// Address in the backplane's network.
    pub address: Located<IpAddr>,
    /// MAC in lower case; None: the only card that can be it.
    pub mac: Option<Located<String>>,
}

pub(super) fn nodes(mut table: Table<'_, '_>) -> Vec<Node> {
    let names = table.names();
    let read = |(name, value): (Located<String>, _)| {
        let checked = table.check(&name, values::node_name);
        let below = table.below(&name.value, name.place, value)?;
        node(checked, below)
    };
    names.into_iter().filter_map(read).collect()
}

fn node(name: Option<Located<NodeName>>, mut table: Table<'_, '_>) -> Option<Node> {
    let location = table.text("location", values::label);
    let address = table.required("address", "address = \"IP\" with this node's address", values::address);
    let backplane = table.table("backplane").and_then(backplane);
    let disks = table.list("disks", values::serial);
    let pool = table.table("pool").map(sections::pool);
    let network = table.table("network").map(|table| sections::network(table, false));
    let system = table.table("system").map(system::system);
    let defaults = sections::personal(&mut table);
    table.finish();
    Some(Node {
        name: name?,
        location,
        address: address?,
        backplane,
        disks_place: disks.as_ref().map(|disks| disks.place),
        disks: disks.map(|disks| disks.value).unwrap_or_default(),
        pool: pool.unwrap_or_default(),
        network: network.unwrap_or_default(),
        system: system.unwrap_or_default(),
        defaults,
    })
}

fn backplane(mut table: Table<'_, '_>) -> Option<Backplane> {
    let address = table.required("address", "address = \"IP\" with this card's address", values::address);
    let mac = table.text("mac", values::mac);
    table.finish();
    Some(Backplane { address: address?, mac })
}
