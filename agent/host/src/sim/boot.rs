use std::path::{Path, PathBuf};

use super::disk::Content;
use super::state::{Kernel, Mount, State};

/// Read when the module is loaded; can be changed at run time.
pub(super) const ARC_MAX: &str = "/sys/module/zfs/parameters/zfs_arc_max";

impl State {
    /// Boots: everything that is not on a disk is lost.
    pub(super) fn boot(&mut self) {
        let boots = self.kernel.boots + 1;
        self.kernel = Kernel {
            boot_id: self.random.uuid(),
            boots,
            clock_synchronised: self.kernel.clock_synchronised,
            up_since_ms: self.clock.steady_ms(),
            ..Kernel::default()
        };
        self.power.restore();
        self.events.send_replace(Vec::new());
        self.number_disks();
        for path in ["/run", "/tmp"] {
            self.os.files.remove(Path::new(path));
            self.os.files.folder(path);
        }
        self.mount_fixed();
        self.network_boots();
        if self.wants_zfs() {
            self.load_zfs();
        }
        // In order of their dependencies.
        let zfs = [
            "zfs-load-module.service",
            "zfs-import-cache.service",
            "zfs-import.target",
            "zfs-mount.service",
        ];
        let target = self.enabled("zfs.target");
        for unit in zfs {
            // zfs-import.target wants zfs-import-cache.service; zfs.target wants all of them.
            let wanted = target && (unit != "zfs-import-cache.service" || self.enabled("zfs-import.target"));
            if wanted && self.enabled(unit) {
                self.started(unit);
            }
        }
        let others: Vec<String> = self
            .os
            .units
            .keys()
            .filter(|unit| !zfs.contains(&unit.as_str()))
            .cloned()
            .collect();
        for unit in others {
            let wanted = target || !unit.starts_with("zfs");
            if wanted && self.enabled(&unit) {
                self.started(&unit);
            }
        }
    }

    fn mount_fixed(&mut self) {
        for disk in &self.disks {
            let path = format!("/dev/{}", disk.kernel_name());
            match &disk.content {
                Content::MountedExt4(_, target) => self.kernel.mounted.push(Mount::new(path, *target, "ext4")),
                Content::SwapInUse => {
                    self.kernel.swaps.insert(path);
                }
                _ => {}
            }
        }
    }

    /// Whether a file below /etc/modules-load.d names the module, or udev finds a disk of a pool (90-zfs.rules).
    fn wants_zfs(&self) -> bool {
        let folder = Path::new("/etc/modules-load.d");
        let files = self.os.files.list(folder).unwrap_or_default();
        let named = |name: &String| {
            let text = self
                .os
                .files
                .text(&format!("/etc/modules-load.d/{name}"))
                .unwrap_or_default();
            text.lines().any(|line| line.trim() == "zfs")
        };
        let member = || {
            self.devices().iter().any(|device| {
                let bytes = &self.disks[device.disk].bytes;
                !super::zfs::signatures(bytes, device.start, device.size).is_empty()
            })
        };
        files.iter().filter(|name| name.ends_with(".conf")).any(named) || member()
    }

    /// `modprobe zfs`, with the options below /etc/modprobe.d. False when there is no module.
    pub(super) fn load_zfs(&mut self) -> bool {
        if self.os.missing.contains("zfs.ko") {
            return false;
        }
        if self.kernel.zfs_loaded {
            return true;
        }
        self.kernel.zfs_loaded = true;
        let folder = Path::new("/etc/modprobe.d");
        for name in self.os.files.list(folder).unwrap_or_default() {
            let text = self
                .os
                .files
                .text(&format!("/etc/modprobe.d/{name}"))
                .unwrap_or_default();
            let options = text.lines().filter_map(|line| line.trim().strip_prefix("options zfs "));
            let pairs = options
                .flat_map(str::split_whitespace)
                .filter_map(|pair| pair.split_once('='));
            for (parameter, value) in pairs.filter(|_| name.ends_with(".conf")) {
                let path = PathBuf::from(format!("/sys/module/zfs/parameters/{parameter}"));
                self.kernel.parameters.insert(path, value.to_owned());
            }
        }
        true
    }
}
