use super::{Config, Contents, Scrub, label};
use crate::sim::disk::Disk;

/// A leg as the pool has it open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Open {
    pub(in crate::sim) guid: u64,
    /// None: it was not there when the pool was imported.
    pub(in crate::sim) serial: Option<String>,
    /// Of its partition, in bytes.
    pub(in crate::sim) start: u64,
    pub(in crate::sim) size: u64,
}

#[derive(Debug, Clone)]
pub(in crate::sim) struct Imported {
    pub(in crate::sim) config: Config,
    pub(in crate::sim) contents: Contents,
    pub(in crate::sim) open: Vec<Open>,
    /// It is in /etc/zfs/zpool.cache.
    pub(in crate::sim) cached: bool,
    /// Imported with `-o readonly=on`.
    pub(in crate::sim) readonly: bool,
    /// The last resilver since the import.
    pub(in crate::sim) resilver: Option<Scrub>,
    /// There is no room for a snapshot.
    pub(in crate::sim) full: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Health {
    Online,
    /// It went while the pool was imported.
    Removed,
    /// It was not there at the import.
    Unavailable,
}

impl Health {
    /// `zpool status` says UNAVAIL in text.
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

    /// Of the pool: ONLINE, DEGRADED, SUSPENDED.
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

    /// Closes a transaction group: all that the pool is stands on every leg that is there.
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
