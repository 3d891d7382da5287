//! What is wrong with an imported pool: ONLINE alone does not mean healthy.

use heeler_proto::v1::{self, LegClass, Light};

use super::super::pool_change::{counted, counts, leg_name, repaired, works};
use super::alert;
use crate::screen::{gibibytes, span};

/// Percent of a pool in use from which it is amber, and red.
const FULL: (u64, u64) = (80, 90);
/// The same for a node's root file system. Counts blocks reserved for root as used.
const ROOT_FULL: (u64, u64) = (90, 97);
/// Messages of `zpool status` about features that an upgrade would add: no fault.
const HARMLESS: [&str; 2] = ["Some supported", "The pool is formatted using a legacy"];
/// Alerts from older facts say their age, milliseconds.
pub(super) const OLD_MS: u64 = 60_000;
/// Guide page about replacing a disk.
pub(super) const GUIDE: &str = "docs/guide/disks.md";

/// Everything about the pool that needs attention, worst first. `seen_ms`: age of the facts. `acknowledged`: a person
/// has marked the last scrub's repair as seen.
pub(super) fn alerts(node: &str, pool: &v1::Pool, seen_ms: u64, acknowledged: bool) -> Vec<v1::Alert> {
    let (name, mut alerts) = (&pool.name, Vec::new());
    alerts.extend(state(node, pool));
    alerts.extend(
        pool.legs
            .iter()
            .filter(|leg| !works(leg))
            .filter_map(|leg| lost(node, pool, leg)),
    );
    alerts.extend(resilver(node, pool));
    alerts.extend(full(node, pool));
    let counting = pool.legs.iter().filter(|leg| counted(leg) > 0);
    alerts.extend(counting.map(|leg| {
        let next = format!("on {node}: sudo zpool status -v {name}; then \"Errors are counted\" in {GUIDE}");
        amber(node, format!("pool {name}: {}", counts(leg)), next)
    }));
    alerts.extend(scanned(node, pool, acknowledged));
    let stands_in = pool.legs.iter().filter(|leg| leg.state == "INUSE");
    alerts.extend(stands_in.map(|leg| {
        let text = format!("{} of pool {name} replaces a failed disk", leg_name(leg));
        amber(
            node,
            text,
            format!("replace the disk that failed: \"A disk failed\" in {GUIDE}"),
        )
    }));
    if pool.readonly {
        let text = format!("pool {name} is imported read-only: nothing can be written");
        alerts.push(amber(node, text, format!("heeler plan {node}")));
    }
    zfs_says(node, pool, &mut alerts);
    if let Some(first) = alerts.first_mut().filter(|_| seen_ms >= OLD_MS) {
        first.text = format!("{} (as it was {} ago)", first.text, span(seen_ms));
    }
    alerts
}

fn amber(node: &str, text: String, next: String) -> v1::Alert {
    alert(Light::Amber, node, text, next)
}

/// Whether the leg holds data, or the data cannot be read without it.
pub(super) fn holds_data(leg: &v1::Leg) -> bool {
    !matches!(leg.class(), LegClass::Log | LegClass::Cache | LegClass::Spare)
}

/// The alert about a pool that is not ONLINE or has data errors.
fn state(node: &str, pool: &v1::Pool) -> Option<v1::Alert> {
    let name = &pool.name;
    let down: Vec<&v1::Leg> = pool.legs.iter().filter(|leg| holds_data(leg) && !works(leg)).collect();
    if pool.state == "ONLINE" {
        let text = format!("pool {name} has {} data errors", pool.errors);
        let next =
            format!("on {node}: sudo zpool status -v {name} names the files; restore them from a snapshot or copy");
        return (pool.errors > 0).then(|| alert(Light::Red, node, text, next));
    }
    // Only a log, cache or spare device is lost: [`lost`] reports it.
    let only_helpers = down.is_empty() && pool.legs.iter().any(|leg| !works(leg));
    if pool.state == "DEGRADED" && only_helpers && pool.errors == 0 {
        return None;
    }
    let errors = match pool.errors {
        0 => String::new(),
        errors => format!(" with {errors} data errors"),
    };
    let legs: Vec<_> = down
        .iter()
        .map(|leg| format!("{} is {}", leg_name(leg), leg.state))
        .collect();
    let legs = match legs.as_slice() {
        [] => String::new(),
        legs => format!(": {}", legs.join(", ")),
    };
    // Only a disk of the same vdev holds the lost disk's data.
    let beside = |leg: &&v1::Leg| holds_data(leg) && works(leg) && down.iter().any(|lost| lost.vdev == leg.vdev);
    let keep: Vec<_> = pool.legs.iter().filter(beside).map(leg_name).collect();
    let keep = match keep.as_slice() {
        [] => String::new(),
        keep => format!(". Do NOT pull {}", keep.join(", ")),
    };
    let text = format!("pool {name} is {}{errors}{legs}{keep}", pool.state);
    Some(alert(Light::Red, node, text, next(node, pool, &down)))
}

