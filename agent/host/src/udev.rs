//! The names below `/dev/disk/by-id`, which udev derives from what a drive reports.

use std::path::{Path, PathBuf};

use crate::ask::names;
use crate::{RunError, System};

/// The folder of the names.
pub const BY_ID: &str = "/dev/disk/by-id";

/// The names and the device that each leads to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ById {
    links: Vec<(String, PathBuf)>,
}

/// Reads the folder; leaves out links that lead nowhere. Fails when the folder exists and cannot be read.
pub async fn by_id(host: &dyn System) -> Result<ById, RunError> {
    let folder = Path::new(BY_ID);
    let mut links = Vec::new();
    for name in names(host, folder).await?.unwrap_or_default() {
        if let Ok(device) = host.resolve(&folder.join(&name)).await {
            links.push((name, device));
        }
    }
    Ok(ById { links })
}

impl ById {
    /// With these names and devices.
    pub const fn new(links: Vec<(String, PathBuf)>) -> Self {
        Self { links }
    }

    /// The most readable path of a whole disk, such as `…/nvme-<model>_<serial>`: not of a partition, nor the
    /// duplicate with the namespace's number (`_1`). None when the disk has no name.
    pub fn preferred(&self, device: &str, serial: &str) -> Option<String> {
        let ends = format!("_{}", serial.replace(' ', "_"));
        let name = self
            .links
            .iter()
            .filter(|(_, to)| to == Path::new(device))
            .map(|(name, _)| name.as_str())
            .min_by_key(|name| (!name.ends_with(&ends), is_opaque(name), name.len(), *name));
        name.map(|name| format!("{BY_ID}/{name}"))
    }

    /// The device of a name, or of a path below [`BY_ID`].
    pub fn device(&self, name: &str) -> Option<&Path> {
        let name = name.rsplit('/').next().unwrap_or(name);
        let found = self.links.iter().find(|(link, _)| link == name);
        found.map(|(_, device)| device.as_path())
    }
}

fn is_opaque(name: &str) -> bool {
    ["nvme-eui.", "nvme-uuid.", "nvme-nvme.", "wwn-"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_and_serial_are_preferred_to_numbers_and_duplicates() {
        let to = |name: &str, device: &str| (name.to_owned(), PathBuf::from(device));
        let by_id = ById::new(vec![
            to("nvme-QEMU_NVMe_Ctrl_S6XNNS0W100001", "/dev/nvme0n1"),
            to("nvme-QEMU_NVMe_Ctrl_S6XNNS0W100001-part1", "/dev/nvme0n1p1"),
            to("nvme-QEMU_NVMe_Ctrl_S6XNNS0W100001_1", "/dev/nvme0n1"),
            to("nvme-eui.0025385b71b0ab12", "/dev/nvme0n1"),
            to("nvme-nvme.1b36-5336", "/dev/nvme1n1"),
        ]);
        assert_eq!(
            by_id.preferred("/dev/nvme0n1", "S6XNNS0W100001").as_deref(),
            Some("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_S6XNNS0W100001")
        );
        assert_eq!(
            by_id.preferred("/dev/nvme1n1", "S6").as_deref(),
            Some("/dev/disk/by-id/nvme-nvme.1b36-5336")
        );
        assert_eq!(by_id.preferred("/dev/sda", "S7"), None);
        assert_eq!(
            by_id.device("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_S6XNNS0W100001-part1"),
            Some(Path::new("/dev/nvme0n1p1"))
        );
    }
}
