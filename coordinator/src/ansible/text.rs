use std::fmt::Write as _;
use std::net::SocketAddr;

use super::Fleet;
use super::fleet::{KEYS, Node, Personal};
use super::lan::Lan;
use crate::config::{NETWORK, head};

impl Fleet {
    /// The heeler.toml. Values need no escapes: their keys accept no character that does.
    pub(crate) fn toml(&self, cluster: &str, coordinator: &[SocketAddr]) -> String {
        let mut text = head(cluster, coordinator);
        text.push('\n');
        network(&self.lan, &mut text);
        if self.defaults.iter().any(Option::is_some) {
            text.push_str("\n[defaults]\n");
            personal(&self.defaults, &mut text);
        }
        if let Some(pool) = &self.pool {
            line(&mut text, format_args!("\n[pool]\nname = \"{pool}\""));
        }
        if !self.nodes.is_empty() {
            text.push_str(DISKS);
        }
        for one in &self.nodes {
            node(one, self.lan.backplane.is_none(), &mut text);
        }
        text
    }

    /// Names of the nodes, in the order of the inventory.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| node.name.as_str())
    }
}

const DISKS: &str = "\n\
    # An inventory does not name disks, so the nodes below have no pool yet. heeler node add NAME offers a line for\n\
    # each node; heeler disk list shows the serials. It looks like this:\n\
    # disks = [\"S6XNNS0W100001\", \"S6XNNS0W100002\"]\n";

/// Writing to a String cannot fail.
fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{what}");
}

fn personal(keys: &Personal, text: &mut String) {
    for (key, value) in KEYS.iter().zip(keys) {
        if let Some(value) = value {
            line(text, format_args!("{key} = \"{value}\""));
        }
    }
}

fn network(lan: &Lan, text: &mut String) {
    let Some(subnet) = lan.subnet else {
        let guess = lan.guess.map(|guess| guess.to_string());
        return text.push_str(&match guess {
            // The router's address cannot be known.
            Some(guess) => NETWORK.replace("10.10.80.0/24", &guess).replace("10.10.80.1", "ROUTER"),
            None => NETWORK.to_owned(),
        });
    };
    line(text, format_args!("[network]\nsubnet = \"{subnet}\""));
    if let Some(gateway) = lan.gateway {
        line(text, format_args!("gateway = \"{gateway}\""));
    }
    if !lan.dns.is_empty() {
        let all: Vec<_> = lan.dns.iter().map(|at| format!("\"{at}\"")).collect();
        line(text, format_args!("dns = [{}]", all.join(", ")));
    }
    if let Some(domain) = &lan.domain {
        line(text, format_args!("domain = \"{domain}\""));
    }
    if let Some(backplane) = lan.backplane {
        line(text, format_args!("backplane = \"{backplane}\""));
    }
}

fn node(node: &Node, own_network: bool, text: &mut String) {
    line(
        text,
        format_args!("\n[nodes.{}]\naddress = \"{}\"", node.name, node.address),
    );
    personal(&node.personal, text);
    let Some(card) = &node.card else { return };
    let mac = card
        .mac
        .as_ref()
        .map_or_else(String::new, |mac| format!(", mac = \"{mac}\""));
    line(
        text,
        format_args!("backplane = {{ address = \"{}\"{mac} }}", card.address),
    );
    if own_network {
        line(text, format_args!("network = {{ backplane = \"{}\" }}", card.network));
    }
}
