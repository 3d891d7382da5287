//! The schedule: takes snapshots, prunes, scrubs and copies the SD card beside any running task, from the accepted schedule on disk,
//! without the coordinator. It has no journal: each turn examines the machine and continues from there.

mod ask;
mod copies;
mod memory;
mod scheduler;
mod scrubs;
mod seen;
mod trust;

use std::sync::PoisonError;

use heeler_tasks::engine::{Event, in_full};

pub use ask::answer;
pub use scheduler::{ScheduleState, Scheduler, Turn};
pub use seen::{Seen, seen};

use crate::journal::NumberedEvent;
use crate::shared::Shared;

/// While fewer events wait for the coordinator, each round is reported on its own; then rounds are summed up, so that
/// the journal stays bounded.
const MOST_WAITING: usize = 1000;

/// Runs the schedule as long as the agent runs.
pub async fn keep(shared: &Shared) {
    let mut scheduler = Scheduler::open(shared.host.clone()).await;
    loop {
        let turn = {
            let _pool = shared.pool.lock().await;
            scheduler.turn().await
        };
        let wake = turn.wake;
        report(shared, &mut scheduler, turn).await;
        tokio::select! {
            () = tokio::time::sleep(wake) => {}
            () = shared.schedule_changed.notified() => {}
        }
    }
}

async fn report(shared: &Shared, scheduler: &mut Scheduler, turn: Turn) {
    *shared.schedule.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn.state);
    if let Some(event) = turn.progress {
        shared.progress.send_replace(Some(NumberedEvent {
            seq: 0,
            at_ms: shared.clock.now_ms(),
            task: None,
            event,
        }));
    }
    let waiting = shared.journal.state().events.len();
    for event in scheduler.to_report(turn.events, waiting < MOST_WAITING) {
        if let Err(error) = shared.journal.tell(None, event.clone()).await {
            // The disk is full or fails: snapshots continue, and are reported once there is room.
            tracing::error!("an event of the schedule could not be stored: {}", in_full(&error));
            if let Event::Snapshots(run) = event {
                scheduler.sum_up(run);
            }
        }
    }
    if let Err(error) = scheduler.remember().await {
        tracing::error!("the schedule's record could not be written: {error}");
    }
}

#[cfg(test)]
mod tests;
