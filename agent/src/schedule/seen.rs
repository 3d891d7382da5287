use std::time::Duration;

use heeler_host::{System, side_by_side, zfs};
use heeler_tasks::engine::in_full;
use heeler_tasks::snapshot::{Classes, copy, next_due_s, schedule, scrub};
use serde::Serialize;

use super::copies;
use super::memory::Memory;
use super::scrubs::past;

/// Time limit of a list of snapshots, because a person waits.
const LISTING: Duration = Duration::from_secs(20);

/// The state of the schedule, from the files on disk. All times in Unix milliseconds; 0: never, or no schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The newest scheduled snapshot of the dataset where it is the oldest.
    pub newest_snapshot_ms: u64,
    /// When the next snapshot is due.
    pub next_snapshot_ms: u64,
    /// When the last complete scrub ended.
    pub last_scrub_ms: u64,
    /// When the next scrub is due.
    pub next_scrub_ms: u64,
    /// When the newest copy of the SD card was made.
    pub last_copy_ms: u64,
    /// When the next copy is due.
    pub next_copy_ms: u64,
}

/// Collects the state. Adds to `faults` what a person should know: a schedule that cannot be read, the problems of
/// the last round, an overdue scrub
/// or copy.
pub async fn seen(host: &dyn System, faults: &mut Vec<String>) -> Seen {
    let now_s = host.now_ms() / 1000;
    let mut seen = Seen::default();
    let text = heeler_host::whole_text(host, schedule::SNAPSHOTS).await.ok().flatten();
    let read = text.map(|text| schedule::snapshots(&text)).transpose();
    let wanted = read.unwrap_or_else(|error| {
        faults.push(error.to_string());
        None
    });
    let memory = Memory::read(host).await;
    faults.extend(memory.problems);
    if let Some(wanted) = wanted {
        let wanted = wanted.task;
        let next = wanted
            .policies
            .iter()
            .filter_map(|policy| next_due_s(&policy.keep, now_s));
        seen.next_snapshot_ms = next.min().unwrap_or(0).saturating_mul(1000);
        let mut newest = Vec::new();
        let lists = wanted
            .policies
            .iter()
            .map(|policy| zfs::snapshots_within(host, &policy.dataset, LISTING));
        let lists = side_by_side(lists).await;
        for (policy, list) in wanted.policies.iter().zip(lists) {
            match list {
                Ok(snapshots) => {
                    let own = snapshots.iter().flatten().filter(|snapshot| {
                        let mark = snapshot.mark.as_deref().unwrap_or_default();
                        Classes::read(mark).iter().next().is_some()
                    });
                    newest.push(own.map(|snapshot| snapshot.created_s).max().unwrap_or(0));
                }
                Err(error) => faults.push(format!("{} could not be listed: {}", policy.dataset, in_full(&error))),
            }
        }
        seen.newest_snapshot_ms = newest.into_iter().min().unwrap_or(0).saturating_mul(1000);
    }
    let text = heeler_host::whole_text(host, schedule::SCRUBS).await.ok().flatten();
    let read = text.map(|text| schedule::scrubs(&text)).transpose();
    let wanted = read.unwrap_or_else(|error| {
        faults.push(error.to_string());
        None
    });
    if let Some(wanted) = wanted {
        let last_s = past(memory.scrub.last_s, now_s);
        seen.last_scrub_ms = last_s.saturating_mul(1000);
        let since_s = last_s.max(memory.scrub.since_s);
        if scrub::overdue_s(&wanted).is_some_and(|after| since_s > 0 && since_s.saturating_add(after) < now_s) {
            faults.push(format!("a scrub of pool {} is overdue: zpool status {0}", wanted.pool));
        }
        seen.next_scrub_ms = scrub::slots(&wanted, now_s).map_or(0, |(_, next_s)| next_s.saturating_mul(1000));
    }
    let text = heeler_host::whole_text(host, schedule::COPIES).await.ok().flatten();
    let read = text.map(|text| schedule::copies(&text)).transpose();
    let wanted = read.unwrap_or_else(|error| {
        faults.push(error.to_string());
        None
    });
    if wanted.is_some_and(|wanted| wanted.keep > 0) {
        let (last_s, overdue_s) = copies::times(&memory.copy, now_s);
        seen.last_copy_ms = last_s.saturating_mul(1000);
        seen.next_copy_ms = last_s.saturating_add(copy::DAY_S).max(now_s).saturating_mul(1000);
        if memory.copy.since_s > 0 && overdue_s < now_s {
            let why = match memory.copy.problem.as_str() {
                "" => "",
                why => &format!(": {why}"),
            };
            faults.push(format!("a copy of the SD card is overdue{why}"));
        }
    }
    seen
}
