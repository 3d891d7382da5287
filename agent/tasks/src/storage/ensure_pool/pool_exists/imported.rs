use std::collections::BTreeSet;

use heeler_host::facts::{LegFact, PoolFact};
use heeler_proto::PoolSpec;

use crate::engine::Plan;
use crate::storage::words;

/// A pool of the wanted name, or the recorded one, is imported: is it the wanted one, on the wanted disks?
pub(super) fn plan(spec: &PoolSpec, pool: &PoolFact) -> Plan {
    let wanted = words::set(&spec.serials);
    let legs: BTreeSet<&str> = pool.legs.iter().map(|leg| name(leg, &wanted)).collect();
    let found = format!(
        "pool {} ({}) is imported, on {}",
        pool.name,
        pool.guid,
        words::list(legs.iter().copied())
    );
    if let Some(guid) = spec.recorded_guid.filter(|guid| guid.0 != pool.guid) {
        return Plan::blocked(
            found,
            format!("the pool on record for this node is {guid}; another one has its name"),
            format!(
                "stop what uses it, then on the node: zpool export {}; then: heeler apply",
                pool.name
            ),
        );
    }
    if pool.name != spec.name.as_str() {
        return Plan::blocked(
            found,
            format!(
                "it is the pool on record, and heeler.toml calls it {}: a pool is not renamed",
                spec.name
            ),
            format!("in heeler.toml: name = {:?}", pool.name),
        );
    }
    if spec.recorded_guid.is_none() && pool.comment != spec.comment {
        return Plan::blocked(
            format!("{found}, with comment {:?}", pool.comment),
            format!(
                "no pool is on record for this node, and this one does not say {:?}: it is somebody else's",
                spec.comment
            ),
            format!(
                "if it is this node's: on the node: zpool set comment={} {}; then: heeler apply. If not: name another pool in heeler.toml",
                spec.comment, pool.name
            ),
        );
    }
    if let Some(difference) = words::difference(&legs, &wanted) {
        return Plan::blocked(
            format!("{found}: {difference}"),
            words::OTHER_DISKS,
            format!("in heeler.toml: disks = [{}]", words::quoted(&legs)),
        );
    }
    match pool.state.as_str() {
        // Degraded is told by the status; mending it is another task, that a person starts.
        "ONLINE" | "HEALTHY" | "DEGRADED" => Plan::Satisfied,
        state => Plan::blocked(
            format!("{found}, and is {state}"),
            "ZFS cannot use it as it is",
            format!("on the node: zpool status -v {}", pool.name),
        ),
    }
}

/// The serial of a leg. One whose disk is gone is known by the path that it was last opened by.
fn name<'a>(leg: &'a LegFact, wanted: &BTreeSet<&'a str>) -> &'a str {
    if !leg.serial.is_empty() {
        return &leg.serial;
    }
    let file = leg.path.rsplit('/').next().unwrap_or_default();
    let file = file.split("-part").next().unwrap_or(file);
    let by_path = wanted.iter().find(|serial| file.ends_with(&format!("_{serial}")));
    by_path
        .copied()
        .unwrap_or(if file.is_empty() { "a disk that is gone" } else { file })
}
