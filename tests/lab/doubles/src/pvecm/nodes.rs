//! `pvecm addnode` and `pvecm delnode`: a member changes the list of nodes for all.

use std::collections::BTreeMap;

use super::CONF;
use super::links::{self, Links};
use crate::arguments::Arguments;
use crate::call::{Call, Fault};
use crate::commands::Found;
use crate::corosync::view::View;
use crate::corosync::{self, members};
use crate::corosync_conf::{CorosyncConf, Node};
use crate::lock;

pub fn add(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let links = links::check(found)?;
    let name = valid_name(found)?;
    join(call, name, &links, &found.arguments).map(|_| ())
}

/// Adds a node; returns the new file.
pub fn join(call: &mut Call, name: &str, links: &Links, arguments: &Arguments) -> Result<String, Fault> {
    needs_quorum(call)?;
    let _lock = lock::take(call, "file-corosync_conf")?;
    let mut conf = shared(call)?;
    let old = conf.node(name).cloned();
    if old.is_some() {
        if !arguments.is_set("force") {
            return Err(Fault::died(format!("can't add existing node '{name}'")));
        }
        call.out += &format!("forcing overwrite of configured node '{name}'\n");
    }
    let (wanted, given) = (conf.links.len(), links.len());
    if given != wanted {
        let place = "/usr/share/perl5/PVE/API2/ClusterConfig.pm line 375, <DATA> line 960.";
        return Err(Fault::died(format!(
            "cluster has {wanted} links, but only {given} given at {place}"
        )));
    }
    conf.nodes.retain(|node| node.name != name);
    let addresses: BTreeMap<u8, String> = links
        .iter()
        .map(|(link, (address, _))| (*link, address.clone()))
        .collect();
    for node in &conf.nodes {
        if let Some((link, taken)) = addresses
            .iter()
            .find(|(link, address)| node.addresses.get(link) == Some(address))
        {
            let place = format!("already used on link ring{link}_addr by node '{}'", node.name);
            return Err(Fault::died(format!("corosync: address '{taken}' {place}")));
        }
    }
    let given = |name| arguments.get(name).and_then(|text| text.parse().ok());
    let free = (1..).find(|id| conf.nodes.iter().all(|node| node.id != *id));
    let old_id = old.map(|node| node.id);
    conf.nodes.push(Node {
        name: name.to_owned(),
        id: given("nodeid").or(old_id).or(free).unwrap_or(1),
        votes: given("votes").unwrap_or(1),
        addresses,
    });
    change(call, &mut conf)?;
    Ok(conf.text())
}

pub fn delete(call: &mut Call, found: &Found) -> Result<(), Fault> {
    let name = valid_name(found)?;
    let unknown = |code| Fault::new(code, format!("Node/IP: {name} is not a known host of the cluster."));
    if !call.place(CONF).exists() {
        return Err(unknown(2));
    }
    needs_quorum(call)?;
    if name == call.node {
        return Err(Fault::died("Cannot delete myself from cluster!"));
    }
    let _lock = lock::take(call, "file-corosync_conf")?;
    let mut conf = shared(call)?;
    let gone = conf.node(name).cloned().ok_or_else(|| unknown(255))?;
    let victim = View::of(call)
        .filter(|view| view.is_online(&gone))
        .and_then(|_| call.neighbour(name));
    conf.nodes.retain(|node| node.name != name);
    if let Some(victim) = &victim {
        corosync::end(victim);
        members::lose_quorum(victim);
    }
    change(call, &mut conf)?;
    call.out += &format!("Killing node {}\n", gone.id);
    if victim.is_none() {
        call.err += "Could not kill node (error = CS_ERR_NOT_EXIST)\n";
    }
    Ok(())
}

/// Writes the next version for all members that are online, and loads it.
fn change(call: &mut Call, conf: &mut CorosyncConf) -> Result<(), Fault> {
    conf.version += 1;
    let members = View::of(call).map(|view| view.online().into_iter().cloned().collect::<Vec<_>>());
    call.write(CONF, &conf.text())?;
    for node in members.unwrap_or_default() {
        if let Some(machine) = call.neighbour(&node.name) {
            corosync::load(&machine, conf)?;
        }
    }
    corosync::load(call, conf)?;
    members::refresh(call);
    Ok(())
}

fn shared(call: &Call) -> Result<CorosyncConf, Fault> {
    let conf = call.read(CONF).and_then(|text| CorosyncConf::parse(&text));
    conf.ok_or_else(|| Fault::died("node is not in a cluster"))
}

fn needs_quorum(call: &Call) -> Result<(), Fault> {
    if call.is_read_only() {
        return Err(Fault::died("cluster not ready - no quorum?"));
    }
    Ok(())
}

fn valid_name(found: &Found) -> Result<&str, Fault> {
    let name = found.required("node")?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && !name.contains('.');
    let problem = "invalid format - value does not look like a valid node name\n".to_owned();
    if is_name {
        Ok(name)
    } else {
        Err(found.refuse(&[("node", problem)]))
    }
}
