//! Events about a node's pools, from the difference between two looks. Each change is reported once, however often
//! the node is looked at.

use std::collections::HashMap;

use heeler_proto::Word as _;
use heeler_proto::v1::{self, AlarmKind, EventKind, LegClass};
use heeler_store::{Node, Tx};

use super::{App, Result};
use crate::screen::gibibytes;

/// Most pools of one look that events are written about.
pub(super) const MOST_POOLS: usize = 16;
/// Most legs named in one event.
const MOST_LEGS: usize = 8;
/// Most characters of an event.
const MOST_TEXT: usize = 500;
/// Marks an alarm as seen at once, because the status shows the fault of every pool itself, from the facts.
pub(super) const BY_STATUS: &str = "heeler";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum PoolEvent {
    /// An alarm about the pool.
    Alarm(AlarmKind, String),
    /// An event for the record only.
    Note(String),
}

impl App {
    /// Writes events about the changes since `before`, and adds to `facts` what only the coordinator knows: when the
    /// pools were looked at, and the last slot of each leg. The first look at a node writes no event.
    pub(super) async fn take_pools(
        &self,
        tx: &mut Tx,
        node: &Node,
        before: &v1::Facts,
        facts: &mut v1::Facts,
    ) -> Result<()> {
        facts.pools_at_ms = self.now_ms();
        remember(before, facts);
        note_scan_ends(before, facts, self.now_ms());
        if node.facts.is_none() {
            return Ok(());
        }
        let mut events = Vec::new();
        for pool in facts.pools.iter().take(MOST_POOLS) {
            match before.pools.iter().find(|was| was.guid == pool.guid) {
                Some(was) => events.extend(changes(was, pool).into_iter().map(|event| (pool, event))),
                None if is_ours(tx, node, pool).await? => {
                    events.push((pool, PoolEvent::Note(format!("pool {} is imported", pool.name))));
                }
                None => {}
            }
        }
        let unreadable = |name: &str| facts.unreadable_pools.iter().any(|pool| pool.name == name);
        for was in before.pools.iter().take(MOST_POOLS) {
            let there = facts.pools.iter().any(|pool| pool.guid == was.guid);
            if !there && !unreadable(&was.name) && is_ours(tx, node, was).await? {
                let text = format!("pool {} is not imported any more", was.name);
                events.push((was, PoolEvent::Alarm(AlarmKind::PoolGone, text)));
            }
        }
        for (pool, event) in events {
            self.write_down(tx, &node.name, pool, event).await?;
        }
        Ok(())
    }

    async fn write_down(&self, tx: &mut Tx, node: &str, pool: &v1::Pool, event: PoolEvent) -> Result<()> {
        let brief = |text: &str| text.chars().take(MOST_TEXT).collect::<String>();
        match event {
            PoolEvent::Note(text) => {
                tx.add_event(&self.event(EventKind::Pool, node, brief(&text))).await?;
            }
            PoolEvent::Alarm(kind, text) => {
                let subject = pool.guid.as_str();
                tx.add_event(&self.alarm((kind, subject), node, brief(&text))).await?;
                tx.see_alarm((node, kind.word(), subject), BY_STATUS, self.now_ms())
                    .await?;
            }
        }
        Ok(())
    }
}

async fn is_ours(tx: &mut Tx, node: &Node, pool: &v1::Pool) -> Result<bool> {
    let known = tx.pool(&pool.guid).await?;
    Ok(known.is_some_and(|known| known.ours && known.node == node.name))
}

/// Stores the last slot of each leg's disk: a disk that is gone has no slot any more.
fn remember(before: &v1::Facts, facts: &mut v1::Facts) {
    let legs = before.pools.iter().flat_map(|pool| &pool.legs);
    let legs = legs.map(|leg| (leg.last_serial.as_str(), leg.last_slot.as_str()));
    let disks = before.disks.iter().chain(&facts.disks);
    let places = legs.chain(disks.map(|disk| (disk.serial.as_str(), disk.slot.as_str())));
    let places = places.filter(|(serial, slot)| !serial.is_empty() && !slot.is_empty());
    // A later place in the list replaces an earlier one, so new facts win.
    let slots: HashMap<String, String> = places
        .map(|(serial, slot)| (serial.to_owned(), slot.to_owned()))
        .collect();
    for leg in facts.pools.iter_mut().flat_map(|pool| &mut pool.legs) {
        leg.last_serial.clone_from(&leg.serial);
        leg.last_slot = slots.get(&leg.serial).cloned().unwrap_or_default();
    }
}

