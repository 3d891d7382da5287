use std::time::Duration;

use heeler_host::disk::Disk;
use heeler_host::zpool::NewPool;
use heeler_proto::{CreatePool, DiskIdentity, EnsurePool, Irreversible, PoolSpec};

use super::blank;
use super::observed::Observed;
use crate::engine::{Key, Op, Plan};
use crate::storage::words;

const SETTLE: Duration = Duration::from_secs(30);
/// The difference in size that `zpool create` accepts in a mirror: ZPOOL_FUZZ of OpenZFS.
const ALIKE_BYTES: u64 = 16 << 20;

/// Plans a new mirror. No pool is on record, and no importable pool has the name or is on the disks. The disks must
/// look blank; the engine reads every byte of them before it creates the pool.
pub(super) fn plan(task: &EnsurePool, begun: bool, seen: &Observed) -> Plan {
    let spec = &task.pool;
    if let Some(live) = task.live.iter().find(|live| spec.serials.contains(&live.serial)) {
        return Plan::blocked(
            format!(
                "{} is on record as holding pool {} of {}",
                live.serial, live.guid, live.node
            ),
            "a disk on record for an existing pool is never used for a new one, even with a consent",
            format!(
                "name another disk in heeler.toml, or put {} back into {}",
                live.serial, live.node
            ),
        )
        .at(Key::Disks, live.serial.as_str());
    }
    let disks = match blank::named(spec, seen) {
        Ok(disks) => disks,
        Err(stopped) => return stopped,
    };
    if let Some(stopped) = blank::refused(&disks, begun) {
        return stopped;
    }
    if let Some(stopped) = unequal(&disks) {
        return stopped;
    }
    if let Some(objection) = &seen.objection {
        return Plan::blocked(
            format!("zpool refuses to create the pool: {objection}"),
            "zpool create -n ran its checks; nothing was changed",
            "fix what it names, or name other disks in heeler.toml: heeler disk list",
        )
        .at(Key::Disks, "");
    }
    let legs = disks.iter().map(|disk| disk.by_id.clone()).collect();
    let pool = NewPool::new(spec.name.as_str(), spec.comment.as_str(), legs);
    let act = Irreversible::CreatePool(CreatePool {
        pool: spec.name.clone(),
        disks: identities(spec, &disks),
        properties: pool.all_properties(),
        unread: spec
            .serials
            .iter()
            .filter(|serial| task.unread.contains(serial))
            .cloned()
            .collect(),
    });
    let create = Op::Irreversible {
        act,
        op: Box::new(Op::Run(pool.command())),
    };
    Plan::Change {
        ops: vec![create],
        settle: SETTLE,
    }
}

fn identities(spec: &PoolSpec, disks: &[&Disk]) -> Vec<DiskIdentity> {
    let pairs = spec.serials.iter().zip(disks);
    pairs
        .map(|(serial, disk)| DiskIdentity {
            serial: serial.clone(),
            size_bytes: disk.size_bytes,
        })
        .collect()
}

fn unequal(disks: &[&Disk]) -> Option<Plan> {
    let smallest = disks.iter().min_by_key(|disk| disk.size_bytes)?;
    let largest = disks.iter().max_by_key(|disk| disk.size_bytes)?;
    (largest.size_bytes - smallest.size_bytes > ALIKE_BYTES).then(|| {
        Plan::blocked(
            format!(
                "{} is smaller than its mirror, {}",
                words::disk(smallest),
                words::disk(largest)
            ),
            "the legs of a mirror have one size, and zpool refuses others unless it is forced",
            "name disks of one size in heeler.toml: heeler disk list",
        )
        .at(Key::Disks, &smallest.serial)
    })
}
