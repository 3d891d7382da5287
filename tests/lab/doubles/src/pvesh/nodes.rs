//! `/nodes`: who is a member, and how large this machine is. Sizes of other nodes are this node's.

use std::fs;

use serde_json::{Map, Value, json};

use super::cluster;
use crate::call::Call;
use crate::pvecm::certificates;
use crate::pvesm;
use crate::storage_cfg;

/// A row for each node.
pub fn all(call: &mut Call) -> Value {
    let members = call.members();
    let root = storage_cfg::load(call)
        .into_iter()
        .find(|storage| storage.id == "local");
    let disk = root.map(|storage| pvesm::usage::of(call, storage));
    let (total, used) = disk.map_or((0, 0), |usage| (usage.total, usage.used));
    let nodes: Vec<String> = match members.get("nodelist").and_then(Value::as_object) {
        Some(list) => list.keys().cloned().collect(),
        None => cluster::nodes(call).filter(|node| *node == call.node).collect(),
    };
    let row = |node: &String| {
        let online = members
            .pointer(&format!("/nodelist/{node}/online"))
            .and_then(Value::as_u64);
        let is_online = online.is_none_or(|online| online == 1);
        let mut row = Map::new();
        let mut put = |name: &str, value: Value| _ = row.insert(name.to_owned(), value);
        let (all, free) = memory();
        if is_online {
            put("cpu", json!(0.0));
            put("disk", json!(used));
        }
        put("id", json!(format!("node/{node}")));
        put("level", json!(""));
        put(
            "maxcpu",
            json!(std::thread::available_parallelism().map_or(1, usize::from)),
        );
        put("maxdisk", json!(total));
        put("maxmem", json!(all));
        if is_online {
            put("mem", json!(all.saturating_sub(free)));
        }
        put("node", json!(node));
        put("ssl_fingerprint", json!(certificates::fingerprint(call, node)));
        put("status", json!(if is_online { "online" } else { "offline" }));
        put("type", json!("node"));
        if is_online {
            put("uptime", json!(uptime()));
        }
        Value::Object(row)
    };
    nodes.iter().map(row).collect()
}

/// (whole, available) memory in bytes.
pub fn memory() -> (u64, u64) {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        number.unwrap_or(0) * 1024
    };
    (field("MemTotal:"), field("MemAvailable:"))
}

/// Seconds since this machine booted.
pub fn uptime() -> u64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    text.split('.')
        .next()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(0)
}
