//! `/cluster/resources`: nodes, guests, storages and networks of all nodes in one list.

use serde_json::{Value, json};

use super::{cluster, nodes};
use crate::call::Call;
use crate::pvesm::usage;
use crate::qm;

/// Rows of one kind (`node`, `vm`, `storage`), or of all.
pub fn all(call: &mut Call, kind: Option<&str>) -> Value {
    let members = nodes::all(call);
    let members = members.as_array().cloned().unwrap_or_default();
    let names: Vec<String> = members
        .iter()
        .filter_map(|row| row["node"].as_str().map(str::to_owned))
        .collect();
    let mut rows = Vec::new();
    for mut row in members {
        if let Some(fields) = row.as_object_mut() {
            fields.remove("ssl_fingerprint");
            fields.insert("cgroup-mode".to_owned(), json!(2));
        }
        rows.push(row);
    }
    for node in cluster::nodes(call) {
        for (id, conf) in qm::conf::all(call, &node) {
            rows.push(qm::show::resource(call, &node, &id, &conf));
        }
    }
    for found in usage::all(call) {
        for node in names.iter().filter(|node| found.storage.is_on(node)) {
            let id = &found.storage.id;
            rows.push(json!({
                "content": found.storage.get("content"), "disk": found.used, "id": format!("storage/{node}/{id}"),
                "maxdisk": found.total, "node": node, "plugintype": found.storage.kind,
                "shared": u8::from(found.storage.is_set("shared")),
                "status": if found.is_active { "available" } else { "unknown" },
                "storage": id, "type": "storage",
            }));
        }
    }
    for node in &names {
        rows.push(json!({
            "id": format!("network/{node}/zone/localnetwork"), "network": "localnetwork", "network-type": "zone",
            "node": node, "status": "ok", "type": "network",
        }));
    }
    let kind = if kind == Some("vm") { Some("qemu") } else { kind };
    rows.retain(|row| kind.is_none_or(|kind| row["type"] == kind));
    Value::Array(rows)
}
