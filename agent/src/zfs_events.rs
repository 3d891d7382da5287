//! Notices changes of pools at once, by following `zpool events` as long as the module is loaded. Without events it
//! costs a sleeping process and no wake-up of the agent.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use heeler_host::zpool::{self, News};
use heeler_tasks::engine::in_full;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::backoff;
use crate::shared::Shared;

/// Exists while the module is loaded; `zpool events` must not load it.
const MODULE: &str = "/sys/module/zfs/version";
/// How often it is checked while the module is not loaded, besides after each step of a task.
const UNLOADED: Duration = Duration::from_secs(60);
/// After a run of this length the next start comes soon.
const GOOD_RUN: Duration = Duration::from_secs(60);

/// One change causes several events, which are reported together.
const SETTLE: Duration = Duration::from_millis(300);
/// The least time between two reports.
const APART: Duration = Duration::from_secs(3);
/// The least time while only errors are counted: a failing disk causes them for hours.
const ERRORS_APART: Duration = Duration::from_secs(30);

/// Numbers of events so far.
#[derive(Clone, Copy, Default)]
struct EventCounts {
    states: u64,
    errors: u64,
}

/// Follows the events as long as the agent runs.
pub async fn watch(shared: &Shared) {
    let counts = watch::Sender::new(EventCounts::default());
    tokio::select! {
        never = follow(shared, &counts) => match never {},
        () = report(shared, counts.subscribe()) => {}
    }
}

async fn follow(shared: &Shared, counts: &watch::Sender<EventCounts>) -> Infallible {
    let host = shared.host.as_ref();
    let mut steps = shared.journal.changes();
    let mut failures = 0;
    let line = |line: &str| match zpool::news(line) {
        Some(News::State) => counts.send_modify(|counts| counts.states += 1),
        Some(News::Error) => counts.send_modify(|counts| counts.errors += 1),
        None => {}
    };
    loop {
        if host.read(Path::new(MODULE)).await.is_err() {
            tokio::select! {
                () = sleep(UNLOADED) => {}
                Ok(()) = steps.changed() => {}
            }
            continue;
        }
        let began = Instant::now();
        match host.follow(&zpool::events_command(), &line).await {
            Ok(code) => tracing::warn!(code, "zpool events ended"),
            Err(error) => tracing::warn!("{}", in_full(&error)),
        }
        failures = if began.elapsed() >= GOOD_RUN { 1 } else { failures + 1 };
        sleep(backoff::delay(failures, shared.random())).await;
    }
}

async fn report(shared: &Shared, mut counts: watch::Receiver<EventCounts>) {
    let (mut states, mut last) = (0, None);
    while counts.changed().await.is_ok() {
        let begun = Instant::now();
        loop {
            let apart = match counts.borrow_and_update().states > states {
                true => APART,
                false => ERRORS_APART,
            };
            let settled = begun + SETTLE;
            let due = last.map_or(settled, |last: Instant| settled.max(last + apart));
            tokio::select! {
                () = sleep_until(due) => break,
                Ok(()) = counts.changed() => {}
            }
        }
        states = counts.borrow_and_update().states;
        last = Some(Instant::now());
        shared.pools_changed.send_modify(|count| *count += 1);
    }
}
