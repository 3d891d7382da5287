//! Finds the disk of each leg of an imported pool. The leg's path is no proof: a name can move to another disk.

use std::path::{Path, PathBuf};

use super::{Member, Surroundings};
use crate::ask::{ONE_DISK, names};
use crate::lsblk::Device;
use crate::side_by_side::side_by_side;
use crate::zdb::{self, Label};
use crate::zpool::{self, PoolStatus, Unreadable, Vdev};
use crate::{RunError, System};

/// ZFS's kernel module keeps a folder for each imported pool here.
const KSTAT: &str = "/proc/spl/kstat/zfs";

/// A leg of an imported pool, and the disk that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The pool's guid, as `zpool status -g` shows it.
    pub pool: u64,
    /// The leg's own guid.
    pub leg: u64,
    /// The kernel's path of the whole disk.
    pub disk: String,
}

impl Surroundings {
    /// Reads the imported pools and finds the disks of their legs: by the leg's path, resolved, while ZFS has the
    /// device open; otherwise by the guid in the disk's label. Fails when ZFS cannot be asked.
    pub async fn look_at_pools(&mut self, host: &dyn System) -> Result<(), RunError> {
        let zpool::Pools { read, unreadable } = match zpool::look(host).await {
            Err(error @ RunError::Timeout { .. }) => unanswered(host, error).await?,
            looked => looked?,
        };
        let mut lost: Vec<(u64, u64)> = Vec::new();
        for pool in &read {
            for leg in &pool.legs {
                let place = if leg.is_open() {
                    self.open(host, pool, leg).await
                } else {
                    None
                };
                match place {
                    Some(place) => self.places.push(place),
                    None => lost.push((pool.guid, leg.guid)),
                }
            }
        }
        (self.imported, self.unreadable) = (Some(read), unreadable);
        if !lost.is_empty() {
            let found = self.by_label(host, &lost).await;
            self.places.extend(found);
        }
        Ok(())
    }

    /// None when the path leads to no disk of this machine, or to several.
    async fn open(&self, host: &dyn System, pool: &PoolStatus, leg: &Vdev) -> Option<Place> {
        let path = PathBuf::from(&leg.path);
        let device = host.resolve(&path).await.unwrap_or(path);
        let mut disks = self.below(&device);
        let disk = disks.next().filter(|_| disks.next().is_none())?;
        Some(place(pool.guid, leg.guid, disk))
    }

    /// Reads the labels of disks that hold no other leg, and finds the lost legs.
    async fn by_label(&self, host: &dyn System, lost: &[(u64, u64)]) -> Vec<Place> {
        let free = |disk: &&Device| !self.places.iter().any(|place| place.disk == disk.path);
        let looks = self.disks().filter(free).map(|disk| async move {
            let mut found = Vec::new();
            let look = Box::pin(labelled(host, disk, lost, &mut found));
            host.in_time(&disk.path, ONE_DISK, look).await;
            found
        });
        side_by_side(looks).await.concat()
    }

    /// The imported pool with this guid.
    pub fn pool(&self, guid: u64) -> Option<&PoolStatus> {
        self.imported.iter().flatten().find(|pool| pool.guid == guid)
    }

    /// The imported pool that has a leg on this disk.
    pub(super) fn member_of(&self, disk: &Device) -> Option<Member> {
        let place = self.places.iter().find(|place| place.disk == disk.path)?;
        self.pool(place.pool).map(member)
    }

    /// The imported pool that uses the vdev of this label, whatever its path. Any label of a pool that could not be
    /// read counts as in use.
    pub(super) fn member_by(&self, label: &Label) -> Option<Member> {
        let has = |pool: &&PoolStatus| pool.legs.iter().any(|leg| leg.guid == label.guid);
        let same = |pool: &&PoolStatus| [0, pool.guid].contains(&label.pool_guid);
        let mut read = self.imported.iter().flatten();
        let odd = || {
            let mut odd = self.unreadable.iter();
            let pool = odd.find(|pool| pool.name == label.name || (pool.guid != 0 && pool.guid == label.pool_guid))?;
            Some(Member {
                name: pool.name.clone(),
                guid: label.pool_guid,
            })
        };
        read.find(|pool| same(pool) && has(pool)).map(member).or_else(odd)
    }

    /// The serial of the disk that holds this leg; None when that is not proven, or the disk has no serial.
    pub fn serial_of(&self, pool: u64, leg: u64) -> Option<&str> {
        let mut places = self
            .places
            .iter()
            .filter(|place| (place.pool, place.leg) == (pool, leg));
        let place = places.next().filter(|_| places.next().is_none())?;
        let disk = self.disks().find(|disk| disk.path == place.disk)?;
        Some(disk.serial.as_str()).filter(|serial| !serial.is_empty())
    }
}

/// Finds those of the `lost` legs (pool guid, leg guid) whose label is on this disk.
async fn labelled(host: &dyn System, disk: &Device, lost: &[(u64, u64)], found: &mut Vec<Place>) {
    for node in disk.stack().into_iter().filter(|node| node.may_be_zfs()) {
        let labels = match zdb::labels(host, &node.path).await {
            Ok(found) => found.labels,
            Err(RunError::Timeout { .. }) => return,
            // An unreadable label proves nothing.
            Err(_) => continue,
        };
        let is = |label: &Label, of: &(u64, u64)| label.guid == of.1 && [0, of.0].contains(&label.pool_guid);
        let legs = lost.iter().filter(|of| labels.iter().any(|label| is(label, of)));
        found.extend(legs.map(|of| place(of.0, of.1, disk)));
    }
}

/// When ZFS does not answer, its module still lists the imported pools by name; they count as unreadable. Without any
/// name the error remains.
async fn unanswered(host: &dyn System, error: RunError) -> Result<zpool::Pools, RunError> {
    let mut pools = zpool::Pools::default();
    for name in names(host, KSTAT).await.ok().flatten().unwrap_or_default() {
        if host.read(&Path::new(KSTAT).join(&name).join("state")).await.is_ok() {
            pools.unreadable.push(Unreadable {
                name,
                guid: 0,
                reason: error.to_string(),
            });
        }
    }
    if pools.unreadable.is_empty() {
        Err(error)
    } else {
        Ok(pools)
    }
}

fn place(pool: u64, leg: u64, disk: &Device) -> Place {
    Place {
        pool,
        leg,
        disk: disk.path.clone(),
    }
}

fn member(pool: &PoolStatus) -> Member {
    Member {
        name: pool.name.clone(),
        guid: pool.guid,
    }
}
