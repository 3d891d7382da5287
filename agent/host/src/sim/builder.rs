use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::disk::{Bus, Content, Disk, DiskSpec};
use super::machine::Machine;
use super::nic::Nic;
use super::pace::{Clock, Pace};
use super::packages::Packages;
use super::power::Power;
use super::random::Random;
use super::repository::{DEBIAN_KEY, DEBIAN_KEY_PATH, DEBIAN_SOURCE, Repository};
use super::state::{Board, Kernel, Os, State};
use super::tree::Tree;
use super::units;
use super::wire::Wire;

/// Configures a machine. The default is a Raspberry Pi 5 with 8 GiB, ZFS installed, and no disk but its card.
#[derive(Debug, Clone)]
pub struct Builder {
    name: String,
    model: String,
    architecture: String,
    memory_bytes: u64,
    disks: Vec<DiskSpec>,
    nics: Vec<Nic>,
    wire: Wire,
    seed: u64,
    clock_ms: u64,
    pace: Pace,
    zfs: bool,
    loaded: bool,
    module: bool,
    disabled: Vec<&'static str>,
    enabled: Vec<&'static str>,
}

impl Machine {
    /// A builder for a machine with this name.
    #[must_use]
    pub fn builder(name: &str) -> Builder {
        Builder {
            name: name.to_owned(),
            model: "Raspberry Pi 5 Model B Rev 1.0".to_owned(),
            architecture: "aarch64".to_owned(),
            memory_bytes: 8_323_268 * 1024,
            disks: Vec::new(),
            nics: Vec::new(),
            wire: Wire::default(),
            seed: 1,
            // Sunday, 1 March 2026, 12:00 UTC.
            clock_ms: 1_772_366_400_000,
            pace: Pace::Instant,
            zfs: true,
            loaded: true,
            module: true,
            disabled: Vec::new(),
            enabled: Vec::new(),
        }
    }
}

impl Builder {
    /// Sets the board's model and the architecture as `uname -m` prints it.
    #[must_use]
    pub fn board(mut self, model: &str, architecture: &str) -> Self {
        (self.model, self.architecture) = (model.to_owned(), architecture.to_owned());
        self
    }

    /// Sets the size of the RAM in bytes.
    #[must_use]
    pub const fn memory(mut self, bytes: u64) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// Adds an NVMe disk in the next slot. One with [`Content::Root`] replaces the card.
    #[must_use]
    pub fn disk(mut self, disk: DiskSpec) -> Self {
        self.disks.push(disk);
        self
    }

    /// Adds a blank NVMe disk of 128 GB.
    #[must_use]
    pub fn blank(self, serial: &str) -> Self {
        self.disk(DiskSpec::blank(serial))
    }

    /// Adds a network card.
    #[must_use]
    pub fn nic(mut self, nic: Nic) -> Self {
        self.nics.push(nic);
        self
    }

    /// Connects its cards to this switch.
    #[must_use]
    pub fn wire(mut self, wire: &Wire) -> Self {
        self.wire = wire.clone();
        self
    }

    /// Sets the seed of guids, UUIDs and boot ids: equal seeds give equal machines.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the time of creation, Unix milliseconds.
    #[must_use]
    pub const fn clock(mut self, ms: u64) -> Self {
        self.clock_ms = ms;
        self
    }

    /// Sets how time passes.
    #[must_use]
    pub const fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Without ZFS's programs and module.
    #[must_use]
    pub const fn without_zfs(mut self) -> Self {
        self.zfs = false;
        self
    }

    /// With ZFS just installed: its module is loaded at the next boot only.
    #[must_use]
    pub const fn module_not_loaded(mut self) -> Self {
        self.loaded = false;
        self
    }

    /// With ZFS installed, but no module for this kernel.
    #[must_use]
    pub const fn module_missing(mut self) -> Self {
        self.module = false;
        self
    }

    /// Disables this unit.
    #[must_use]
    pub fn disabled(mut self, unit: &'static str) -> Self {
        self.disabled.push(unit);
        self
    }

    /// Installs and enables this unit.
    #[must_use]
    pub fn enabled(mut self, unit: &'static str) -> Self {
        self.enabled.push(unit);
        self
    }

