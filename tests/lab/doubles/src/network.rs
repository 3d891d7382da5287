//! Other nodes. The switch `network` names a folder in which each node's machine is a folder of its name; without it a
//! node is alone. A node with the switch `off` reaches nobody, and nobody reaches it.

use std::fs;
use std::path::PathBuf;

use crate::call::Call;
use crate::program;

impl Call {
    /// Machines that this one reaches, by name.
    pub fn neighbours(&self) -> Vec<Self> {
        let Some(folder) = self.switch("network").filter(|_| self.switch("off").is_none()) else {
            return Vec::new();
        };
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut roots: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        roots.sort();
        let machines = roots.into_iter().map(|root| self.with_root(root));
        machines
            .filter(|machine| machine.node != self.node && machine.switch("off").is_none())
            .collect()
    }

    /// The machine of this name, if it is reached.
    pub fn neighbour(&self, name: &str) -> Option<Self> {
        self.neighbours().into_iter().find(|machine| machine.node == name)
    }

    /// The name that /etc/hosts has for an address.
    pub fn name_of(&self, address: &str) -> Option<String> {
        let hosts = self.read("/etc/hosts")?;
        let line = hosts
            .lines()
            .find(|line| line.split_whitespace().next() == Some(address))?;
        line.split_whitespace().nth(1).map(str::to_owned)
    }

    /// Whether a network card of this machine has the address.
    pub fn has_address(&self, address: &str) -> bool {
        let shown = program::run(self, "ip", &["-o", "address"]);
        let mut words = shown.out.split_whitespace();
        words.any(|word| word.split('/').next() == Some(address))
    }
}

/// Whether two addresses are in one network, by their beginnings: the doubles know no netmask.
pub fn is_near(one: &str, other: &str) -> bool {
    let network = |address: &str| address.rsplit_once(['.', ':']).map(|(network, _)| network.to_owned());
    network(one).is_some() && network(one) == network(other)
}
