use std::path::{Path, PathBuf};

use super::disk::Content;
use super::power::Loss;
use super::state::{Kernel, Mount, State};

/// Read when the module is loaded; can be changed at run time.
pub(super) const ARC_MAX: &str = "/sys/module/zfs/parameters/zfs_arc_max";

impl State {
    /// What cloud-init does at each boot where user-data has `manage_etc_hosts: true`, as Raspberry Pi Imager writes it.
    pub(super) fn cloud_init_writes_hosts(&mut self) {
        let has = |path: &str| self.os.files.has(Path::new(path));
        if has("/etc/cloud/cloud.cfg") && !has("/etc/cloud/cloud-init.disabled") {
            let name = &self.os.name;
            let text =
                format!("127.0.1.1 {name} {name}\n127.0.0.1 localhost\n\n::1 localhost ip6-localhost ip6-loopback\n");
            self.os.files.put("/etc/hosts", text);
        }
    }

    /// Boots: everything that is not on a disk is lost. A machine whose kernel does not start stays down until the next
    /// call, before which somebody cuts its power.
    pub(super) fn boot(&mut self) {
        let boots = self.kernel.boots + 1;
        let Some(loaded) = self.load_kernel() else {
            self.log.push(super::log::Entry {
                what: "does not start".to_owned(),
                mutates: false,
            });
            self.power.lose(Loss::Power);
            return;
        };
        self.kernel = Kernel {
            boot_id: self.random.uuid(),
            boots,
            loaded,
            clock_synchronised: self.kernel.clock_synchronised,
            up_since_ms: self.clock.steady_ms(),
            ..Kernel::default()
        };
        self.power.restore();
        self.events.send_replace(Vec::new());
        self.number_disks();
        self.stop_pmxcfs();
        for path in ["/run", "/tmp"] {
            self.os.files.remove(Path::new(path));
            self.os.files.folder(path);
        }
        if let Some(name) = self.os.files.text("/etc/hostname") {
            self.os.name = name.trim().to_owned();
        }
        self.cloud_init_writes_hosts();
        self.mount_fixed();
        self.journald_starts();
        // systemd-journal-flush.service.
        self.flush_journal();
        self.rpi_swap();
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

    /// journald reads its settings when it starts; a single-valued one of a later file wins. A journal that is to be on
    /// the card stays in memory until the first flush since the boot.
    pub(super) fn journald_starts(&mut self) {
        let mut files: Vec<(String, String)> = Vec::new();
        for folder in ["/usr/lib/systemd/journald.conf.d", crate::journald::FOLDER] {
            for name in self.os.files.list(Path::new(folder)).unwrap_or_default() {
                let text = self.os.files.text(&format!("{folder}/{name}")).unwrap_or_default();
                files.push((name, text));
            }
        }
        files.sort();
        let set = |wanted: &str| {
            let lines = files.iter().flat_map(|(_, text)| text.lines());
            let mut values = lines.filter_map(|line| line.split_once('=').filter(|(key, _)| *key == wanted));
            values.next_back().map(|(_, value)| value.to_owned())
        };
        let in_memory = set("Storage").as_deref() != Some("persistent") || !self.kernel.journal_flushed;
        let most = set(if in_memory { "RuntimeMaxUse" } else { "SystemMaxUse" });
        let most = most.and_then(|most| most.strip_suffix('M')?.parse::<u64>().ok());
        self.kernel.journal = Some(crate::journald::Place {
            in_memory,
            most_bytes: most.map_or(83_886_080, |mib| mib << 20),
        });
    }

    /// `journalctl --flush`; nothing when the journal is to stay in memory.
    pub(super) fn flush_journal(&mut self) {
        self.kernel.journal_flushed = true;
        self.journald_starts();
        self.kernel.journal_flushed = self.kernel.journal.is_some_and(|place| !place.in_memory);
    }

    /// What rpi-swap's generator does at each boot.
    fn rpi_swap(&mut self) {
        let has = |path: &str| self.os.files.has(Path::new(path));
        let off = self.os.files.text(crate::swap::SETTINGS);
        let off = off.is_some_and(|text| text.lines().any(|line| line == "Mechanism=none"));
        if has("/usr/lib/systemd/system-generators/rpi-swap-generator") && !off {
            self.kernel.swaps.insert("/dev/zram0".to_owned());
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
