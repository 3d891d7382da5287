//! Disks, down to their bytes: what a program says of one follows from what is on it.

mod bytes;
mod content;
pub(super) mod dos;
pub(super) mod gpt;
pub(super) mod signature;

pub(super) use bytes::Bytes;
pub use content::Content;

use super::random::Random;

/// Where a disk is plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bus {
    /// In slot 0, 1…: the order of the bus addresses.
    Nvme(usize),
    /// The card that a Raspberry Pi boots from.
    Card,
}

/// A disk to put into a machine.
#[derive(Debug, Clone)]
pub struct DiskSpec {
    /// As the drive reports it.
    pub serial: String,
    /// As the drive reports it, spaces included.
    pub model: String,
    /// Bytes, of the whole device.
    pub size_bytes: u64,
    /// What it holds.
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

    /// With this content.
    #[must_use]
    pub fn holding(serial: &str, content: Content) -> Self {
        Self {
            content,
            ..Self::blank(serial)
        }
    }

    /// Of another size.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size_bytes = bytes;
        self
    }
}

/// A disk that is plugged in, or lies in the drawer.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    pub(super) serial: String,
    pub(super) model: String,
    /// `eui.…`: none for a card.
    pub(super) wwn: Option<String>,
    pub(super) bus: Bus,
    /// The kernel counts them anew at each boot.
    pub(super) number: usize,
    /// The kernel's count of disks that were plugged in, which names none twice in a boot.
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

    /// `nvme0n1`, `mmcblk0`: never an identity.
    pub(super) fn kernel_name(&self) -> String {
        match self.bus {
            Bus::Nvme(_) => format!("nvme{}n1", self.number),
            Bus::Card => format!("mmcblk{}", self.number),
        }
    }

    /// Names below /dev/disk/by-id, the preferred one first (udev's 60-persistent-storage.rules).
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

    /// Of the PCI function, which is the order of the slots.
    pub(super) fn address(&self) -> String {
        match self.bus {
            Bus::Nvme(slot) => format!("0001:{:02x}:00.0", slot + 3),
            Bus::Card => "1000fff000.mmc".to_owned(),
        }
    }
}