    /// Creates and boots the machine.
    #[must_use]
    pub fn build(self) -> Machine {
        let mut random = Random::new(self.seed ^ Random::named(&self.name).next());
        let mut disks: Vec<Disk> = Vec::new();
        if self.disks.iter().all(|disk| disk.content != Content::Root) {
            let card = DiskSpec {
                serial: format!("0x{:08x}", random.next() as u32),
                model: "SN128".to_owned(),
                size_bytes: 31_914_983_424,
                content: Content::Root,
            };
            disks.push(Disk::new(&card, Bus::Card, &mut random));
        }
        for (slot, spec) in self.disks.iter().enumerate() {
            disks.push(Disk::new(spec, Bus::Nvme(slot), &mut random));
        }
        let missing: &[&str] = match (self.zfs, self.module) {
            (true, true) => &[],
            (true, false) => &["zfs.ko"],
            (false, _) => &["zpool", "zfs", "zdb", "zgenhostid", "zfs.ko"],
        };
        let mut state = State {
            board: Board {
                model: self.model,
                serial: format!("{:016x}", random.next()),
                architecture: self.architecture,
                memory_bytes: self.memory_bytes,
                throttled: 0,
                kvm: true,
                nics: self.nics,
                loose: Vec::new(),
                wire: self.wire,
                repositories: vec![Repository::debian()],
            },
            disks,
            drawer: Vec::new(),
            events: tokio::sync::watch::Sender::default(),
            os: Os {
                name: self.name,
                files: Tree::default(),
                immutable: BTreeSet::new(),
                units: units::installed(self.zfs),
                missing: missing.iter().map(|name| (*name).to_owned()).collect(),
                ifupdown2: None,
                proxmox: None,
                full: false,
                modules: BTreeMap::new(),
                free_bytes: 24 << 30,
                packages: Packages::default(),
            },
            kernel: Kernel {
                clock_synchronised: true,
                ..Kernel::default()
            },
            clock: Clock::new(self.pace, self.clock_ms),
            power: Power::on(),
            random,
            log: Vec::new(),
            faults: VecDeque::new(),
            guard_set: Arc::default(),
            only_read: false,
            shown: RefCell::default(),
        };
        state.fresh_system();
        for unit in self.disabled {
            state.os.units.insert(unit.to_owned(), "disabled");
        }
        for unit in self.enabled {
            state.os.units.insert(unit.to_owned(), "enabled");
        }
        state.boot();
        if !self.loaded {
            state.kernel.zfs_loaded = false;
            state.kernel.active.retain(|unit| !unit.starts_with("zfs"));
        }
        Machine::new(state)
    }
}

impl State {
    /// Writes the files of a freshly flashed system.
    pub(super) fn fresh_system(&mut self) {
        let mut files = Tree::default();
        let machine_id = format!("{:016x}{:016x}", self.random.next(), self.random.next());
        files.put_mode("/etc/machine-id", format!("{machine_id}\n"), 0o444);
        for program in [
            "/usr/sbin/locale-gen",
            "/usr/sbin/netplan",
            "/usr/bin/networkctl",
            "/usr/bin/udevadm",
        ] {
            files.put_mode(program, "", 0o755);
        }
        files.put("/etc/hostname", format!("{}\n", self.os.name));
        files.put("/etc/cloud/cloud.cfg", "users:\n  - default\n");
        let release = "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\nID=debian\n";
        files.put("/etc/os-release", release);
        files.put(
            "/etc/modules-load.d/modules.conf",
            "# Modules to load at boot, one per line.\n",
        );
        files.put(
            "/usr/lib/systemd/journald.conf.d/40-rpi-volatile-storage.conf",
            "[Journal]\nStorage=volatile\n",
        );
        if self.is_pi() {
            Self::fresh_boot_partition(&mut files);
        }
        files.put("/etc/apt/sources.list.d/debian.sources", DEBIAN_SOURCE);
        files.put(DEBIAN_KEY_PATH, DEBIAN_KEY);
        files.put("/etc/locale.gen", "# en_AU.UTF-8 UTF-8\nen_GB.UTF-8 UTF-8\n");
        files.put("/etc/locale.conf", "LANG=en_GB.UTF-8\n");
        files.link("/etc/default/locale", "../locale.conf");
        files.put("/usr/lib/locale/locale-archive", "en_GB.utf8\n");
        for source in ["de_DE", "en_AU", "en_GB", "sr_RS@latin"] {
            files.put(format!("/usr/share/i18n/locales/{source}"), "");
        }
        for folder in [
            "/etc/modprobe.d",
            "/etc/zfs/zed.d",
            "/var/lib",
            "/home",
            "/mnt",
            "/run",
            "/tmp",
        ] {
            files.folder(folder);
        }
        if !self.os.missing.contains("zpool") {
            // Debian's zfsutils-linux generates one at installation.
            files.put("/etc/hostid", (self.random.next() as u32).to_le_bytes());
        }
        files.put(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\npi:x:1000:1000:,,,:/home/pi:/bin/bash\n",
        );
        self.os.files = files;
        self.install_packages();
        self.os.proxmox = None;
        self.os.immutable = BTreeSet::new();
        let zfs = !self.os.missing.contains("zpool");
        self.os.units = units::installed(zfs);
    }
}
