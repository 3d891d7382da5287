use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Notify, watch};

use super::disk::{Content, Disk};
use super::fault::Fault;
use super::jobs::Running;
use super::log::Entry;
use super::net::Link;
use super::nic::Nic;
use super::pace::Clock;
use super::packages::Packages;
use super::power::Power;
use super::proxmox::Proxmox;
use super::random::Random;
use super::repository::Repository;
use super::tree::Tree;
use super::units::Units;
use super::wire::Wire;
use super::zfs::Imported;

pub(super) struct State {
    pub(super) board: Board,
    /// Plugged in.
    pub(super) disks: Vec<Disk>,
    /// Unplugged.
    pub(super) drawer: Vec<Disk>,
    pub(super) os: Os,
    pub(super) kernel: Kernel,
    pub(super) clock: Clock,
    pub(super) power: Power,
    pub(super) random: Random,
    pub(super) log: Vec<Entry>,
    pub(super) faults: VecDeque<(String, Fault)>,
    /// Notified when the guard's timer starts.
    pub(super) guard_set: Arc<Notify>,
    /// All lines of `zpool events -H` so far.
    pub(super) events: watch::Sender<Vec<String>>,
    /// Whether the holder of the lock changes nothing.
    pub(super) only_read: bool,
    /// Cached trees of /proc, /sys and /dev, by their first path component; valid until something changes.
    pub(super) shown: RefCell<Vec<(String, Arc<Tree>)>>,
}

/// The hardware but for its disks.
#[derive(Debug, Clone)]
pub(super) struct Board {
    pub(super) model: String,
    pub(super) serial: String,
    /// As `uname -m` prints it.
    pub(super) architecture: String,
    pub(super) memory_bytes: u64,
    /// What `vcgencmd get_throttled` says.
    pub(super) throttled: u32,
    /// Plugged in.
    pub(super) nics: Vec<Nic>,
    /// Unplugged.
    pub(super) loose: Vec<Nic>,
    /// The switch that the cards are connected to.
    pub(super) wire: Wire,
    /// The package repositories on the network.
    pub(super) repositories: Vec<Repository>,
}

/// What the root disk holds.
#[derive(Debug, Clone)]
pub(super) struct Os {
    pub(super) name: String,
    pub(super) files: Tree,
    /// Folders with `chattr +i`.
    pub(super) immutable: BTreeSet<PathBuf>,
    pub(super) units: Units,
    /// Programs that are not installed, in this test.
    pub(super) missing: BTreeSet<String>,
    /// The installed version; None when it is not installed.
    pub(super) ifupdown2: Option<String>,
    /// None when it is not installed.
    pub(super) proxmox: Option<Proxmox>,
    /// Whether the root file system is full.
    pub(super) full: bool,
    pub(super) packages: Packages,
}

/// The running system: lost with the power.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    pub(super) boot_id: String,
    pub(super) boots: usize,
    pub(super) zfs_loaded: bool,
    pub(super) parameters: BTreeMap<PathBuf, String>,
    pub(super) pools: Vec<Imported>,
    /// In order of mounting.
    pub(super) mounted: Vec<Mount>,
    /// Paths of the devices.
    pub(super) swaps: BTreeSet<String>,
    pub(super) active: BTreeSet<String>,
    /// Where journald keeps its journal.
    pub(super) journal: Option<crate::journald::Place>,
    /// Whether it was moved to the card since the boot.
    pub(super) journal_flushed: bool,
    pub(super) jobs: BTreeMap<String, Running>,
    pub(super) rebooting: bool,
    /// Whether the reboot is to try a configuration.
    pub(super) trial_asked: bool,
    /// What the firmware loaded.
    pub(super) loaded: super::firmware::Loaded,
    pub(super) links: Vec<Link>,
    pub(super) bridge: Option<super::lan::Bridge>,
    /// The machine's own addresses of TCP connections, besides those over DHCP's address.
    pub(super) connections: Vec<String>,
    /// When the guard's timer elapses, Unix milliseconds; None when it does not run.
    pub(super) guard_due_ms: Option<u64>,
    pub(super) clock_synchronised: bool,
    /// As timesyncd or chrony has read them at its start.
    pub(super) time_servers: Vec<String>,
    /// What the agent remembers that it found in order.
    pub(super) in_order: Option<[u8; 32]>,
    /// The program that holds dpkg's lock.
    pub(super) locks_dpkg: Option<String>,
    /// The time of the boot, by the steady clock.
    pub(super) up_since_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) kind: &'static str,
}

impl Mount {
    pub(super) fn new(source: impl Into<String>, target: impl Into<String>, kind: &'static str) -> Self {
        Self {
            source: source.into(),
            target: target.into(),
            kind,
        }
    }
}

impl State {
    /// The disk that the machine boots from.
    pub(super) fn root(&self) -> Option<&Disk> {
        self.disks.iter().find(|disk| disk.content == Content::Root)
    }

