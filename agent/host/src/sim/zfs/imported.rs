use super::{Config, Contents, Scrub, label};
use crate::sim::disk::Disk;

/// A leg that an imported pool has open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Open {
    pub(in crate::sim) guid: u64,
    /// None when it was missing at the import.
    pub(in crate::sim) serial: Option<String>,
    /// Start of its partition in bytes.
    pub(in crate::sim) start: u64,
    pub(in crate::sim) size: u64,
}

#[derive(Debug, Clone)]
pub(in crate::sim) struct Imported {
    pub(in crate::sim) config: Config,
    pub(in crate::sim) contents: Contents,
    pub(in crate::sim) open: Vec<Open>,
    /// Whether it is in /etc/zfs/zpool.cache.
    pub(in crate::sim) cached: bool,
    /// Whether it was imported with `-o readonly=on`.
    pub(in crate::sim) readonly: bool,
    /// The last resilver since the import.
    pub(in crate::sim) resilver: Option<Scrub>,
    /// Whether it has no room for a snapshot.
    pub(in crate::sim) full: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Health {
    Online,
    /// It was unplugged while the pool was imported.
    Removed,
    /// It was missing at the import.
    Unavailable,
}

impl Health {
    /// `zpool status` has another word in JSON than in text (UNAVAIL).
    pub(in crate::sim) const fn in_json(self) -> &'static str {
        match self {
            Self::Online => "ONLINE",
            Self::Removed => "REMOVED",
            Self::Unavailable => "CANT_OPEN",
        }
    }
}

impl Imported {
    pub(in crate::sim) fn health(&self, leg: u64, disks: &[Disk]) -> Health {
        match self.open.iter().find(|open| open.guid == leg).map(|open| &open.serial) {
            Some(Some(serial)) if disks.iter().any(|disk| disk.serial == *serial) => Health::Online,
            Some(Some(_)) => Health::Removed,
            Some(None) | None => Health::Unavailable,
        }
    }

    /// The pool's state: ONLINE, DEGRADED or SUSPENDED.
    pub(in crate::sim) fn state(&self, disks: &[Disk]) -> &'static str {
        let online = self.online(disks);
        match online {
            0 => "SUSPENDED",
            _ if online < self.config.legs.len() => "DEGRADED",
            _ => "ONLINE",
        }
    }

    pub(in crate::sim) fn online(&self, disks: &[Disk]) -> usize {
        let online = |guid: u64| self.health(guid, disks) == Health::Online;
        self.config.legs.iter().filter(|leg| online(leg.guid)).count()
    }

    /// Ends a transaction group: writes the pool to all present legs.
    pub(in crate::sim) fn sync(&mut self, disks: &mut [Disk], now_s: u64) {
        self.config.txg += 5;
        self.config.at_s = now_s;
        for open in &self.open {
            let serial = open.serial.as_ref();
            let disk = disks.iter_mut().find(|disk| Some(&disk.serial) == serial);
            if let Some(disk) = disk {
                label::write(
                    &mut disk.bytes,
                    open.start,
                    open.size,
                    &self.config,
                    &self.contents,
                    open.guid,
                );
            }
        }
    }
}
