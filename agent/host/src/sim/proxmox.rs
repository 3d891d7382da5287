//! Proxmox on the simulated machine: what pmxcfs keeps, and its unit.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use super::machine::Machine;
use super::state::{Mount, State};
use crate::hosts;
use crate::pmxcfs::{PATH, UNIT};

/// Its settings, which outlive a boot.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxmox {
    /// Whether each user may sign in, by id; root@pam is one of them.
    pub(super) users: BTreeMap<String, bool>,
    /// The members of each group.
    pub(super) groups: BTreeMap<String, BTreeSet<String>>,
    /// Whether a role counts below its path, by path, owner and role. A group's owner is `@name`.
    pub(super) permissions: BTreeMap<(String, String, String), bool>,
    /// The fields of each storage, by id.
    pub(super) storages: BTreeMap<String, BTreeMap<String, String>>,
    /// The kind of content of each volume, by id.
    pub(super) volumes: BTreeMap<String, String>,
    /// Whether it belongs to a cluster that has no quorum.
    pub(super) no_quorum: bool,
}

/// Proxmox's own storage.
const LOCAL: [(&str, &str); 4] = [
    ("type", "dir"),
    ("path", "/var/lib/vz"),
    ("content", "iso,backup,snippets,rootdir,images,vztmpl"),
    ("prune-backups", "keep-all=1"),
];
const MEMBERS: &str = "/etc/pve/.members";

impl Machine {
    /// Installs Proxmox and starts it, if the machine's name has an address.
    pub fn install_proxmox(&self) {
        let mut state = self.lock();
        let users = BTreeMap::from([("root@pam".to_owned(), true)]);
        let field = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let local = BTreeMap::from(LOCAL.map(field));
        state.os.proxmox = Some(Proxmox {
            users,
            storages: BTreeMap::from([("local".to_owned(), local)]),
            ..Proxmox::default()
        });
        state.os.files.folder(PATH);
        state.os.units.insert(UNIT.to_owned(), "enabled");
        state.started(UNIT);
    }

    /// Puts a volume such as `local:iso/x.iso` into its storage.
    pub fn put_volume(&self, id: &str, content: &str) {
        if let Some(proxmox) = self.lock().os.proxmox.as_mut() {
            proxmox.volumes.insert(id.to_owned(), content.to_owned());
        }
    }

    /// Sets whether the cluster of this node has quorum.
    pub fn set_quorum(&self, is: bool) {
        if let Some(proxmox) = self.lock().os.proxmox.as_mut() {
            proxmox.no_quorum = !is;
        }
    }
}

impl State {
    /// The addresses of a name, as /etc/hosts has them.
    pub(super) fn resolve(&self, name: &str) -> Vec<IpAddr> {
        let text = self.os.files.text(hosts::PATH).unwrap_or_default();
        let lines = hosts::lines(&text).filter(|line| line.names.contains(&name));
        lines.map(|line| line.address).collect()
    }

    /// Whether pmxcfs answers.
    pub(super) fn pmxcfs_runs(&self) -> bool {
        self.os.proxmox.is_some() && self.kernel.active.contains(UNIT)
    }

    /// Whether no file below /etc/pve can be written.
    pub(super) fn pmxcfs_is_read_only(&self) -> bool {
        self.os.proxmox.as_ref().is_some_and(|proxmox| proxmox.no_quorum)
    }

    /// Mounts it, unless the machine's name has only loopback addresses, or files are in the way: then it ends with 255.
    pub(super) fn start_pmxcfs(&mut self) -> bool {
        let addresses = self.resolve(&self.os.name);
        let in_the_way = self.os.files.list(Path::new(PATH)).is_ok_and(|names| !names.is_empty());
        if self.kernel.active.contains(UNIT) {
            return true;
        }
        if in_the_way || addresses.iter().all(IpAddr::is_loopback) {
            return false;
        }
        let members = format!("{{\n\"nodename\": \"{}\",\n\"version\": 0\n}}\n", self.os.name);
        self.os.files.put_mode(MEMBERS, members, 0o440);
        self.os.files.put("/var/lib/pve-cluster/config.db", "SQLite format 3\0");
        self.kernel.mounted.push(Mount::new("/dev/fuse", PATH, "fuse"));
        true
    }

    /// Unmounts it.
    pub(super) fn stop_pmxcfs(&mut self) {
        self.kernel.mounted.retain(|mount| mount.target != PATH);
        self.os.files.remove(Path::new(MEMBERS));
    }
}
