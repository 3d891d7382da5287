use heeler_proto::{NodeName, Serial};
use std::net::IpAddr;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, value};

use crate::screen::printable;

/// The lines of a new node, from what first contact found.
pub struct NewNode {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub name: NodeName,
    /// LAN address.
    pub address: IpAddr,
    /// Serials of the mirror's disks; empty when a person must choose.
    pub disks: Vec<Serial>,
    /// Address and MAC of the backplane card; None when there is none, or several could be it.
    pub backplane: Option<(IpAddr, String)>,
    /// One line about the machine, written as a comment; may be empty.
    pub note: String,
}

/// Why the node could not be added to heeler.toml.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The text is not valid TOML.
    #[error("could not add a node to heeler.toml: it is not valid TOML; heeler plan shows the place")]
    NoToml(#[source] toml_edit::TomlError),
    /// The key where the nodes belong holds something other than a table.
    #[error("could not add a node to heeler.toml: {0} is not a table")]
    NoTable(String),
}

/// Adds the node to heeler.toml. Comments and order stay, and keys that the node already has are not changed, so adding
/// it again changes nothing. Fails when the text is not valid TOML, or `nodes` is not a table.
pub fn add_node(text: &str, node: &NewNode) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse().map_err(EditError::NoToml)?;
    let mut implicit = Table::new();
    implicit.set_implicit(true);
    let nodes = document.entry("nodes").or_insert(Item::Table(implicit));
    let nodes = nodes
        .as_table_like_mut()
        .ok_or_else(|| EditError::NoTable("nodes".into()))?;
    let name = node.name.as_str();
    let is_new = !nodes.contains_key(name);
    if is_new {
        let mut table = Table::new();
        table.decor_mut().set_prefix(comment_above(&node.note));
        nodes.insert(name, Item::Table(table));
    }
    let entry = nodes.get_mut(name).and_then(Item::as_table_like_mut);
    let entry = entry.ok_or_else(|| EditError::NoTable(format!("nodes.{name}")))?;
    let mut keys = vec![("address", value(node.address.to_string()))];
    if let Some((address, mac)) = &node.backplane {
        let mut card = InlineTable::new();
        card.insert("address", address.to_string().into());
        card.insert("mac", mac.as_str().into());
        keys.push(("backplane", value(card)));
    }
    if !node.disks.is_empty() {
        let disks: Array = node.disks.iter().map(Serial::as_str).collect();
        keys.push(("disks", value(disks)));
    }
    for (key, item) in keys {
        if !entry.contains_key(key) {
            entry.insert(key, item);
        }
    }
    if is_new {
        keep_comments_above(&mut document, name, &comment_above(&node.note));
    }
    Ok(document.to_string())
}

/// TOML attaches comments at the end of the file to the last table. A new last table is put below them.
fn keep_comments_above(document: &mut DocumentMut, name: &str, note: &str) {
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    document.set_trailing("");
    let text = document.to_string();
    let header = format!("\n[nodes.{name}]\n");
    let is_last = text.rfind("\n[").is_some_and(|at| text[at..].starts_with(&header));
    let table = document.get_mut("nodes").and_then(|nodes| nodes.get_mut(name));
    match table.and_then(Item::as_table_mut) {
        Some(table) if is_last && !trailing.trim().is_empty() => {
            table.decor_mut().set_prefix(format!("{trailing}{note}"));
        }
        _ => document.set_trailing(trailing),
    }
}

fn comment_above(note: &str) -> String {
    match printable(note).trim() {
        "" => "\n".into(),
        note => format!("\n# {note}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pi5r() -> NewNode {
        NewNode {
            name: NodeName::new("k8sctl-pi5r").unwrap(),
            address: "10.10.80.51".parse().unwrap(),
            disks: ["S6XNNS0W100003", "S6XNNS0W100004"]
                .map(|serial| Serial::new(serial).unwrap())
                .to_vec(),
            backplane: None,
            note: "Raspberry Pi 5 Model B Rev 1.0, 8 GiB".into(),
        }
    }

    const BEFORE: &str = "# the fleet\n[cluster]\nname = \"k8sctl\" # unchangeable\n\n[coordinator]\naddresses = [\"10.10.80.50\"]\n\n\
        [nodes.k8sctl-pi5l] # left\naddress = \"10.10.80.50\"\n\n[[snapshots]] # below the nodes\n\
        datasets = [\"data/vm\"]\nkeep = { daily = 1 }\n";

    #[test]
    fn an_added_node_keeps_every_comment() {
        let after = add_node(BEFORE, &pi5r()).unwrap();
        let added = "\n# Raspberry Pi 5 Model B Rev 1.0, 8 GiB\n[nodes.k8sctl-pi5r]\naddress = \"10.10.80.51\"\n\
            disks = [\"S6XNNS0W100003\", \"S6XNNS0W100004\"]\n";
        let (head, tail) = BEFORE.split_once("\n[[snapshots]]").unwrap();
        assert_eq!(after, format!("{head}{added}\n[[snapshots]]{tail}"));
        assert_eq!(crate::config::parse(&after).unwrap().nodes.len(), 2);
    }

    #[test]
    fn adding_a_node_twice_changes_nothing() {
        let once = add_node(BEFORE, &pi5r()).unwrap();
        assert_eq!(add_node(&once, &pi5r()).unwrap(), once);
        let by_hand = BEFORE.replace("10.10.80.50\"\n\n[[", "10.10.80.99\"\n\n[[");
        let pi5l = NewNode {
            name: NodeName::new("k8sctl-pi5l").unwrap(),
            ..pi5r()
        };
        let after = add_node(&by_hand, &pi5l).unwrap();
        assert!(
            after.contains("10.10.80.99") && after.contains("S6XNNS0W100003"),
            "{after}"
        );
        assert!(!after.contains("10.10.80.51"), "{after}");
    }

    #[test]
    fn adding_a_node_keeps_commented_keys_in_place() {
        let text = crate::config::template("k8sctl", &["10.10.80.9:7443".parse().unwrap()]);
        let text = text.replace("# [network]", "[network]").replace("# subnet", "subnet");
        let after = add_node(&text, &pi5r()).unwrap();
        let after = add_node(
            &after,
            &NewNode {
                name: NodeName::new("k8sctl-pi5x").unwrap(),
                address: "10.10.80.52".parse().unwrap(),
                disks: Vec::new(),
                ..pi5r()
            },
        )
        .unwrap();
        let config = crate::config::parse(&after.replace("# gateway", "gateway").replace("# dns", "dns")).unwrap();
        assert!(
            config.network.gateway.is_some() && config.network.dns.len() == 1,
            "{after}"
        );
        assert_eq!(config.nodes.len(), 2, "{after}");
    }

    #[test]
    fn a_note_cannot_become_a_line_of_its_own() {
        let evil = NewNode {
            note: "x\n[nodes.evil]".into(),
            ..pi5r()
        };
        let after = add_node("[cluster]\nname = \"a\"\n", &evil).unwrap();
        assert!(after.contains("# x[nodes.evil]\n"), "{after}");
    }
}
