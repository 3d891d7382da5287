use std::net::IpAddr;

use heeler_proto::{
    Cidr, Dataset, EnsureAccess, EnsureBoot, EnsureNames, EnsurePackages, EnsureRepositories, EnsureStorages,
    EnsureTime, Host, Keep, KeepBackplane, KeepCopies, Locale, Mac, Mountpoint, NodeName, PoolName, ScrubEvery, Serial,
    SnapshotPolicy, TimeZone, is_below,
};

use super::{Config, Node, Place, Renderer};

/// What heeler.toml wants of a node: its own keys, else those of the fleet, else the defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedNode {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub name: NodeName,
    /// Line of the node in heeler.toml, from 1.
    pub line: u32,
    /// LAN address, in the subnet.
    pub address: IpAddr,
    /// Serials of the mirror's legs: none, or at least two.
    pub disks: Vec<Serial>,
    /// Name of the pool: "data" unless heeler.toml gives another.
    pub pool: PoolName,
    /// Datasets, parents before children.
    pub datasets: Vec<Dataset>,
    /// Largest ARC in bytes. None: a tenth of the RAM, at most 1 GiB.
    pub arc_max_bytes: Option<u64>,
    /// Configuration of the backplane card; None when heeler.toml asks for none.
    pub backplane: Option<KeepBackplane>,
    /// Snapshot policies, by dataset.
    pub snapshots: Vec<SnapshotPolicy>,
    /// How often the pool is scrubbed.
    pub scrub: ScrubEvery,
    /// How many daily copies of the SD card's configuration are kept on the pool; 0: none are made.
    pub copies: u32,
    /// Host name, domain and /etc/hosts; None: they stay as they are.
    pub names: Option<EnsureNames>,
    /// Whether damaged and unfinished packages are repaired.
    pub repair: bool,
    /// The time servers; None: the clock stays as it is.
    pub time: Option<EnsureTime>,
    /// How the node starts, its swap and its journal; None: they stay as they are.
    pub boot: Option<EnsureBoot>,
    /// People, groups and roles of Proxmox; None: they stay as they are.
    pub access: Option<EnsureAccess>,
    /// Where it gets Proxmox's packages from; None: its sources stay as they are.
    pub repositories: Option<EnsureRepositories>,
    /// What is installed; None: nothing.
    pub packages: Option<EnsurePackages>,
    /// Storages of Proxmox; None: they stay as they are.
    pub storages: Option<EnsureStorages>,
    /// The node's locale; None: it stays as it is.
    pub locale: Option<Locale>,
    /// The node's time zone; None: it stays as it is.
    pub timezone: Option<TimeZone>,
    /// A number below 224 that follows from the name. It selects the hour of the scrub, so that nodes scrub at
    /// different times.
    pub place: usize,
}

impl WantedNode {
    /// Whether both want the same of the node; the position in the file does not count.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        let here = Self {
            line: other.line,
            place: other.place,
            ..self.clone()
        };
        here == *other
    }
}

/// 28 days with 8 hours each: every hour slot of a month, and four times those of a week.
const PLACES: usize = 224;
/// Hour slots of a week, 7 days with 8 hours each: nodes differ in these too, as a fleet may scrub weekly.
const APART: usize = 56;

/// The place of each name, in the given order. It depends on the name, so that a node keeps its place when others
/// come and go. When two names get the same place, the later one in the alphabet takes the next free place.
fn places(names: &[&str]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|at| names[*at]);
    let (mut places, mut taken) = (vec![0; names.len()], [false; APART]);
    for at in order {
        let [high, low, ..] = crate::pki::sha256(names[at].as_bytes());
        let first = usize::from(u16::from_be_bytes([high, low])) % PLACES;
        let mut free = (first..first + APART).filter(|place| !taken[place % APART]);
        let place = free.next().unwrap_or(first) % PLACES;
        taken[place % APART] = true;
        places[at] = place;
    }
    places
}

impl Config {
    /// What heeler.toml wants of each node, in the order of the file.
    pub fn wanted_nodes(&self) -> Vec<WantedNode> {
        let names: Vec<&str> = self.nodes.iter().map(|node| node.name.value.as_str()).collect();
        let nodes = self.nodes.iter().zip(places(&names));
        nodes.filter_map(|(node, place)| self.wanted(node, place)).collect()
    }

    fn wanted(&self, node: &Node, place: usize) -> Option<WantedNode> {
        let pool = self.pool_name(node)?;
        let arc = node.pool.arc_max_bytes.as_ref().or(self.pool.arc_max_bytes.as_ref());
        let datasets = self.datasets(node, &pool);
        let scrub = node.pool.scrub.as_ref().or(self.pool.scrub.as_ref());
        let copies = node.pool.copies.as_ref().or(self.pool.copies.as_ref());
        let timezone = node.defaults.timezone.as_ref().or(self.defaults.timezone.as_ref());
        let time = node.system.time_servers.as_ref().or(self.system.time_servers.as_ref());
        let repair = node.system.repair.as_ref().or(self.system.repair.as_ref());
        let locale = node.defaults.locale.as_ref().or(self.defaults.locale.as_ref());
        Some(WantedNode {
            snapshots: self.snapshots(&datasets),
            names: self.names(node),
            access: self.access.clone(),
            storages: self.storages(node, &datasets),
            boot: node.system.boot(&self.system),
            repair: repair.is_some_and(|repair| repair.value),
            repositories: self.proxmox.as_ref().map(|proxmox| proxmox.value.repositories.clone()),
            packages: self.proxmox.as_ref().map(|proxmox| proxmox.value.packages.clone()),
            time: time.map(|time| time.value.clone()),
            locale: locale.map(|locale| locale.value.clone()),
            timezone: timezone.map(|zone| zone.value.clone()),
            scrub: scrub.map_or(ScrubEvery::Month, |scrub| scrub.value),
            copies: copies.map_or(KeepCopies::USUAL, |copies| copies.value),
            place,
            name: node.name.value.clone(),
            line: u32::try_from(node.name.place.line).unwrap_or(u32::MAX),
            address: node.address.value,
            disks: node.disks.iter().map(|disk| disk.value.clone()).collect(),
            datasets,
            pool,
            arc_max_bytes: arc.map(|arc| arc.value),
            backplane: self.backplane(node),
        })
    }

