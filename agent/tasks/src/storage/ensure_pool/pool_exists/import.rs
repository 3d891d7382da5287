use std::collections::BTreeSet;
use std::time::Duration;

use heeler_host::zpool::import_command;
use heeler_proto::{DiskIdentity, ImportPool, Irreversible, PoolGuid, PoolSpec, Serial};

use super::observed::{Candidate, Observed};
use crate::engine::{Blocked, Key, Op, Plan};
use crate::storage::words;

const SETTLE: Duration = Duration::from_secs(30);

/// Plans the import of the pool on record, which is on disks of this node.
pub(super) fn recorded(spec: &PoolSpec, candidate: &Candidate, seen: &Observed) -> Plan {
    let pool = &candidate.pool;
    let places = candidate.places();
    let (legs, named) = (places.serials(spec), words::set(&spec.serials));
    if pool.name != spec.name.as_str() {
        return Plan::blocked(
            format!("pool {} ({}) is not imported", pool.name, pool.guid),
            format!(
                "it is the pool on record, and heeler.toml calls it {}: a pool is not renamed",
                spec.name
            ),
            "",
        )
        .edit(Key::PoolName, "", format!("name = {:?}", pool.name));
    }
    if let Some(difference) = words::difference(&legs, &named) {
        let found = format!(
            "pool {} ({}) on {} is not imported: {difference}",
            pool.name,
            pool.guid,
            words::list(legs.iter().copied())
        );
        return naming(pool.guid, &legs, Blocked::new(found, words::OTHER_DISKS, ""));
    }
    if let Some(stopped) = not_importable(candidate, seen) {
        return stopped;
    }
    let online: BTreeSet<&str> = candidate.online().collect();
    let missing: Vec<Serial> = spec
        .serials
        .iter()
        .filter(|leg| !online.contains(leg.as_str()))
        .cloned()
        .collect();
    let op = match missing.is_empty() || candidate.is_whole() {
        true => Op::Run(import_command(pool.guid)),
        false => without(candidate, missing, seen),
    };
    Plan::Change {
        ops: vec![op],
        settle: SETTLE,
    }
}

/// Plans without a pool on record. A pool with this node's comment and name, on exactly the wanted disks, is
/// imported: the node was re-flashed and the coordinator's data lost, or the end of a creation was not seen. Any
/// other pool with the name or on the wanted disks blocks. None when there is neither.
pub(super) fn unrecorded(spec: &PoolSpec, begun: bool, seen: &Observed) -> Option<Plan> {
    let named = words::set(&spec.serials);
    let touches = |candidate: &&Candidate| {
        candidate.pool.name == spec.name.as_str() || candidate.serials().any(|serial| named.contains(serial))
    };
    let near: Vec<&Candidate> = seen.importable.iter().filter(touches).collect();
    let ours = |candidate: &&&Candidate| {
        let online: BTreeSet<&str> = candidate.online().collect();
        let says_so = candidate.pool.comment == spec.comment && candidate.pool.name == spec.name.as_str();
        says_so && online == named && candidate.needed().count() == named.len()
    };
    let first = near.first()?;
    let (Some(candidate), 1) = (near.iter().find(ours), near.len()) else {
        return Some(foreign(spec, begun, first, near.len()));
    };
    Some(not_importable(candidate, seen).unwrap_or_else(|| Plan::Change {
        ops: vec![Op::Run(import_command(candidate.pool.guid))],
        settle: SETTLE,
    }))
}

/// Blocked with what to do when the pool has other disks than heeler.toml names. heeler.toml takes no single disk: such
/// a pool is imported first, and the plan then says how to add the second disk.
fn naming(guid: u64, legs: &BTreeSet<&str>, blocked: Blocked) -> Plan {
    Plan::Blocked(match legs.len() {
        0 | 1 => Blocked {
            next: format!(
                "on the node: zpool import -N -d /dev/disk/by-id {guid}; heeler plan then says how to add a disk"
            ),
            ..blocked.at(Key::Disks, "")
        },
        _ => blocked.edit(Key::Disks, "", words::disks(legs)),
    })
}

/// Blocked: the pool on record cannot be found. No other pool is created for that reason.
pub(super) fn nowhere(spec: &PoolSpec, guid: PoolGuid, seen: &Observed) -> Plan {
    let carriers = seen.disks.iter().filter(|disk| disk.state.pool_guid() == Some(guid.0));
    let carriers: Vec<String> = carriers.map(words::finding).collect();
    let legs = if spec.recorded_serials.is_empty() {
        &spec.serials
    } else {
        &spec.recorded_serials
    };
    let (found, next) = if carriers.is_empty() {
        (
            format!("no disk in this node carries pool {} ({guid})", spec.name),
            format!(
                "put its disks back ({}), then: heeler apply",
                words::list(legs.iter().map(Serial::as_str))
            ),
        )
    } else {
        (
            format!(
                "ZFS does not offer pool {} ({guid}) for import, though its label is on {}",
                spec.name,
                carriers.join("; ")
            ),
            "see why on the node: zpool import -d /dev/disk/by-id; then: heeler plan".to_owned(),
        )
    };
    Plan::blocked(
        found,
        "it is the pool on record for this node, so no other pool is created in its place, even with a consent",
        next,
    )
}

