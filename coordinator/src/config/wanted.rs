use std::net::IpAddr;

use heeler_proto::{Cidr, Dataset, KeepBackplane, Mac, Mountpoint, NodeName, PoolName, Serial};

use super::{Config, Node, Place, Renderer};

/// A node as it is wanted: what it says itself, else what the fleet says, else what is usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedNode {
    /// Its name.
    pub name: NodeName,
    /// Its line in heeler.toml, 1 and up.
    pub line: u32,
    /// In the subnet.
    pub address: IpAddr,
    /// Legs of the mirror: none, or two and more.
    pub disks: Vec<Serial>,
    /// "data" unless somebody says otherwise.
    pub pool: PoolName,
    /// Parents before children.
    pub datasets: Vec<Dataset>,
    /// None: a tenth of the RAM, at most 1 GiB.
    pub arc_max_bytes: Option<u64>,
    /// Its second card.
    pub backplane: Option<KeepBackplane>,
}

impl Config {
    /// Every node as it is wanted, in the order of the file.
    #[must_use]
    pub fn wanted_nodes(&self) -> Vec<WantedNode> {
        self.nodes.iter().filter_map(|node| self.wanted(node)).collect()
    }

    fn wanted(&self, node: &Node) -> Option<WantedNode> {
        let pool = self.pool_name(node)?;
        let arc = node.pool.arc_max_bytes.as_ref().or(self.pool.arc_max_bytes.as_ref());
        Some(WantedNode {
            name: node.name.value.clone(),
            line: u32::try_from(node.name.place.line).unwrap_or(u32::MAX),
            address: node.address.value,
            disks: node.disks.iter().map(|disk| disk.value.clone()).collect(),
            datasets: self.datasets(node, &pool),
            pool,
            arc_max_bytes: arc.map(|arc| arc.value),
            backplane: self.backplane(node),
        })
    }

    /// None never happens where a card is wanted: the laws have seen to it.
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

    /// None never happens: "data" is a pool's name.
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

    /// Where heeler.toml names the disk.
    #[must_use]
    pub fn place_of_disk(&self, serial: &str) -> Option<Place> {
        let mut disks = self.nodes.iter().flat_map(|node| &node.disks);
        disks.find(|disk| disk.value.as_str() == serial).map(|disk| disk.place)
    }
}
