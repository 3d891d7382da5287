use std::path::{Path, PathBuf};

use crate::ask::{names, text};
use crate::{RunError, System, ip};

/// A wired network card.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// With prefix length, link-local ones left out.
    pub addresses: Vec<String>,
}

/// Every physical wired network card, by name: neither bridges and the like, nor Wi-Fi.
///
/// # Errors
/// When sysfs or `ip` cannot be read.
pub async fn nics(host: &dyn System) -> Result<Vec<Nic>, RunError> {
    let mut addresses = ip::addresses(host).await?;
    let mut nics = Vec::new();
    for name in names(host, "/sys/class/net").await?.unwrap_or_default() {
        let folder = Path::new("/sys/class/net").join(&name);
        if let Some(mut nic) = nic(host, &folder, name).await? {
            nic.addresses = addresses.remove(&nic.name).unwrap_or_default();
            nics.push(nic);
        }
    }
    Ok(nics)
}

async fn nic(host: &dyn System, folder: &Path, name: String) -> Result<Option<Nic>, RunError> {
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
    // Reading either fails while the card is administratively down.
    let read = async |file: &str| text(host, folder.join(file)).await.ok().flatten().unwrap_or_default();
    Ok(Some(Nic {
        mac: read("address").await,
        driver: last(host.resolve(&folder.join("device/driver")).await),
        speed_mbit: read("speed").await.parse().unwrap_or(0),
        carrier: read("carrier").await == "1",
        addresses: Vec::new(),
        bus,
        name,
    }))
}
