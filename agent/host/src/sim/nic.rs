/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// `eth0`.
    pub name: String,
    /// Lower case, with colons.
    pub mac: String,
    /// `platform`, `usb`, `pci`.
    pub bus: String,
    /// Its driver.
    pub driver: String,
    /// Mbit/s.
    pub speed_mbit: u32,
    /// A cable is in it.
    pub carrier: bool,
    /// With prefix length.
    pub address: Option<String>,
}

impl Nic {
    /// The one on a Raspberry Pi's board.
    #[must_use]
    pub fn onboard(mac: &str, address: &str) -> Self {
        Self {
            name: "eth0".to_owned(),
            mac: mac.to_owned(),
            bus: "platform".to_owned(),
            driver: "macb".to_owned(),
            speed_mbit: 1000,
            carrier: true,
            address: Some(address.to_owned()),
        }
    }

    /// A 2.5 GbE adapter in a USB port, without an address.
    #[must_use]
    pub fn usb(mac: &str) -> Self {
        Self {
            name: format!("enx{}", mac.replace(':', "")),
            mac: mac.to_owned(),
            bus: "usb".to_owned(),
            driver: "r8152".to_owned(),
            speed_mbit: 2500,
            carrier: true,
            address: None,
        }
    }
}
