//! `corosync.conf` in the form in which Proxmox writes it.

use std::collections::BTreeMap;

/// A whole file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct CorosyncConf {
    pub name: String,
    pub version: u64,
    pub nodes: Vec<Node>,
    /// Priority by link number; empty where none was given.
    pub links: BTreeMap<u8, String>,
}

/// A node of the node list.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    pub id: u64,
    pub votes: u64,
    /// Address by link number.
    pub addresses: BTreeMap<u8, String>,
}

impl CorosyncConf {
    /// Reads a file; none when it has no node list.
    pub fn parse(text: &str) -> Option<Self> {
        let mut conf = Self::default();
        let (mut section, mut link, mut priority) = ("", 0, String::new());
        for line in text.lines().map(str::trim) {
            match line
                .split_once([':', '{'])
                .map(|(name, value)| (name.trim(), value.trim()))
            {
                Some((name, "")) => {
                    section = name;
                    priority.clear();
                    if name == "node" {
                        conf.nodes.push(Node::default());
                    }
                }
                Some(("knet_link_priority", value)) => value.clone_into(&mut priority),
                Some(("linknumber", value)) => link = value.parse().ok()?,
                Some(("cluster_name", value)) => value.clone_into(&mut conf.name),
                Some(("config_version", value)) => conf.version = value.parse().ok()?,
                Some((name, value)) if section == "node" => conf.nodes.last_mut()?.take(name, value)?,
                None if line == "}" && section == "interface" => {
                    conf.links.insert(link, priority.clone());
                    section = "totem";
                }
                _ => {}
            }
        }
        (!conf.nodes.is_empty()).then_some(conf)
    }

    pub fn text(&self) -> String {
        let mut text = "logging {\n  debug: off\n  to_syslog: yes\n}\n\nnodelist {\n".to_owned();
        let mut nodes: Vec<&Node> = self.nodes.iter().collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        for Node {
            name,
            id,
            votes,
            addresses,
        } in nodes
        {
            text += &format!("  node {{\n    name: {name}\n    nodeid: {id}\n    quorum_votes: {votes}\n");
            for (link, address) in addresses {
                text += &format!("    ring{link}_addr: {address}\n");
            }
            text += "  }\n";
        }
        let (name, version) = (&self.name, self.version);
        text += "}\n\nquorum {\n  provider: corosync_votequorum\n}\n\n";
        text += &format!("totem {{\n  cluster_name: {name}\n  config_version: {version}\n");
        for (link, priority) in &self.links {
            text += "  interface {\n";
            if !priority.is_empty() {
                text += &format!("    knet_link_priority: {priority}\n");
            }
            text += &format!("    linknumber: {link}\n  }}\n");
        }
        text + "  ip_version: ipv4-6\n  link_mode: passive\n  secauth: on\n  token_coefficient: 125\n  version: 2\n}\n\n"
    }

    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }
}

impl Node {
    fn take(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "name" => value.clone_into(&mut self.name),
            "nodeid" => self.id = value.parse().ok()?,
            "quorum_votes" => self.votes = value.parse().ok()?,
            _ => {
                let link = name.strip_prefix("ring")?.strip_suffix("_addr")?.parse().ok()?;
                self.addresses.insert(link, value.to_owned());
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_as_it_was_read() {
        let node = |id: u64| Node {
            name: format!("pve{id}"),
            id,
            votes: 1,
            addresses: BTreeMap::from([(0, format!("10.99.0.{id}")), (1, format!("10.99.1.{id}"))]),
        };
        let conf = CorosyncConf {
            name: "lab".to_owned(),
            version: 7,
            nodes: vec![node(1), node(2)],
            links: BTreeMap::from([(0, "20".to_owned()), (1, String::new())]),
        };
        assert_eq!(CorosyncConf::parse(&conf.text()), Some(conf));
        assert_eq!(CorosyncConf::parse(""), None);
    }
}
