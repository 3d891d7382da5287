/// A simulated network card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// The name by which it starts, such as `eth0`.
    pub name: String,
    /// Hardware address in lower-case hex with colons.
    pub mac: String,
    /// The kernel's bus: `platform`, `usb` or `pci`.
    pub bus: String,
    /// Name of the kernel's driver.
    pub driver: String,
    /// Link speed in Mbit/s.
    pub speed_mbit: u32,
    /// Whether a cable with a link is plugged in.
    pub carrier: bool,
    /// The address from DHCP with prefix length; None without one.
    pub address: Option<String>,
}

impl Nic {
    /// The card on a Raspberry Pi's board.
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

    /// A 2.5 GbE USB adapter without an address.
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