    /// All mounts, parents before children.
    pub(super) fn mounts(&self) -> Vec<Mount> {
        let root = self.root().map(Disk::kernel_name).unwrap_or_default();
        let fixed = [
            Mount::new(format!("/dev/{root}p2"), "/", "ext4"),
            Mount::new("sysfs", "/sys", "sysfs"),
            Mount::new("proc", "/proc", "proc"),
            Mount::new("udev", "/dev", "devtmpfs"),
            Mount::new("tmpfs", "/run", "tmpfs"),
            Mount::new(format!("/dev/{root}p1"), "/boot/firmware", "vfat"),
        ];
        fixed.into_iter().chain(self.kernel.mounted.iter().cloned()).collect()
    }

    /// Whether a write to the path waits for a suspended pool.
    pub(super) fn waits_for_its_pool(&self, path: &Path) -> bool {
        let dataset = self.dataset_at(path).map(|(dataset, _)| dataset).unwrap_or_default();
        let pool = dataset.split('/').next();
        let mut pools = self.kernel.pools.iter();
        pools.any(|known| Some(known.config.name.as_str()) == pool && known.state(&self.disks) == "SUSPENDED")
    }

    /// The innermost dataset that contains a path, and the path within it.
    pub(super) fn dataset_at(&self, path: &Path) -> Option<(String, PathBuf)> {
        let below = self
            .kernel
            .mounted
            .iter()
            .filter(|mount| path.starts_with(&mount.target));
        let mount = below
            .max_by_key(|mount| mount.target.len())
            .filter(|mount| mount.kind == "zfs")?;
        let inner = path.strip_prefix(&mount.target).ok()?;
        Some((mount.source.clone(), Path::new("/").join(inner)))
    }

    /// Whether a link or another mount is on the way from a mountpoint to a path below it.
    pub(super) fn leads_away(&self, mountpoint: &Path, path: &Path) -> bool {
        let dataset = |path: &Path| self.dataset_at(path).map(|(name, _)| name);
        let link = |path: &Path| self.within(path, |tree, path| Ok(tree.is_link(path)));
        let mut below = path.ancestors().take_while(|one| *one != mountpoint);
        below.any(|one| dataset(one) != dataset(mountpoint) || link(one).unwrap_or(false))
    }

    fn within<T>(&self, path: &Path, look: impl Fn(&Tree, &Path) -> Result<T>) -> Result<T> {
        if let Some(shown) = self.kernel_files(path) {
            return look(&shown, path);
        }
        match self.dataset_at(path) {
            Some((name, inner)) => {
                let mut datasets = self.kernel.pools.iter().flat_map(|pool| &pool.contents.datasets);
                let dataset = datasets.find(|dataset| dataset.name == name);
                look(&dataset.ok_or_else(|| super::tree::missing(path))?.files, &inner)
            }
            None => look(&self.os.files, path),
        }
    }

    pub(super) fn read(&self, path: &Path) -> Result<Vec<u8>> {
        self.within(path, |tree, path| tree.read(path).map(<[u8]>::to_vec))
    }

    pub(super) fn mode(&self, path: &Path) -> Result<u32> {
        if path == Path::new(crate::pmxcfs::PATH) && self.pmxcfs_is_read_only() {
            return Ok(0o555);
        }
        self.within(path, |tree, path| {
            Ok(match tree.node(path)? {
                super::tree::Node::File { mode, .. } => *mode,
                super::tree::Node::Folder | super::tree::Node::Link(_) => 0o755,
            })
        })
    }

    pub(super) fn list(&self, path: &Path) -> Result<Vec<String>> {
        self.within(path, Tree::list)
    }

    /// In a dataset the path is returned as it is: there are no links in one.
    pub(super) fn canonical(&self, path: &Path) -> Result<PathBuf> {
        match self.dataset_at(path) {
            Some(_) => self.read(path).map(|_| path.to_owned()),
            None => self.within(path, Tree::canonical),
        }
    }

    /// Changes files of the root file system or of a mounted dataset, whose disks then hold the change.
    pub(super) fn change<T>(&mut self, path: &Path, change: impl FnOnce(&mut Tree, &Path) -> T) -> Result<T> {
        let denied = |why: &str| Error::new(ErrorKind::PermissionDenied, format!("{}: {why}", path.display()));
        if self.kernel_files(path).is_some() {
            return Err(denied("Operation not permitted"));
        }
        let Some((name, inner)) = self.dataset_at(path) else {
            let above = path.ancestors().skip(1);
            if above.into_iter().any(|folder| self.os.immutable.contains(folder)) {
                return Err(denied("Operation not permitted"));
            }
            return Ok(change(&mut self.os.files, path));
        };
        for pool in &mut self.kernel.pools {
            let dataset = pool.contents.datasets.iter_mut().find(|dataset| dataset.name == name);
            if let Some(dataset) = dataset {
                let result = change(&mut dataset.files, &inner);
                pool.sync(&mut self.disks, self.clock.now_ms() / 1000);
                return Ok(result);
            }
        }
        Err(super::tree::missing(path))
    }
}
