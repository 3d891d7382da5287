use serde_json::{Value, json};

use super::printed;
use crate::Output;
use crate::sim::state::State;

/// `ip -j addr`, `ip -j route`.
pub(super) fn run(state: &State, args: &[&str]) -> Option<Output> {
    let answer = match args {
        ["-j", "addr"] => addresses(state),
        ["-j", "route"] => routes(state),
        _ => return None,
    };
    Some(printed(format!("{answer}\n")))
}

fn info(address: &str, label: &str, scope: &str) -> Value {
    let (local, length) = address.split_once('/').unwrap_or((address, "32"));
    json!({"family": "inet", "local": local, "prefixlen": length.parse::<u8>().unwrap_or(32), "scope": scope,
           "label": label, "valid_life_time": 4_294_967_295_u32, "preferred_life_time": 4_294_967_295_u32})
}

fn addresses(state: &State) -> Value {
    let mut links = vec![json!({
        "ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"], "mtu": 65536, "qdisc": "noqueue",
        "operstate": "UNKNOWN", "group": "default", "txqlen": 1000, "link_type": "loopback",
        "address": "00:00:00:00:00:00", "broadcast": "00:00:00:00:00:00",
        "addr_info": [info("127.0.0.1/8", "lo", "host")],
    })];
    for (index, (link, nic)) in state.links().enumerate() {
        let flags = match (link.up, nic.carrier) {
            (true, true) => &["BROADCAST", "MULTICAST", "UP", "LOWER_UP"][..],
            (true, false) => &["NO-CARRIER", "BROADCAST", "MULTICAST", "UP"][..],
            (false, _) => &["BROADCAST", "MULTICAST"][..],
        };
        let addresses: Vec<Value> = link
            .addresses()
            .map(|address| info(address, &link.name, "global"))
            .collect();
        links.push(json!({
            "ifindex": index + 2, "ifname": link.name, "flags": flags, "mtu": 1500, "qdisc": "fq_codel",
            "operstate": if nic.carrier && link.up { "UP" } else { "DOWN" }, "group": "default", "txqlen": 1000,
            "link_type": "ether", "address": nic.mac, "broadcast": "ff:ff:ff:ff:ff:ff", "addr_info": addresses,
        }));
    }
    if let Some(bridge) = &state.kernel.bridge {
        let addresses: Vec<Value> = bridge
            .address
            .iter()
            .map(|address| info(address, &bridge.name, "global"))
            .collect();
        links.push(json!({
            "ifindex": 20, "ifname": bridge.name, "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"], "mtu": 1500,
            "qdisc": "noqueue", "operstate": "UP", "group": "default", "txqlen": 1000, "link_type": "ether",
            "address": state.port().map(|(_, nic)| nic.mac.clone()), "broadcast": "ff:ff:ff:ff:ff:ff",
            "addr_info": addresses,
        }));
    }
    Value::Array(links)
}

/// Simulated machines are in /24 networks.
fn routes(state: &State) -> Value {
    let network = |address: &str| address.rsplit_once('.').map(|(network, _)| network.to_owned());
    let bridge = state.kernel.bridge.iter();
    let bridges = bridge.filter_map(|bridge| Some((bridge.name.as_str(), bridge.address.as_ref()?)));
    let links = state
        .links()
        .flat_map(|(link, _)| link.addresses().map(|address| (link.name.as_str(), address)));
    let default = state.default_route();
    let mut routes = Vec::new();
    for (name, address) in bridges.chain(links) {
        let Some(network) = network(address) else { continue };
        let source = address.split('/').next();
        if let Some((device, gateway)) = default.as_ref().filter(|_| routes.is_empty())
            && device == name
        {
            routes.push(
                json!({"dst": "default", "gateway": gateway, "dev": name, "protocol": "dhcp", "prefsrc": source,
                               "metric": 100, "flags": []}),
            );
        }
        routes.push(
            json!({"dst": format!("{network}.0/24"), "dev": name, "protocol": "kernel", "scope": "link",
                           "prefsrc": source, "metric": 100, "flags": []}),
        );
    }
    Value::Array(routes)
}