/// What to do about a lost leg. No advice here clears errors or replaces a disk before the cause is known.
fn next(node: &str, pool: &v1::Pool, down: &[&v1::Leg]) -> String {
    let gone = |leg: &&&v1::Leg| ["REMOVED", "UNAVAIL", "CANT_OPEN"].contains(&leg.state.as_str());
    let (name, leg) = (&pool.name, down.iter().find(gone).map(|leg| leg_name(leg)));
    match (pool.state.as_str(), leg) {
        ("SUSPENDED" | "FAULTED" | "UNAVAIL", leg) => {
            let push = leg.map_or_else(String::new, |leg| format!("push {leg} back in, then "));
            format!("{push}on {node}: sudo zpool status {name}; \"A pool is suspended\" in {GUIDE}")
        }
        (_, Some(leg)) => format!("push {leg} back in: it heals itself. If it is broken: \"A disk failed\" in {GUIDE}"),
        (_, None) => format!("on {node}: sudo zpool status -v {name}; \"A disk failed\" in {GUIDE}"),
    }
}

/// The alert about a log, cache, spare or special device that does not work.
fn lost(node: &str, pool: &v1::Pool, leg: &v1::Leg) -> Option<v1::Alert> {
    // A device that holds the same data. A cache and a spare hold nothing that is only there.
    let same = |other: &&v1::Leg| {
        let holds = !matches!(other.class(), LegClass::Cache | LegClass::Spare);
        holds && works(other) && !leg.vdev.is_empty() && other.vdev == leg.vdev
    };
    let beside: Vec<_> = pool.legs.iter().filter(same).map(leg_name).collect();
    let (light, means) = match leg.class() {
        LegClass::Unspecified | LegClass::Data => return None,
        LegClass::Special | LegClass::Dedup => (Light::Red, "if its last copy is lost, all data of the pool is lost"),
        LegClass::Log if beside.is_empty() => (
            Light::Amber,
            "synchronous writes go to the data disks and are slower. If the power failed together with it, the last seconds of them may be lost",
        ),
        LegClass::Log => (Light::Amber, "the other half of its mirror holds the log"),
        LegClass::Cache => (Light::Amber, "reads are slower, no data is at risk"),
        LegClass::Spare => (Light::Amber, "it cannot replace a failed disk"),
    };
    let keep = match beside.as_slice() {
        [] => String::new(),
        beside => format!(". Do NOT pull {}", beside.join(", ")),
    };
    let name = &pool.name;
    let text = format!("{} of pool {name} is {}: {means}{keep}", leg_name(leg), leg.state);
    let next = format!("on {node}: sudo zpool status -v {name}; \"Other devices of a pool\" in {GUIDE}");
    Some(alert(light, node, text, next))
}

/// During a resilver the leg is ONLINE but its data is not complete.
fn resilver(node: &str, pool: &v1::Pool) -> Option<v1::Alert> {
    let runs = pool.scan_function == "RESILVER" && pool.scan_state == "SCANNING";
    let text = format!(
        "pool {} resilvers. Do NOT pull any of its data disks until it has ended",
        pool.name
    );
    runs.then(|| amber(node, text, format!("heeler events --follow --node {node}")))
}

