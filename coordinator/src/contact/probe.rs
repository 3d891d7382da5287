use std::collections::BTreeMap;

/// The script that gathers facts; it changes nothing on the node.
pub const SCRIPT: &str = include_str!("probe.sh");

/// What the login user can see of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    values: BTreeMap<String, String>,
    /// Public host keys, `type base64` each.
    pub host_keys: Vec<String>,
}

impl Probe {
    /// Parses the lines that [`SCRIPT`] prints; None when the script did not end.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let pairs = lines.into_iter().filter_map(|line| line.trim_end().split_once('='));
        let mut values = BTreeMap::new();
        let mut host_keys = Vec::new();
        for (name, value) in pairs {
            if name == "hostkey" {
                host_keys.push(value.to_owned());
            } else {
                values.insert(name.to_owned(), value.to_owned());
            }
        }
        (values.get("end").map(String::as_str) == Some("probe")).then_some(Self { values, host_keys })
    }

    /// Whether the script asked for the value and got an empty answer: the thing does not exist.
    pub fn lacks(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(String::is_empty)
    }

    /// A value; empty when the node did not report it.
    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// A value as a number; None when it is not one.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok()
    }

    /// Whether the login is root and needs no sudo.
    pub fn is_root(&self) -> bool {
        self.text("uid") == "0"
    }
}
