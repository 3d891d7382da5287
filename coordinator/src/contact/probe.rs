use std::collections::BTreeMap;

/// What runs on the node before anything is touched.
pub const SCRIPT: &str = include_str!("probe.sh");

/// What the login user can see of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    values: BTreeMap<String, String>,
    /// The host's public keys, `type base64`.
    pub host_keys: Vec<String>,
}

impl Probe {
    /// Reads the lines that [`SCRIPT`] printed; None when it did not run to its end.
    #[must_use]
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

    /// Whether it asked and got an empty answer: the thing is not there.
    #[must_use]
    pub fn lacks(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(String::is_empty)
    }

    /// One value; empty when the node could not tell.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// One value as a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok()
    }

    /// Whether root needs no sudo.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.text("uid") == "0"
    }
}
