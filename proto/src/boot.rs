use serde::{Deserialize, Serialize};

use crate::{Invalid, Spec};

/// Task: the node starts as wanted, and spares its SD card. A field that is absent leaves its thing as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureBoot {
    /// The kernel's page size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<PageSize>,
    /// Whether the kernel counts and limits the memory of containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containers: Option<bool>,
    /// The speed of the PCIe connector of a Raspberry Pi 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcie: Option<Pcie>,
    /// Whether the node swaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap: Option<Swap>,
    /// Where systemd keeps its journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<Journal>,
}

/// The page size of a kernel of Raspberry Pi OS: each has its own kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageSize {
    /// The kernel for every model, which Proxmox needs.
    #[serde(rename = "4KiB")]
    Small,
    /// The kernel for a Raspberry Pi 5 alone, which it starts by default.
    #[serde(rename = "16KiB")]
    Large,
}

/// The speed of the PCIe connector, which is on then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pcie {
    /// 5 GT/s, which the Raspberry Pi 5 is certified for.
    Gen2,
    /// 8 GT/s.
    Gen3,
}

/// Whether a node swaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Swap {
    /// It does not, neither to its card nor to compressed memory.
    Off,
}

/// Where systemd keeps its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Journal {
    /// In memory, at most 64 MiB: it is lost with a reboot.
    Memory,
    /// On the SD card, at most this many bytes: whole MiB, from [`Journal::LEAST`] to [`Journal::MOST`].
    Card(u64),
}

impl Journal {
    /// Two files of 8 MiB, with fewer journald does not work (journald.conf(5)).
    pub const LEAST: u64 = 16 << 20;
    /// What journald itself takes at most, unless it is told otherwise (journald.conf(5)).
    pub const MOST: u64 = 4 << 30;
}

impl Spec for EnsureBoot {
    fn check(&self) -> Result<(), Invalid> {
        if let Some(Journal::Card(bytes)) = self.journal
            && (!(Journal::LEAST..=Journal::MOST).contains(&bytes) || bytes % (1 << 20) != 0)
        {
            let text = format!("{bytes} is not a size of 16 MiB to 4 GiB in whole MiB");
            return Err(Invalid::new("journal", text));
        }
        match *self == Self::default() {
            true => Err(Invalid::new("boot", "it asks for nothing")),
            false => Ok(()),
        }
    }
}
