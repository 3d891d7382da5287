//! Simulated disks, byte by byte: what programs report follows from the bytes.

mod bytes;
mod content;
pub(super) mod dos;
pub(super) mod gpt;
pub(super) mod signature;

pub(super) use bytes::Bytes;
pub use content::Content;

use super::random::Random;

/// Where a disk is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bus {
    /// NVMe slot, from 0, in order of the bus addresses.
    Nvme(usize),
    /// The SD card that a Raspberry Pi boots from.
    Card,
}

/// A disk for a simulated machine.
#[derive(Debug, Clone)]
pub struct DiskSpec {
    /// Serial that the drive reports.
    pub serial: String,
    /// Model that the drive reports, with spaces.
    pub model: String,
    /// Size of the whole device in bytes.
    pub size_bytes: u64,
    /// Its content when the machine is created.
    pub content: Content,
}

impl DiskSpec {
    /// A blank NVMe disk of 128 GB.
    #[must_use]
    pub fn blank(serial: &str) -> Self {
        Self {
            serial: serial.to_owned(),
            model: "SAMSUNG MZ9LQ128HBHQ-00000".to_owned(),
            size_bytes: 128_035_676_160,
            content: Content::Blank,
        }
    }

    /// An NVMe disk of 128 GB with this content.
    #[must_use]
    pub fn holding(serial: &str, content: Content) -> Self {
        Self {
            content,
            ..Self::blank(serial)
        }
    }

    /// Sets the size in bytes.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size_bytes = bytes;
        self
    }
}

/// A disk, plugged in or not.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    pub(super) serial: String,
    pub(super) model: String,
    /// `eui.…`; None for a card.
    pub(super) wwn: Option<String>,
    pub(super) bus: Bus,
    /// The kernel's number, assigned at each boot.
    pub(super) number: usize,
    /// The kernel's sequence number (diskseq), unique within a boot.
    pub(super) sequence: u64,
    pub(super) bytes: Bytes,
    pub(super) content: Content,
}

impl Disk {
    pub(super) fn new(spec: &DiskSpec, bus: Bus, random: &mut Random) -> Self {
        let mut bytes = Bytes::zero(spec.size_bytes);
        spec.content.write(&mut bytes, random);
        let wwn = format!("eui.{:016x}", Random::named(&spec.serial).next());
        Self {
            serial: spec.serial.clone(),
            model: spec.model.clone(),
            wwn: matches!(bus, Bus::Nvme(_)).then_some(wwn),
            bus,
            number: 0,
            sequence: 0,
            bytes,
            content: spec.content.clone(),
        }
    }

    /// Such as `nvme0n1` or `mmcblk0`; may change at each boot.
    pub(super) fn kernel_name(&self) -> String {
        match self.bus {
            Bus::Nvme(_) => format!("nvme{}n1", self.number),
            Bus::Card => format!("mmcblk{}", self.number),
        }
    }

    /// The names below /dev/disk/by-id, the preferred one first (udev's 60-persistent-storage.rules).
    pub(super) fn by_id(&self) -> Vec<String> {
        let model = self.model.replace(' ', "_");
        match self.bus {
            Bus::Nvme(_) => {
                let name = format!("nvme-{model}_{}", self.serial);
                let second = format!("{name}_1");
                let third = self.wwn.as_ref().map(|wwn| format!("nvme-{wwn}"));
                [name, second].into_iter().chain(third).collect()
            }
            Bus::Card => vec![format!("mmc-{model}_{}", self.serial)],
        }
    }

    /// The bus address of its PCI function; they sort like the slots.
    pub(super) fn address(&self) -> String {
        match self.bus {
            Bus::Nvme(slot) => format!("0001:{:02x}:00.0", slot + 3),
            Bus::Card => "1000fff000.mmc".to_owned(),
        }
    }
}
