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
    for (index, nic) in state.board.nics.iter().enumerate() {
        let up = ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"];
        let flags = if nic.carrier {
            &up[..]
        } else {
            &["NO-CARRIER", "BROADCAST", "MULTICAST", "UP"][..]
        };
        let address = nic.address.as_ref().map(|address| info(address, &nic.name, "global"));
        links.push(json!({
            "ifindex": index + 2, "ifname": nic.name, "flags": flags, "mtu": 1500, "qdisc": "fq_codel",
            "operstate": if nic.carrier { "UP" } else { "DOWN" }, "group": "default", "txqlen": 1000,
            "link_type": "ether", "address": nic.mac, "broadcast": "ff:ff:ff:ff:ff:ff",
            "addr_info": address.into_iter().collect::<Vec<_>>(),
        }));
    }
    Value::Array(links)
}

/// Of /24 networks with the router at .1, which is all that a simulated machine is plugged into.
fn routes(state: &State) -> Value {
    let network = |address: &str| address.rsplit_once('.').map(|(network, _)| network.to_owned());
    let with = state
        .board
        .nics
        .iter()
        .filter_map(|nic| Some((nic, nic.address.as_deref().and_then(network)?)));
    let mut routes = Vec::new();
    for (nic, network) in with {
        let source = nic.address.as_deref().and_then(|address| address.split('/').next());
        if routes.is_empty() {
            routes.push(
                json!({"dst": "default", "gateway": format!("{network}.1"), "dev": nic.name,
                               "protocol": "dhcp", "prefsrc": source, "metric": 100, "flags": []}),
            );
        }
        routes.push(
            json!({"dst": format!("{network}.0/24"), "dev": nic.name, "protocol": "kernel", "scope": "link",
                           "prefsrc": source, "metric": 100, "flags": []}),
        );
    }
    Value::Array(routes)
}
