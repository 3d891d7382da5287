//! Rules over several keys: no address, serial or MAC twice, and every address in its network.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;
use std::net::IpAddr;

use heeler_proto::Mountpoint;

use super::reader::{Located, Report};
use super::values::Network;
use super::{Config, Node, Place};
use crate::known::nearest;

pub(super) fn check(config: &Config, report: &Report<'_>) {
    networks(config, report);
    twice(
        "address",
        "addresses",
        config.coordinator.iter().map(|at| (at, "[coordinator]")),
        report,
    );
    one_port(config, report);
    addresses(config, report);
    let disks = config
        .nodes
        .iter()
        .flat_map(|node| node.disks.iter().map(|disk| (disk, node.name.value.as_str())));
    twice("disk", "disks", disks, report);
    let cards = config
        .nodes
        .iter()
        .filter_map(|node| Some((node.backplane.as_ref()?.mac.as_ref()?, node.name.value.as_str())));
    twice("network card", "mac", cards, report);
    for node in &config.nodes {
        mirror(node, report);
        datasets(config, node, report);
    }
    snapshots(config, report);
    config.check_storages(report);
}

/// Reports values that occur twice in heeler.toml; `what` names the kind: "disk".
fn twice<'c, T: Eq + Hash + Display + 'c>(
    what: &str,
    key: &str,
    all: impl Iterator<Item = (&'c Located<T>, &'c str)>,
    report: &Report<'_>,
) {
    let mut seen: HashMap<&T, (&str, Place)> = HashMap::new();
    for (one, owner) in all {
        match seen.get(&one.value) {
            None => {
                seen.insert(&one.value, (owner, one.place));
            }
            Some((first, place)) => {
                let message = format!("{what} {} is given twice", one.value);
                let hint = format!("also in line {}: {key} of {first}", place.line);
                report.error(one.place, message, hint);
            }
        }
    }
}

fn one_port(config: &Config, report: &Report<'_>) {
    let Some((first, others)) = config.coordinator.split_first() else {
        return;
    };
    for other in others.iter().filter(|other| other.value.port() != first.value.port()) {
        let message = format!("{} has another port than {}", other.value, first.value);
        let hint = "use one port for all; new nodes enrol at the next port";
        report.error(other.place, message, hint);
    }
}

fn networks(config: &Config, report: &Report<'_>) {
    let network = &config.network;
    if let (Some(subnet), Some(backplane)) = (&network.subnet, &network.backplane)
        && subnet.value.overlaps(&backplane.value)
    {
        let message = format!("backplane {} overlaps subnet {}", backplane.value, subnet.value);
        let hint = "give the backplane a separate network, such as \"10.10.99.0/24\"";
        report.error(backplane.place, message, hint);
    }
    let (Some(gateway), Some(subnet)) = (&network.gateway, &network.subnet) else {
        return;
    };
    inside("gateway", gateway, subnet, "subnet", report);
}

fn inside(what: &str, at: &Located<IpAddr>, network: &Located<Network>, name: &str, report: &Report<'_>) {
    if !network.value.contains(at.value) {
        let message = format!("{what} {} is not in {name} {}", at.value, network.value);
        report.error(
            at.place,
            message,
            format!("{name} is set in line {}", network.place.line),
        );
    } else if !network.value.can_be_a_host(at.value) {
        let message = format!("{what} {} cannot be a machine's address in {}", at.value, network.value);
        report.error(
            at.place,
            message,
            "the first and the last address of a network are reserved",
        );
    }
}