/// Stores when each scan's end was first seen: the node's clock, by which it ended, may be wrong. The end of a pool that
/// was away is not news.
fn note_scan_ends(before: &v1::Facts, facts: &mut v1::Facts, now_ms: u64) {
    for pool in &mut facts.pools {
        let was = before.pools.iter().find(|was| was.guid == pool.guid);
        pool.scan_end_seen_ms = match was {
            Some(was) if was.scan_end_ms == pool.scan_end_ms => was.scan_end_seen_ms,
            Some(_) => now_ms,
            None => pool.scan_end_ms.min(now_ms),
        };
    }
}

/// Whether the device works: ONLINE, or for a spare AVAIL (waiting) or INUSE (in place of a disk). States as in
/// zpool-status(8).
pub(super) fn works(leg: &v1::Leg) -> bool {
    ["ONLINE", "AVAIL", "INUSE"].contains(&leg.state.as_str())
}

/// Role, slot and serial of a leg, for a person who looks for the disk.
pub(super) fn leg_name(leg: &v1::Leg) -> String {
    let role = match leg.class() {
        LegClass::Unspecified | LegClass::Data => "",
        LegClass::Log => "log device ",
        LegClass::Cache => "cache device ",
        LegClass::Special => "special device ",
        LegClass::Dedup => "dedup device ",
        LegClass::Spare => "spare ",
    };
    let serial = if leg.last_serial.is_empty() {
        &leg.serial
    } else {
        &leg.last_serial
    };
    match (leg.last_slot.as_str(), serial.as_str()) {
        (_, "") => format!("{role}vdev {}", leg.guid),
        ("", serial) => format!("{role}{serial}"),
        (slot, serial) => format!("{role}slot {slot} {serial}"),
    }
}

/// The text about a finished scrub that repaired something; else None.
pub(super) fn repaired(pool: &v1::Pool) -> Option<String> {
    let over = pool.scan_function == "SCRUB" && pool.scan_state == "FINISHED";
    (over && pool.repaired_bytes > 0).then(|| {
        let size = gibibytes(pool.repaired_bytes);
        format!("a scrub of pool {} repaired {size}", pool.name)
    })
}

