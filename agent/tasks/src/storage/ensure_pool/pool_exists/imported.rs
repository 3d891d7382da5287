use std::collections::BTreeSet;

use heeler_host::facts::{LegFact, PoolFact};
use heeler_host::zpool::{self, Class};
use heeler_proto::PoolSpec;

use super::places::Places;
use crate::engine::{Key, Op, Plan};
use crate::storage::words;

/// Checks an imported pool that has the wanted name or is on record: it must be the wanted pool, on the wanted disks.
pub(super) fn plan(spec: &PoolSpec, pool: &PoolFact) -> Plan {
    let wanted = words::set(&spec.serials);
    let data = pool.legs.iter().filter(|leg| leg.class == Class::Data);
    let places = Places::of(data.map(|leg| {
        (
            leg.place.as_str(),
            Some(leg.serial.as_str()).filter(|one| !one.is_empty()),
        )
    }));
    let legs = places.serials(spec);
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
                words::word(&pool.name)
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
            "",
        )
        .edit(Key::PoolName, "", format!("name = {:?}", pool.name));
    }
    let unmarked = spec.recorded_guid.is_none() && pool.comment != spec.comment;
    if unmarked && !pool.comment.is_empty() {
        return Plan::blocked(
            format!("{found}, with comment {:?}", pool.comment),
            format!(
                "no pool is on record for this node, and the comment of this one is not {:?}: Heeler treats it as somebody else's",
                spec.comment
            ),
            format!(
                "if it is this node's: on the node: zpool set comment={} {}; then: heeler apply. If not: name another pool in heeler.toml",
                spec.comment, pool.name
            ),
        )
        .at(Key::PoolName, "");
    }
    if let Some((odd, next)) = unmirrored(pool, &wanted) {
        return Plan::blocked(
            format!("{found}: {odd}"),
            "a pool of Heeler is a mirror: data that is on one disk only is lost with that disk",
            next,
        );
    }
    if let Some(difference) = words::difference(&legs, &wanted) {
        let found = format!("{found}: {difference}");
        return match places.nameless(spec) {
            0 => Plan::blocked(found, words::OTHER_DISKS, "").edit(Key::Disks, "", words::disks(&legs)),
            // The advice never tells to write something that is not a serial into `disks`.
            _ => Plan::blocked(
                found,
                words::OTHER_DISKS,
                format!("see which disk is lost, on the node: zpool status {}", pool.name),
            )
            .at(Key::Disks, ""),
        };
    }
    match pool.state.as_str() {
        // A degraded pool is shown in the status; a person repairs it.
        "ONLINE" | "HEALTHY" | "DEGRADED" if unmarked => take_in(spec),
        "ONLINE" | "HEALTHY" | "DEGRADED" => Plan::Satisfied,
        state => Plan::blocked(
            format!("{found}, and is {state}"),
            "ZFS cannot use it as it is",
            format!("on the node: zpool status -v {}", pool.name),
        ),
    }
}

/// A person made this pool, on exactly the disks that heeler.toml names for this node. The comment is all that makes it
/// Heeler's: no data moves.
fn take_in(spec: &PoolSpec) -> Plan {
    let mark = zpool::set_command("comment", &spec.comment, spec.name.as_str());
    let meaning = format!(
        "take in the mirror {:?}, which is on these disks already",
        spec.name.as_str()
    );
    Plan::change(vec![Op::Run(mark).explained(meaning)])
}

/// The disk of the pool that no other one mirrors, in words, and what to type; None when there is none. Heeler creates
/// only mirrors, so a person has detached or added a disk, or made the pool.
fn unmirrored(pool: &PoolFact, wanted: &BTreeSet<&str>) -> Option<(String, String)> {
    let name = &pool.name;
    let needed: Vec<&LegFact> = pool.legs.iter().filter(|leg| leg.class.is_needed()).collect();
    let lone = needed.iter().find(|leg| is_alone(leg, &needed))?;
    let called = match lone.serial.as_str() {
        "" => &lone.path,
        serial => serial,
    };
    let rest = needed
        .iter()
        .any(|leg| leg.top != lone.top || leg.top.is_empty() && leg.guid != lone.guid);
    if rest {
        let next = format!(
            "on the node: zpool remove {name} {} (its data moves to the other disks, which need the room); then: heeler plan",
            lone.guid
        );
        return Some((format!("{called} is a vdev of its own, without a mirror"), next));
    }
    let other = wanted
        .iter()
        .find(|one| **one != lone.serial)
        .map_or("another blank disk", |one| *one);
    let next = format!(
        "on the node: zpool attach {name} {} /dev/disk/by-id/NAME, with the NAME of {other} there; if ZFS refuses that disk because of what it holds, first: heeler disk erase SERIAL; then: heeler plan",
        lone.guid
    );
    Some((format!("{called} is its only disk, without a mirror"), next))
}

/// Whether no other disk holds the same data: the leg is a top-level vdev itself, also while it is replaced.
fn is_alone(leg: &LegFact, needed: &[&LegFact]) -> bool {
    let replaced = || leg.top == leg.place && needed.iter().all(|one| one.top != leg.top || one.place == leg.top);
    leg.top.is_empty() || replaced()
}