fn addresses(config: &Config, report: &Report<'_>) {
    let fleet = &config.network;
    let mut all: Vec<(&Located<IpAddr>, &str)> = Vec::new();
    all.extend(fleet.gateway.iter().map(|gateway| (gateway, "[network]")));
    for node in &config.nodes {
        let name = node.name.value.as_str();
        all.push((&node.address, name));
        if let Some(subnet) = node.network.subnet.as_ref().or(fleet.subnet.as_ref()) {
            inside("address", &node.address, subnet, "subnet", report);
        }
        let Some(card) = &node.backplane else { continue };
        all.push((&card.address, name));
        match node.network.backplane.as_ref().or(fleet.backplane.as_ref()) {
            Some(network) => {
                inside("address", &card.address, network, "backplane", report);
                speaks_four(&card.address, network, report);
            }
            None => {
                let hint = "write backplane = \"10.10.99.0/24\" in [network]";
                let message = format!(
                    "{} is a backplane address, and [network] has no backplane",
                    card.address.value
                );
                report.error(card.address.place, message, hint);
            }
        }
    }
    twice("address", "an address", all.into_iter(), report);
}

/// The backplane is IPv4 only: the check for a free address uses ARP (RFC 826).
fn speaks_four(address: &Located<IpAddr>, network: &Located<Network>, report: &Report<'_>) {
    // A /30 is the smallest network with two host addresses besides network and broadcast address.
    if !address.value.is_ipv4() || network.value.prefix > 30 {
        let message = format!("backplane {} is not an IPv4 network of /30 or larger", network.value);
        report.error(network.place, message, "write backplane = \"10.10.99.0/24\"");
    }
}

fn mirror(node: &Node, report: &Report<'_>) {
    let (Some(place), 0 | 1) = (node.disks_place, node.disks.len()) else {
        return;
    };
    let found = match node.disks.len() {
        0 => "no disk",
        _ => "one disk",
    };
    let hint = "list two or more serials; for a node without a pool, leave out disks";
    report.error(place, format!("a mirror needs two or more disks, found {found}"), hint);
}

fn datasets(config: &Config, node: &Node, report: &Report<'_>) {
    let Some(pool) = config.pool_name(node) else { return };
    let mut seen: HashMap<&str, Place> = HashMap::new();
    let mut paths: HashMap<&str, Place> = HashMap::new();
    let own = node.pool.datasets.as_ref();
    for dataset in own.or(config.pool.datasets.as_ref()).into_iter().flatten() {
        let name = dataset.value.name.as_str();
        if name.split('/').next() != Some(pool.as_str()) {
            let message = format!("dataset {name} is not below the pool {pool} of {}", node.name.value);
            let below = name.split_once('/').map_or(name, |(_, below)| below);
            report.error(dataset.place, message, format!("did you mean \"{pool}/{below}\"?"));
        }
        if let Some(first) = seen.insert(name, dataset.place) {
            let hint = format!("also in line {}", first.line);
            report.error(dataset.place, format!("dataset {name} is given twice"), hint);
        }
        // The second would be mounted over the files of the first.
        if let Mountpoint::At(path) = &dataset.value.mountpoint
            && let Some(first) = paths.insert(path, dataset.place)
        {
            let hint = format!("give it another mountpoint; {path} is also in line {}", first.line);
            report.error(dataset.place, format!("two datasets have the mountpoint {path}"), hint);
        }
    }
}

fn snapshots(config: &Config, report: &Report<'_>) {
    let wanted = config.wanted_nodes();
    let known: Vec<&str> = wanted
        .iter()
        .flat_map(|node| &node.datasets)
        .map(|dataset| dataset.name.as_str())
        .collect();
    if known.is_empty() {
        return;
    }
    let all = config.snapshots.iter().flat_map(|policy| &policy.datasets);
    twice("dataset", "datasets", all.map(|one| (one, "[[snapshots]]")), report);
    let below = |name: &str, parent: &str| {
        name.strip_prefix(parent)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    for policy in &config.snapshots {
        for dataset in &policy.datasets {
            let name = dataset.value.as_str();
            if !known.iter().any(|parent| below(name, parent)) {
                let hint = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => format!("known: {}", known_once(&known)),
                };
                report.error(dataset.place, format!("no node has a dataset {name}"), hint);
            }
        }
    }
}

fn known_once(known: &[&str]) -> String {
    let mut known = known.to_vec();
    known.sort_unstable();
    known.dedup();
    known.join(", ")
}