/// The error counts of a leg, as text.
pub(super) fn counts(leg: &v1::Leg) -> String {
    let counts = [
        (leg.read_errors, "read"),
        (leg.write_errors, "write"),
        (leg.checksum_errors, "checksum"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts.map(|(count, what)| format!("{count} {what}")).collect();
    format!("{} has {} errors", leg_name(leg), counts.join(", "))
}

pub(super) fn counted(leg: &v1::Leg) -> u64 {
    let sum = leg.read_errors.saturating_add(leg.write_errors);
    sum.saturating_add(leg.checksum_errors)
}

fn listed(legs: &[String]) -> String {
    let shown: Vec<_> = legs.iter().take(MOST_LEGS).map(String::as_str).collect();
    match legs.len().saturating_sub(MOST_LEGS) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A count is reported again only when it has one more digit: a failing disk counts up for hours.
fn digits(count: u64) -> u32 {
    count.checked_ilog10().map_or(0, |log| log + 1)
}

/// The events between two looks at one pool.
pub(super) fn changes(was: &v1::Pool, now: &v1::Pool) -> Vec<PoolEvent> {
    let mut events = Vec::new();
    events.extend(state(was, now));
    events.extend(scan(was, now));
    events.extend(errors(was, now));
    if now.readonly && !was.readonly {
        events.push(PoolEvent::Alarm(
            AlarmKind::PoolReadOnly,
            format!("pool {} is imported read-only", now.name),
        ));
    }
    events
}

fn pairs<'a>(was: &'a v1::Pool, now: &'a v1::Pool) -> Vec<(Option<&'a v1::Leg>, &'a v1::Leg)> {
    // A spare in use is listed twice under one guid: in the mirror and as a spare.
    let key = |leg: &'a v1::Leg| (leg.guid.as_str(), leg.class() == LegClass::Spare);
    let known: HashMap<_, _> = was.legs.iter().map(|leg| (key(leg), leg)).collect();
    now.legs
        .iter()
        .map(|leg| (known.get(&key(leg)).copied(), leg))
        .collect()
}

fn state(was: &v1::Pool, now: &v1::Pool) -> Option<PoolEvent> {
    let (mut worse, mut better, mut stands_in) = (Vec::new(), Vec::new(), Vec::new());
    for (before, leg) in pairs(was, now) {
        let same = before.is_some_and(|before| before.state == leg.state);
        let text = || format!("{} is {}", leg_name(leg), leg.state);
        if same {
        } else if !works(leg) {
            worse.push(text());
        } else if before.is_some_and(|before| !works(before)) {
            better.push(text());
        } else if leg.state == "INUSE" {
            stands_in.push(format!("{} replaces a failed disk", leg_name(leg)));
        }
    }
    let changed = was.state != now.state;
    let head = format!("pool {} is {}", now.name, now.state);
    let with = |legs: &[String]| match legs {
        [] => String::new(),
        legs => format!(": {}", listed(legs)),
    };
    worse.append(&mut stands_in);
    if !worse.is_empty() || changed && now.state != "ONLINE" {
        Some(PoolEvent::Alarm(
            AlarmKind::PoolState,
            format!("{head}{}", with(&worse)),
        ))
    } else if changed || !better.is_empty() {
        Some(PoolEvent::Note(format!("{head} again{}", with(&better))))
    } else {
        None
    }
}

fn scan(was: &v1::Pool, now: &v1::Pool) -> Vec<PoolEvent> {
    let (name, mut events) = (&now.name, Vec::new());
    let began_again = was.scan_state != "SCANNING" && now.scan_state == "SCANNING";
    let same = was.scan_function == now.scan_function && was.scan_start_ms == now.scan_start_ms && !began_again;
    let over = now.scan_state == "FINISHED";
    let ended = over && !(same && was.scan_state == "FINISHED" && was.scan_end_ms == now.scan_end_ms);
    if now.scan_function == "RESILVER" {
        if !same || ended && was.scan_state != "SCANNING" {
            events.push(PoolEvent::Note(format!("a resilver of pool {name} began")));
        }
        if ended {
            events.push(PoolEvent::Note(format!("a resilver of pool {name} ended")));
        }
        if now.scan_state == "CANCELED" && was.scan_state == "SCANNING" {
            events.push(PoolEvent::Note(format!("a resilver of pool {name} was stopped")));
        }
    }
    if ended {
        events.extend(repaired(now).map(|text| PoolEvent::Alarm(AlarmKind::PoolRepaired, text)));
        if now.scan_errors > 0 {
            let what = if now.scan_function == "RESILVER" {
                "resilver"
            } else {
                "scrub"
            };
            let text = format!("a {what} of pool {name} could not repair {} errors", now.scan_errors);
            events.push(PoolEvent::Alarm(AlarmKind::PoolNotRepaired, text));
        }
    }
    events
}

fn errors(was: &v1::Pool, now: &v1::Pool) -> Vec<PoolEvent> {
    let (mut more, mut cleared) = (Vec::new(), Vec::new());
    for (before, leg) in pairs(was, now) {
        let before = before.map_or(0, counted);
        if digits(counted(leg)) > digits(before) {
            more.push(counts(leg));
        } else if before > 0 && counted(leg) == 0 {
            cleared.push(leg_name(leg));
        }
    }
    let mut events = Vec::new();
    if !more.is_empty() {
        events.push(PoolEvent::Alarm(
            AlarmKind::DeviceErrors,
            format!("pool {}: {}", now.name, listed(&more)),
        ));
    }
    if !cleared.is_empty() {
        let legs = listed(&cleared);
        events.push(PoolEvent::Note(format!(
            "pool {}: the errors of {legs} were cleared",
            now.name
        )));
    }
    if digits(now.errors) > digits(was.errors) {
        events.push(PoolEvent::Alarm(
            AlarmKind::DataErrors,
            format!("pool {} has {} data errors", now.name, now.errors),
        ));
    }
    events
}

#[cfg(test)]
mod tests;