    /// Of a fleet with more nodes than one cluster can have, each node lists itself alone.
    fn names(&self, node: &Node) -> Option<EnsureNames> {
        let domain = self.network.domain.as_ref()?;
        let host = |node: &Node| Host {
            name: node.name.value.clone(),
            address: node.address.value,
        };
        let hosts = match self.nodes.len() <= EnsureNames::MOST_HOSTS {
            true => self.nodes.iter().map(host).collect(),
            false => vec![host(node)],
        };
        Some(EnsureNames {
            name: node.name.value.clone(),
            domain: domain.value.clone(),
            hosts,
        })
    }

    /// The card's configuration. The rules have checked the values, so parsing them cannot fail.
    fn backplane(&self, node: &Node) -> Option<KeepBackplane> {
        let card = node.backplane.as_ref()?;
        let network = node.network.backplane.as_ref().or(self.network.backplane.as_ref())?;
        let IpAddr::V4(address) = card.address.value else {
            return None;
        };
        let renderer = node.network.renderer.as_ref().or(self.network.renderer.as_ref());
        Some(KeepBackplane {
            address: Cidr::new(address, network.value.prefix).ok()?,
            mac: card.mac.as_ref().map(|mac| Mac::new(&mac.value)).transpose().ok()?,
            renderer: match renderer.map(|renderer| renderer.value).unwrap_or_default() {
                Renderer::Auto => heeler_proto::Renderer::Auto,
                Renderer::Netplan => heeler_proto::Renderer::Netplan,
            },
        })
    }

    /// The pool's name. Cannot fail: "data" is a valid name.
    pub(super) fn pool_name(&self, node: &Node) -> Option<PoolName> {
        let said = node.pool.name.as_ref().or(self.pool.name.as_ref());
        said.map_or_else(|| PoolName::new("data").ok(), |name| Some(name.value.clone()))
    }

    fn datasets(&self, node: &Node, pool: &PoolName) -> Vec<Dataset> {
        match node.pool.datasets.as_ref().or(self.pool.datasets.as_ref()) {
            Some(said) => {
                let mut datasets: Vec<_> = said.iter().map(|one| one.value.clone()).collect();
                datasets.sort_by(|a, b| a.name.cmp(&b.name));
                datasets
            }
            None => vec![
                Dataset {
                    name: format!("{pool}/pve-files"),
                    mountpoint: Mountpoint::At(format!("/{pool}/pve-files")),
                },
                Dataset {
                    name: format!("{pool}/vm"),
                    mountpoint: Mountpoint::None,
                },
            ],
        }
    }

    /// The snapshot policies for this node's datasets and those below them. Without any policy in heeler.toml, the
    /// default for every mounted dataset. A dataset without mountpoint holds volumes, whose snapshots Proxmox takes.
    fn snapshots(&self, datasets: &[Dataset]) -> Vec<SnapshotPolicy> {
        let mut policies: Vec<SnapshotPolicy> = Vec::new();
        let here = |name: &str| {
            let below = |parent: &str| is_below(name, parent);
            datasets
                .iter()
                .any(|dataset| dataset.name == name || below(&dataset.name))
        };
        for said in &self.snapshots {
            let names = said.datasets.iter().map(|dataset| dataset.value.clone());
            policies.extend(names.filter(|name| here(name)).map(|dataset| SnapshotPolicy {
                dataset,
                keep: said.keep,
            }));
        }
        if self.snapshots.is_empty() {
            let files = datasets.iter().filter(|dataset| dataset.mountpoint != Mountpoint::None);
            policies.extend(files.map(|dataset| SnapshotPolicy {
                dataset: dataset.name.clone(),
                keep: Keep::usual(),
            }));
        }
        policies.sort_by(|a, b| a.dataset.cmp(&b.dataset));
        policies.dedup_by(|a, b| a.dataset == b.dataset);
        policies
    }

    /// The position of the serial in heeler.toml.
    pub fn place_of_disk(&self, serial: &str) -> Option<Place> {
        let mut disks = self.nodes.iter().flat_map(|node| &node.disks);
        disks.find(|disk| disk.value.as_str() == serial).map(|disk| disk.place)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn removed_nodes_do_not_move_a_nodes_scrub_slot() {
        let names = ["k8sctl-pi5l", "k8sctl-pi5r", "k8sctl-pi5x"];
        let all = places(&names);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), names.len());
        for gone in 0..names.len() {
            let (mut left, mut kept) = (names.to_vec(), all.clone());
            left.remove(gone);
            kept.remove(gone);
            assert_eq!(places(&left), kept, "{}", names[gone]);
        }
        let reversed: Vec<&str> = names.iter().rev().copied().collect();
        assert_eq!(places(&reversed), all.iter().rev().copied().collect::<Vec<_>>());
    }

    #[test]
    fn a_weeks_hours_serve_as_many_nodes() {
        let names: Vec<String> = (0..APART).map(|number| format!("node{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hours: BTreeSet<usize> = places(&names).iter().map(|place| place % APART).collect();
        assert_eq!(hours.len(), APART);
    }
}