fn full(node: &str, pool: &v1::Pool) -> Option<v1::Alert> {
    let percent = percent(pool.allocated_bytes, pool.size_bytes);
    // An older agent reports neither the free space nor the class of a leg.
    let told = pool.legs.iter().any(|leg| leg.class() != LegClass::Unspecified) && pool.size_bytes > 0;
    let none_left = told && pool.available_bytes == 0 && !pool.readonly;
    let light = match percent {
        _ if none_left => Light::Red,
        percent if percent >= FULL.1 => Light::Red,
        percent if percent >= FULL.0 => Light::Amber,
        _ => return None,
    };
    let left = match told {
        true => format!(", {} left", gibibytes(pool.available_bytes)),
        false => String::new(),
    };
    let text = format!("pool {} is {percent}% full{left}", pool.name);
    let next = format!("make room: \"A pool is full\" in {GUIDE}; what holds it: heeler snapshot list {node}");
    Some(alert(light, node, text, next))
}

fn scanned(node: &str, pool: &v1::Pool, acknowledged: bool) -> Vec<v1::Alert> {
    let (name, mut alerts) = (&pool.name, Vec::new());
    if let Some(text) = repaired(pool).filter(|_| !acknowledged) {
        let next = format!("on {node}: sudo zpool status -v {name}; then, to clear it: heeler events seen {node}");
        alerts.push(amber(node, text, next));
    }
    if pool.scan_errors > 0 {
        let what = match pool.scan_function.as_str() {
            "RESILVER" => "resilver",
            _ => "scrub",
        };
        let text = format!(
            "the last {what} of pool {name} could not repair {} errors",
            pool.scan_errors
        );
        let next = format!("on {node}: sudo zpool status -v {name} names the files that cannot be read");
        alerts.push(amber(node, text, next));
    }
    alerts
}

/// Adds the message of `zpool status` to the first alert, or makes it a separate alert.
fn zfs_says(node: &str, pool: &v1::Pool, alerts: &mut Vec<v1::Alert>) {
    let status = pool.zfs_status.trim();
    let harmless = HARMLESS.iter().any(|words| status.starts_with(words));
    match alerts.first_mut() {
        _ if status.is_empty() || harmless => {}
        Some(first) => first.text = format!("{}. ZFS says: {status}", first.text),
        None => {
            let text = format!("ZFS says of pool {}: {status}", pool.name);
            alerts.push(amber(
                node,
                text,
                format!("on {node}: sudo zpool status -v {}", pool.name),
            ));
        }
    }
}

/// `part` in percent of `whole`, rounded down; 0 when `whole` is 0.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    let percent = u128::from(part) * 100 / u128::from(whole.max(1));
    u64::try_from(percent).unwrap_or(u64::MAX)
}

/// The alert about a full root file system: the node can then write no journal and install no update.
pub(super) fn root(node: &str, facts: &v1::Facts) -> Option<v1::Alert> {
    let used = facts.root_size_bytes.checked_sub(facts.root_available_bytes)?;
    let percent = percent(used, facts.root_size_bytes);
    let light = match percent {
        percent if percent >= ROOT_FULL.1 => Light::Red,
        percent if percent >= ROOT_FULL.0 => Light::Amber,
        _ => return None,
    };
    let left = gibibytes(facts.root_available_bytes);
    let text = format!("the root file system is {percent}% full, {left} left");
    let next =
        format!("on {node}: sudo apt-get clean; sudo journalctl --vacuum-size=200M; then: heeler node discover {node}");
    Some(alert(light, node, text, next))
}

/// Pools that the agent could not read: nothing is known about them, and ours are not affected.
pub(super) fn unreadable(node: &str, facts: &v1::Facts) -> Vec<v1::Alert> {
    // A bound for a node that lies: four alerts are enough to act on.
    let told = facts.unreadable_pools.iter().take(4).map(|pool| {
        let name = &pool.name;
        let text = format!("pool {name} cannot be read: {}. Nothing is known of it", pool.reason);
        amber(node, text, format!("on {node}: sudo zpool status {name}"))
    });
    told.collect()
}
