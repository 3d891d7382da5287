use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::ask::{names, text};
use crate::ip::Interface;
use crate::{RunError, System, connections, ip};

/// A wired network card.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nic {
    /// The kernel's name of today.
    pub name: String,
    /// Lower case, with colons.
    pub mac: String,
    /// platform, pci, usb, virtio…
    pub bus: String,
    /// macb, r8152…
    pub driver: String,
    /// Mbit/s; 0 when unknown.
    pub speed_mbit: u32,
    /// Whether a link is there.
    pub carrier: bool,
    /// The kernel's word: up, down, lowerlayerdown, unknown…
    pub operstate: String,
    /// Whether somebody has switched it on.
    pub up: bool,
    /// Mbit/s of the USB port that it is in; 0 when it is in none. 480 is a port or a cable of USB 2.
    pub usb_mbit: u32,
    /// With prefix length, link-local ones left out.
    pub addresses: Vec<String>,
    /// Why it is not taken as the backplane's card.
    pub refusal: Option<Refusal>,
}

/// Why a card is not taken as the backplane's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Its hardware address was made up, and is another one after the next boot.
    MadeUp,
    /// It belongs to a bridge or a bond of this name.
    PortOf(String),
    /// The way out of the node leads through it.
    DefaultRoute,
    /// A connection runs over it: the agent's session, a person's SSH.
    Connection(IpAddr),
    /// Somebody gave it this address: only a card that is named is taken then.
    Address(String),
}

impl Refusal {
    /// Whether it holds also for a card that heeler.toml names.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Address(_))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MadeUp => {
                f.write_str("its hardware address is made up by the kernel, and changes with the next boot")
            }
            Self::PortOf(master) => write!(f, "it belongs to {master}"),
            Self::DefaultRoute => f.write_str("the node's default route leads through it"),
            Self::Connection(address) => write!(f, "a connection runs over it, at {address}"),
            Self::Address(address) => write!(f, "it has the address {address}"),
        }
    }
}

/// What a card may be refused for, of the whole machine.
struct Ways {
    connections: Vec<IpAddr>,
    defaults: Vec<String>,
    interfaces: BTreeMap<String, Interface>,
}

/// Every physical wired network card, by name: neither bridges and the like, nor Wi-Fi.
///
/// # Errors
/// When sysfs or `ip` cannot be read.
pub async fn nics(host: &dyn System) -> Result<Vec<Nic>, RunError> {
    let ways = Ways {
        connections: connections::local_ends(host).await?,
        defaults: connections::default_routes(host).await?,
        interfaces: ip::interfaces(host).await?,
    };
    let mut nics = Vec::new();
    for name in names(host, "/sys/class/net").await?.unwrap_or_default() {
        let folder = Path::new("/sys/class/net").join(&name);
        nics.extend(nic(host, &folder, name, &ways).await?);
    }
    Ok(nics)
}

async fn nic(host: &dyn System, folder: &Path, name: String, ways: &Ways) -> Result<Option<Nic>, RunError> {
    let last = |path: Result<PathBuf, _>| {
        let path: PathBuf = path.unwrap_or_else(|_: std::io::Error| PathBuf::new());
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let bus = last(host.resolve(&folder.join("device/subsystem")).await);
    let ethernet = text(host, folder.join("type")).await?.as_deref() == Some("1");
    let wireless =
        names(host, folder.join("wireless")).await?.is_some() || host.resolve(&folder.join("phy80211")).await.is_ok();
    if bus.is_empty() || !ethernet || wireless {
        return Ok(None);
    }
    // Reading some of them fails while the card is switched off.
    let read = async |file: &str| text(host, folder.join(file)).await.ok().flatten().unwrap_or_default();
    let master = last(host.resolve(&folder.join("master")).await);
    let own_mac = read("addr_assign_type").await == "0";
    let interface = ways.interfaces.get(&name).cloned().unwrap_or_default();
    Ok(Some(Nic {
        mac: read("address").await,
        driver: last(host.resolve(&folder.join("device/driver")).await),
        speed_mbit: read("speed").await.parse().unwrap_or(0),
        carrier: read("carrier").await == "1",
        operstate: read("operstate").await,
        up: interface.up,
        usb_mbit: if bus == "usb" { usb_speed(host, folder).await } else { 0 },
        refusal: refusal(&name, &interface, (&master, own_mac), ways),
        addresses: interface.addresses,
        bus,
        name,
    }))
}

fn refusal(name: &str, interface: &Interface, (master, own_mac): (&str, bool), ways: &Ways) -> Option<Refusal> {
    let all = interface.addresses.iter().chain(&interface.link_local);
    let own: Vec<IpAddr> = all
        .filter_map(|address| address.split('/').next()?.parse().ok())
        .collect();
    let connection = ways.connections.iter().find(|end| own.contains(end));
    if !master.is_empty() {
        Some(Refusal::PortOf(master.to_owned()))
    } else if let Some(end) = connection {
        Some(Refusal::Connection(*end))
    } else if ways.defaults.iter().any(|default| default == name) {
        Some(Refusal::DefaultRoute)
    } else if !own_mac {
        Some(Refusal::MadeUp)
    } else {
        interface.addresses.first().cloned().map(Refusal::Address)
    }
}

/// The USB device is the first folder above the card's that has a speed.
async fn usb_speed(host: &dyn System, folder: &Path) -> u32 {
    let Ok(device) = host.resolve(&folder.join("device")).await else {
        return 0;
    };
    for above in device.ancestors().take(4) {
        if let Ok(Some(speed)) = text(host, above.join("speed")).await {
            return speed.parse().unwrap_or(0);
        }
    }
    0
}