/// Blocked, when ZFS says that the pool cannot or should not be imported.
fn not_importable(candidate: &Candidate, seen: &Observed) -> Option<Plan> {
    let pool = &candidate.pool;
    let found = format!("pool {} ({}) is {}: {}", pool.name, pool.guid, pool.state, pool.status);
    if pool.unsupported_feature() {
        return Some(Plan::blocked(
            found,
            "the ZFS on this node is older than the one that made the pool",
            "install the newer ZFS on the node, then: heeler apply",
        ));
    }
    if pool.last_used_elsewhere() {
        let mut labels = seen.disks.iter().flat_map(|disk| &disk.labels);
        let last = labels.find(|label| label.pool_guid == pool.guid);
        let last = last.map_or_else(String::new, |label| {
            format!(" (by {}, host id {:08x})", label.hostname, label.hostid)
        });
        return Some(Plan::blocked(
            format!("{found}{last}"),
            "two machines that use one pool destroy it, and this one's host id is another",
            format!(
                "put the disks back into the machine that used them last; there: zpool export {}; then the disks here, and: heeler apply. If that machine is dead: heeler handbook",
                words::word(&pool.name)
            ),
        ));
    }
    match pool.state.as_str() {
        "ONLINE" | "DEGRADED" => None,
        _ => Some(Plan::blocked(
            format!("{found} {}", pool.action).trim_end().to_owned(),
            "ZFS cannot import it, and Heeler never creates a new pool in place of one that cannot be imported",
            "see that all of its disks are there; on the node: zpool import -d /dev/disk/by-id",
        )),
    }
}

/// An import without all legs: what only the missing legs hold is lost, so the consent says which legs are present
/// and how old they are.
fn without(candidate: &Candidate, missing: Vec<Serial>, seen: &Observed) -> Op {
    let guid = candidate.pool.guid;
    let mut present: Vec<(DiskIdentity, u64)> = Vec::new();
    for disk in candidate.online().filter_map(|serial| seen.disk(serial)) {
        let labels = disk.labels.iter().filter(|label| label.pool_guid == guid);
        if let Ok(serial) = Serial::new(&disk.serial) {
            let size_bytes = disk.size_bytes;
            present.push((
                DiskIdentity { serial, size_bytes },
                labels.map(|label| label.txg).max().unwrap_or(0),
            ));
        }
    }
    Op::Irreversible {
        act: Irreversible::ImportPool(ImportPool {
            guid: PoolGuid(guid),
            present,
            missing,
        }),
        op: Box::new(Op::Run(import_command(guid))),
    }
}

/// Blocked by a pool that is not the wanted one. The advice offers to erase it only when it is complete and not this
/// node's, or when a creation on these disks was interrupted: otherwise it may be the last copy of the data.
fn foreign(spec: &PoolSpec, begun: bool, first: &Candidate, count: usize) -> Plan {
    let pool = &first.pool;
    let others = match count {
        1 => String::new(),
        _ => format!(" and {} more", count - 1),
    };
    let legs: BTreeSet<&str> = first.serials().collect();
    let ours = pool.comment == spec.comment;
    let never_made = if begun && ours && legs == words::set(&spec.serials) {
        let erase = words::erase(&pool.name, legs.iter().copied());
        format!(". Its creation was cut off here: if nothing was ever written to it, it can go. {erase}")
    } else {
        String::new()
    };
    let found = format!(
        "pool {} ({}, {}, comment {:?}) on {}{others} is not imported",
        pool.name,
        pool.guid,
        pool.state,
        pool.comment,
        words::list(legs.iter().copied())
    );
    let why = format!(
        "no pool is on record for this node, and this pool is not {} with comment {:?}, complete on {}",
        spec.name,
        spec.comment,
        words::list(words::set(&spec.serials))
    );
    if !first.is_whole() {
        let next = format!(
            "put all disks of pool {} back, then: heeler apply. If one of them is dead: heeler handbook, \"A disk is dead\". For another pool, name other disks in heeler.toml{never_made}",
            pool.name
        );
        Plan::blocked(found, why, next).at(Key::Disks, "")
    } else if ours && pool.name == spec.name.as_str() {
        naming(pool.guid, &legs, Blocked::new(found, why, "heeler apply"))
    } else if ours {
        Plan::blocked(found, why, "heeler apply").edit(Key::PoolName, "", format!("name = {:?}", pool.name))
    } else {
        let next = format!(
            "name other disks in heeler.toml: heeler disk list. {}",
            words::erase(&pool.name, legs.iter().copied())
        );
        Plan::blocked(found, why, next).at(Key::Disks, "")
    }
}
