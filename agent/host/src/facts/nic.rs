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
    /// The kernel's present name, such as `eth0`; may change at boot.
    pub name: String,
    /// Hardware address in lower-case hex with colons.
    pub mac: String,
    /// The kernel's bus: platform, pci, usb, virtio…
    pub bus: String,
    /// The kernel's driver: macb, r8152…
    pub driver: String,
    /// Link speed in Mbit/s; 0 when unknown.
    pub speed_mbit: u32,
    /// Whether a cable with a link is plugged in; false also while the card is down.
    pub carrier: bool,
    /// The kernel's operational state: up, down, lowerlayerdown, unknown…
    pub operstate: String,
    /// Whether the interface is up administratively (flag UP), with or without a cable.
    pub up: bool,
    /// Speed of its USB port in Mbit/s; 0 when it is not on USB. 480 means a USB 2 port or cable.
    pub usb_mbit: u32,
    /// Addresses with prefix length, without link-local ones.
    pub addresses: Vec<String>,
    /// Why it cannot be the backplane's card; None when it can.
    pub refusal: Option<Refusal>,
}

/// Why a card cannot be the backplane's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The kernel made up its hardware address, which changes at the next boot.
    MadeUp,
    /// It is a port of the bridge or bond of this name.
    PortOf(String),
    /// The node's default route uses it.
    DefaultRoute,
    /// A TCP connection has this address of the card: the agent's session, or somebody's SSH.
    Connection(IpAddr),
    /// It has this address already: it is used only when heeler.toml names the card.
    Address(String),
}

impl Refusal {
    /// Whether the card is refused even when heeler.toml names it.
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Address(_))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MadeUp => f.write_str("its hardware address is random, and changes with the next boot"),
            Self::PortOf(master) => write!(f, "it belongs to {master}"),
            Self::DefaultRoute => f.write_str("the node's default route leads through it"),
            Self::Connection(address) => write!(f, "a connection runs over it, at {address}"),
            Self::Address(address) => write!(f, "it has the address {address}"),
        }
    }
}

/// Facts about the whole machine that can refuse a card.
struct Ways {
    connections: Vec<IpAddr>,
    defaults: Vec<String>,
    interfaces: BTreeMap<String, Interface>,
}

/// All physical wired network cards, by name; no bridges or other virtual ones, no Wi-Fi. Fails when sysfs or the
/// output of `ip` cannot be read.
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
    // Some of these files cannot be read while the card is down.
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

/// The speed is in the first folder above the card's that has one: its USB device.
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
