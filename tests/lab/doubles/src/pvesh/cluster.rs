//! `/cluster`: what pmxcfs knows of the members.

use std::fs;

use serde_json::{Value, json};

use super::config;
use crate::call::Call;
use crate::qm;

/// The answer of a path below `/cluster`; none when the path is unknown.
pub fn get(call: &Call, below: &[&str]) -> Option<Value> {
    match below {
        ["status"] => Some(status(call)),
        ["config", "nodes"] => Some(config::nodes(call)),
        ["config", "totem"] => Some(config::totem(call)),
        ["ha", "status", "current"] => Some(json!([
            {"id": "quorum", "node": call.node, "quorate": 1, "status": "OK", "type": "quorum"},
            {
                "armed-state": "standby", "id": "fencing", "node": call.node,
                "status": "standby (CRM watchdog standby)", "type": "fencing",
            },
        ])),
        ["nextid"] => Some(json!(free_guest(call).to_string())),
        ["options"] => Some(json!({"allowed-tags": [], "description": "", "mac_prefix": "BC:24:11"})),
        _ => None,
    }
}

/// Names of all nodes that ever were members.
pub fn nodes(call: &Call) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(call.place("/etc/pve/nodes"))
        .into_iter()
        .flatten()
        .flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    if !names.contains(&call.node) {
        names.push(call.node.clone());
    }
    names.sort();
    names.into_iter()
}

fn status(call: &Call) -> Value {
    let members = call.members();
    let Some(cluster) = members.get("cluster") else {
        return json!([node(&call.node, call.address().as_deref(), true, 0, 1)]);
    };
    let mut rows = vec![json!({
        "id": "cluster", "name": cluster["name"], "nodes": cluster["nodes"], "quorate": cluster["quorate"],
        "type": "cluster", "version": cluster["version"],
    })];
    for (name, member) in members["nodelist"].as_object().into_iter().flatten() {
        let number = |field: &str| member[field].as_u64().unwrap_or(0);
        rows.push(node(
            name,
            member["ip"].as_str(),
            *name == call.node,
            number("id"),
            number("online"),
        ));
    }
    Value::Array(rows)
}

/// A member's row; a member that was never seen has no address.
fn node(name: &str, ip: Option<&str>, is_local: bool, id: u64, online: u64) -> Value {
    let mut row = json!({
        "id": format!("node/{name}"), "level": "", "local": u8::from(is_local), "name": name, "nodeid": id,
        "online": online, "type": "node",
    });
    if let (Some(ip), Some(fields)) = (ip, row.as_object_mut()) {
        fields.insert("ip".to_owned(), json!(ip));
    }
    row
}

fn free_guest(call: &Call) -> u32 {
    (100..)
        .find(|id: &u32| qm::conf::owner(call, &id.to_string()).is_none())
        .unwrap_or(100)
}
