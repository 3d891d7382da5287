use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::disk::{Bus, Content, Disk, DiskSpec};
use super::machine::Machine;
use super::nic::Nic;
use super::pace::{Clock, Pace};
use super::power::Power;
use super::random::Random;
use super::state::{Board, Kernel, Os, State};
use super::tree::Tree;
use super::units;
use super::wire::Wire;

/// What a machine shall be. A Raspberry Pi 5 with 8 GiB, ZFS installed, and no disk but its card, unless told otherwise.
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
}

impl Machine {
    /// A machine of this name.
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
            // Sunday, 1 March 2026, noon.
            clock_ms: 1_772_366_400_000,
            pace: Pace::Instant,
            zfs: true,
            loaded: true,
            module: true,
            disabled: Vec::new(),
        }
    }
}

impl Builder {
    /// Another board, with its architecture as `uname -m` names it.
    #[must_use]
    pub fn board(mut self, model: &str, architecture: &str) -> Self {
        (self.model, self.architecture) = (model.to_owned(), architecture.to_owned());
        self
    }

    /// Another size of memory.
    #[must_use]
    pub const fn memory(mut self, bytes: u64) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// One more NVMe disk, in the next slot. One that holds [`Content::Root`] takes the place of the card.
    #[must_use]
    pub fn disk(mut self, disk: DiskSpec) -> Self {
        self.disks.push(disk);
        self
    }

    /// One more blank NVMe disk of 128 GB.
    #[must_use]
    pub fn blank(self, serial: &str) -> Self {
        self.disk(DiskSpec::blank(serial))
    }

    /// One more network interface.
    #[must_use]
    pub fn nic(mut self, nic: Nic) -> Self {
        self.nics.push(nic);
        self
    }

    /// Its cards are plugged into this switch.
    #[must_use]
    pub fn wire(mut self, wire: &Wire) -> Self {
        self.wire = wire.clone();
        self
    }

    /// Other guids, UUIDs and boot ids: equal seeds, equal machines.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Another time to begin at, Unix milliseconds.
    #[must_use]
    pub const fn clock(mut self, ms: u64) -> Self {
        self.clock_ms = ms;
        self
    }

    /// How time passes.
    #[must_use]
    pub const fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Neither ZFS's programs nor its module are installed.
    #[must_use]
    pub const fn without_zfs(mut self) -> Self {
        self.zfs = false;
        self
    }

    /// ZFS was just installed: its module is loaded by the next boot, and not yet.
    #[must_use]
    pub const fn module_not_loaded(mut self) -> Self {
        self.loaded = false;
        self
    }

    /// ZFS is installed, and its module was not built for this kernel.
    #[must_use]
    pub const fn module_missing(mut self) -> Self {
        self.module = false;
        self
    }

    /// Somebody disabled this unit.
    #[must_use]
    pub fn disabled(mut self, unit: &'static str) -> Self {
        self.disabled.push(unit);
        self
    }

    /// Made, and booted.
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
                nics: self.nics,
                loose: Vec::new(),
                wire: self.wire,
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
                full: false,
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
        state.boot();
        if !self.loaded {
            state.kernel.zfs_loaded = false;
            state.kernel.active.retain(|unit| !unit.starts_with("zfs"));
        }
        Machine::new(state)
    }
}

impl State {
    /// What a new image of the system holds.
    pub(super) fn fresh_system(&mut self) {
        let mut files = Tree::default();
        let machine_id = format!("{:016x}{:016x}", self.random.next(), self.random.next());
        files.put_mode("/etc/machine-id", format!("{machine_id}\n"), 0o444);
        for program in ["/usr/sbin/netplan", "/usr/bin/networkctl", "/usr/bin/udevadm"] {
            files.put_mode(program, "", 0o755);
        }
        files.put("/etc/hostname", format!("{}\n", self.os.name));
        let release =
            "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\nID=debian\n";
        files.put("/etc/os-release", release);
        files.put(
            "/etc/modules-load.d/modules.conf",
            "# Modules to load at boot, one per line.\n",
        );
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
            // Debian's zfsutils-linux makes one up when it is installed.
            files.put("/etc/hostid", (self.random.next() as u32).to_le_bytes());
        }
        self.os.files = files;
        self.os.immutable = BTreeSet::new();
        let zfs = !self.os.missing.contains("zpool");
        self.os.units = units::installed(zfs);
    }
}
