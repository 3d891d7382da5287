//! `/etc/pve/.members`: the members as pmxcfs shows them, later than corosync sees them.

use serde_json::Value;

use super::view::View;
use crate::call::Call;

const PATH: &str = "/etc/pve/.members";
/// When the members last changed so that pmxcfs needs some seconds to see it, in seconds since 1970.
const CHANGED: &str = "/run/pve-doubles/changed";
/// So many seconds pass until pmxcfs sees a new cluster.
const SETTLE: u64 = 6;

/// Shows each machine that is reached what its own corosync sees.
pub fn refresh(call: &Call) {
    for machine in call.neighbours().iter().chain([call]) {
        if machine.place("/etc/pve/.version").exists()
            && is_settled(machine)
            && let Some(view) = View::of(machine)
        {
            show(machine, &view);
        }
    }
}

/// pmxcfs sees nothing yet of what changes now.
pub fn unsettle(call: &Call) {
    let _ = call.write_here(CHANGED, &format!("{}\n", call.now()));
}

/// From now on pmxcfs sees what corosync sees.
pub fn settle(call: &Call) {
    let _ = std::fs::remove_file(call.place(CHANGED));
    refresh(call);
}

/// With the switch `unsettled` nothing settles but a writer that waits, with `delays` time settles it, else it is at once.
pub fn is_settled(call: &Call) -> bool {
    let Some(changed) = call.read(CHANGED).and_then(|text| text.trim().parse::<u64>().ok()) else {
        return true;
    };
    let waits = call.switch("delays").is_some() && call.now() < changed + SETTLE;
    call.switch("unsettled").is_none() && !waits
}

fn show(call: &Call, view: &View) {
    let before = call.members();
    let mut version = before["version"].as_u64().unwrap_or(0);
    let current = call.read(PATH).unwrap_or_default();
    if current == text(call, view, version, &before) {
        return;
    }
    version += 1;
    let _ = call.write_here(PATH, &text(call, view, version, &before));
}

fn text(call: &Call, view: &View, version: u64, before: &Value) -> String {
    let (own, conf) = (&call.node, &view.conf);
    let mut nodes: Vec<String> = Vec::new();
    for node in &conf.nodes {
        let is_online = view.is_online(node);
        let known = || {
            let address = before.pointer(&format!("/nodelist/{}/ip", node.name));
            address.and_then(Value::as_str).map(str::to_owned)
        };
        let ip = match is_online {
            true if node.name == *own => call.address(),
            true => call.neighbour(&node.name).and_then(|machine| machine.address()),
            false => known(),
        };
        let ip = ip.map_or_else(String::new, |ip| format!(", \"ip\": \"{ip}\""));
        let (name, id, online) = (&node.name, node.id, u8::from(is_online));
        nodes.push(format!("  \"{name}\": {{ \"id\": {id}, \"online\": {online}{ip}}}"));
    }
    let (name, count, quorate) = (&conf.name, nodes.len(), u8::from(view.is_quorate()));
    format!(
        "{{\n\"nodename\": \"{own}\",\n\"version\": {version},\n\"cluster\": {{ \"name\": \"{name}\", \"version\": {}, \
         \"nodes\": {count}, \"quorate\": {quorate} }},\n\"nodelist\": {{\n{}\n  }}\n}}\n",
        conf.version,
        nodes.join(",\n")
    )
}

/// A node that stands alone.
pub fn stand_alone(call: &Call) -> std::io::Result<()> {
    std::fs::write(
        call.store(PATH),
        format!("{{\n\"nodename\": \"{}\",\n\"version\": 0\n}}\n", call.node),
    )
}

/// A member that is thrown out keeps what it saw, but may not write.
pub fn lose_quorum(call: &Call) {
    let text = call.read(PATH).unwrap_or_default();
    let _ = call.write_here(PATH, &text.replace("\"quorate\": 1", "\"quorate\": 0"));
}
