//! `/cluster/config`: corosync's file, and what a node needs to join.

use serde_json::{Map, Value, json};

use super::digest;
use crate::call::{Call, Fault};
use crate::corosync_conf::{CorosyncConf, Node};
use crate::pvecm::{CONF, certificates};

fn conf(call: &Call) -> Option<CorosyncConf> {
    CorosyncConf::parse(&call.read(CONF)?)
}

/// Numbers are texts here.
fn node(node: &Node) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("name".to_owned(), json!(node.name));
    row.insert("nodeid".to_owned(), json!(node.id.to_string()));
    row.insert("quorum_votes".to_owned(), json!(node.votes.to_string()));
    for (link, address) in &node.addresses {
        row.insert(format!("ring{link}_addr"), json!(address));
    }
    row
}

pub fn nodes(call: &Call) -> Value {
    let nodes = conf(call).map(|conf| conf.nodes).unwrap_or_default();
    let row = |found: &Node| {
        let mut row = node(found);
        row.insert("node".to_owned(), json!(found.name));
        Value::Object(row)
    };
    nodes.iter().map(row).collect()
}

pub fn totem(call: &Call) -> Value {
    let Some(conf) = conf(call) else { return json!({}) };
    let link = |(number, priority): (&u8, &String)| {
        let mut link = json!({"linknumber": number.to_string()});
        if let (false, Some(fields)) = (priority.is_empty(), link.as_object_mut()) {
            fields.insert("knet_link_priority".to_owned(), json!(priority));
        }
        (number.to_string(), link)
    };
    let links: Map<String, Value> = conf.links.iter().map(link).collect();
    json!({
        "cluster_name": conf.name, "config_version": conf.version.to_string(), "interface": links,
        "ip_version": "ipv4-6", "link_mode": "passive", "secauth": "on", "token_coefficient": "125", "version": "2",
    })
}

/// What a person copies to a node that joins; fails on a node that stands alone.
pub fn join(call: &Call) -> Result<Value, Fault> {
    let place = "/usr/share/perl5/PVE/API2/ClusterConfig.pm line 588";
    let problem = "424 node is not in a cluster, no join info available!";
    let found = conf(call).ok_or_else(|| Fault::new(2, format!("{problem} at {place}")))?;
    let members = call.members();
    let row = |member: &Node| {
        let mut row = node(member);
        let address = members.pointer(&format!("/nodelist/{}/ip", member.name)).cloned();
        row.insert("pve_addr".to_owned(), address.unwrap_or_default());
        row.insert(
            "pve_fp".to_owned(),
            json!(certificates::fingerprint(call, &member.name)),
        );
        Value::Object(row)
    };
    let text = call.read(CONF).unwrap_or_default();
    Ok(json!({
        "config_digest": digest::of(text.as_bytes()), "nodelist": found.nodes.iter().map(row).collect::<Value>(),
        "preferred_node": call.node, "totem": totem(call),
    }))
}
