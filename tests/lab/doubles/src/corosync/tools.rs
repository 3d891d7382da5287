//! `corosync-cfgtool`, `corosync-quorumtool` and `corosync-cmapctl`, as far as they are recorded.

use super::version;
use super::view::{View, is_linked};
use crate::call::{Call, Fault};
use crate::corosync_conf::Node;
use crate::pvecm::quorum;

pub fn run(call: &mut Call, name: &str, words: &[String]) -> Result<(), Fault> {
    let view = View::of(call).ok_or_else(|| Fault::new(1, "Cannot initialize CMAP service"))?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let text = match (name, words.as_slice()) {
        ("corosync-cfgtool", ["-s"]) => links(call, &view),
        ("corosync-cfgtool", ["-n"]) => nodes(call, &view),
        ("corosync-quorumtool", ["-s"]) => quorum::of_tool(&view),
        ("corosync-cmapctl", ["-g", "totem.config_version"]) => {
            format!("totem.config_version (u64) = {}\n", version(call).unwrap_or(0))
        }
        _ => {
            return Err(Fault::died(format!(
                "double of {name} {}: not built yet",
                words.join(" ")
            )));
        }
    };
    call.out += &text;
    Ok(())
}

fn links(call: &Call, view: &View) -> String {
    let mut text = format!("Local node ID {}, transport knet\n", view.own);
    let Some(own) = view.conf.node(&call.node) else {
        return text;
    };
    for (link, address) in &own.addresses {
        text += &format!("LINK ID {link} udp\n\taddr\t= {address}\n\tstatus:\n");
        for node in &view.conf.nodes {
            let state = match node.id == own.id {
                true => "localhost",
                false if is_up(call, view, own, node, *link) => "connected",
                false => "disconnected",
            };
            text += &format!("\t\tnodeid: {:>10}:\t{state}\n", node.id);
        }
    }
    text
}

fn nodes(call: &Call, view: &View) -> String {
    let mut text = format!("Local node ID {}, transport knet\n", view.own);
    let Some(own) = view.conf.node(&call.node) else {
        return text;
    };
    for node in view.conf.nodes.iter().filter(|node| node.id != own.id) {
        let reachable = if view.is_online(node) {
            "reachable"
        } else {
            "unreachable"
        };
        text += &format!("nodeid: {} {reachable}\n", node.id);
        for ((link, one), two) in own.addresses.iter().zip(node.addresses.values()) {
            let state = if is_up(call, view, own, node, *link) {
                "connected"
            } else {
                "disconnected"
            };
            text += &format!("   LINK: {link} udp ({one}->{two}) enabled {state} mtu: 1397\n");
        }
        text += "\n";
    }
    text
}

fn is_up(call: &Call, view: &View, own: &Node, node: &Node, link: u8) -> bool {
    let other = call.neighbour(&node.name);
    view.is_online(node) && other.is_some_and(|other| is_linked(call, &other, own, node, link))
}
