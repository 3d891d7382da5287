use heeler_host::{System, zfs};
use heeler_tasks::snapshot::{next_due_s, schedule, scrub};
use serde::Serialize;

use super::memory::Memory;

/// How the schedule stands, from what is on the disk. Unix milliseconds; 0: never, or not wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// When the schedule took the newest snapshot of the dataset whose newest is oldest.
    pub newest_snapshot_ms: u64,
    /// When the next one is due.
    pub next_snapshot_ms: u64,
    /// When the last whole scrub ended.
    pub last_scrub_ms: u64,
    /// When the next one is due.
    pub next_scrub_ms: u64,
}

/// Looks. What cannot be read is not wanted: the running agent tells of it.
pub async fn seen(host: &dyn System) -> Seen {
    let now_s = host.now_ms() / 1000;
    let mut seen = Seen::default();
    let text = schedule::text(host, schedule::SNAPSHOTS).await.ok().flatten();
    if let Some(Ok(wanted)) = text.map(|text| schedule::snapshots(&text)) {
        let wanted = wanted.task;
        let next = wanted
            .policies
            .iter()
            .filter_map(|policy| next_due_s(&policy.keep, now_s));
        seen.next_snapshot_ms = next.min().unwrap_or(0) * 1000;
        let datasets: Vec<&str> = wanted.policies.iter().map(|policy| policy.dataset.as_str()).collect();
        let listings = zfs::snapshots(host, &datasets).await.unwrap_or_default();
        let newest = listings.iter().map(|listing| {
            let own = listing
                .snapshots
                .iter()
                .flatten()
                .filter(|snapshot| snapshot.mark.is_some());
            own.map(|snapshot| snapshot.created_s).max().unwrap_or(0)
        });
        seen.newest_snapshot_ms = newest.min().unwrap_or(0) * 1000;
    }
    let text = schedule::text(host, schedule::SCRUBS).await.ok().flatten();
    if let Some(Ok(wanted)) = text.map(|text| schedule::scrubs(&text)) {
        seen.last_scrub_ms = Memory::read(host).await.scrub.last_s * 1000;
        seen.next_scrub_ms = scrub::slots(&wanted, now_s).map_or(0, |(_, next_s)| next_s) * 1000;
    }
    seen
}
