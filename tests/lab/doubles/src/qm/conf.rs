//! A guest's file, `/etc/pve/nodes/NODE/qemu-server/ID.conf`.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Map, Value, json};

use crate::call::{Call, Fault};
use crate::pvesh::digest;

/// Settings that the API answers as numbers; `memory` is none of them.
const NUMBERS: [&str; 14] = [
    "acpi",
    "balloon",
    "cores",
    "cpuunits",
    "freeze",
    "kvm",
    "localtime",
    "numa",
    "onboot",
    "protection",
    "sockets",
    "tablet",
    "template",
    "vcpus",
];

/// Settings by name.
#[derive(Debug, Default, Clone)]
pub struct Conf {
    pub now: BTreeMap<String, String>,
    /// What counts from the next start on.
    pub pending: BTreeMap<String, String>,
}

pub fn path(node: &str, id: &str) -> String {
    format!("/etc/pve/nodes/{node}/qemu-server/{id}.conf")
}

impl Conf {
    /// Fails as the real program when this node has no such guest.
    pub fn load(call: &Call, id: &str) -> Result<Self, Fault> {
        let missing = || {
            let file = format!("nodes/{}/qemu-server/{id}.conf", call.node);
            Fault::new(2, format!("Configuration file '{file}' does not exist"))
        };
        let text = call.read(&path(&call.node, id)).ok_or_else(missing)?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut conf = Self::default();
        let mut fields = &mut conf.now;
        for line in text.lines() {
            if line == "[PENDING]" {
                fields = &mut conf.pending;
            } else if let Some((name, value)) = line.split_once(": ") {
                fields.insert(name.to_owned(), value.to_owned());
            }
        }
        conf
    }

    pub fn text(&self) -> String {
        let lines = |fields: &BTreeMap<String, String>| {
            fields
                .iter()
                .map(|(name, value)| format!("{name}: {value}\n"))
                .collect::<String>()
        };
        let pending = if self.pending.is_empty() {
            String::new()
        } else {
            format!("\n[PENDING]\n{}", lines(&self.pending))
        };
        lines(&self.now) + &pending
    }

    pub fn save(&self, call: &Call, id: &str) -> Result<(), Fault> {
        call.write(&path(&call.node, id), &self.text())
    }

    /// A setting as it will be at the next start.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pending
            .get(name)
            .or_else(|| self.now.get(name))
            .map(String::as_str)
    }

    pub fn number(&self, name: &str, default: u64) -> u64 {
        self.now.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    pub fn name(&self, id: &str) -> String {
        self.get("name").map_or_else(|| format!("VM {id}"), str::to_owned)
    }

    /// Every setting as it will be at the next start.
    pub fn wanted(&self) -> BTreeMap<&str, &str> {
        let all = self.now.iter().chain(&self.pending);
        all.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The same as the API answers it, with the file's digest.
    pub fn answer(&self) -> Value {
        let mut row = Map::new();
        for (name, value) in self.wanted() {
            row.insert(name.to_owned(), value_of(name, value));
        }
        row.insert("digest".to_owned(), json!(digest::of(self.text().as_bytes())));
        let sorted: BTreeMap<String, Value> = row.into_iter().collect();
        Value::Object(sorted.into_iter().collect())
    }
}

pub fn value_of(name: &str, value: &str) -> Value {
    let number = value.parse::<u64>().ok().filter(|_| NUMBERS.contains(&name));
    number.map_or_else(|| json!(value), |number| json!(number))
}

/// Guests of a node, by number.
pub fn all(call: &Call, node: &str) -> Vec<(String, Conf)> {
    let folder = call.place(&format!("/etc/pve/nodes/{node}/qemu-server"));
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut ids: Vec<u64> = files
        .filter_map(|file| file.file_name().to_str()?.strip_suffix(".conf")?.parse().ok())
        .collect();
    ids.sort_unstable();
    let load = |id: u64| Some((id.to_string(), Conf::parse(&call.read(&path(node, &id.to_string()))?)));
    ids.into_iter().filter_map(load).collect()
}

/// The node that has a guest of this number, as a virtual machine or a container.
pub fn owner(call: &Call, id: &str) -> Option<String> {
    let nodes = fs::read_dir(call.place("/etc/pve/nodes"))
        .into_iter()
        .flatten()
        .flatten();
    let mut names = nodes.filter_map(|node| node.file_name().into_string().ok());
    names.find(|node| {
        let container = format!("/etc/pve/nodes/{node}/lxc/{id}.conf");
        call.place(&path(node, id)).exists() || call.place(&container).exists()
    })
}
