//! The schedule: takes snapshots, prunes and scrubs beside any running task, from the accepted schedule on disk,
//! without the coordinator. It has no journal: each turn examines the machine and continues from there.

mod ask;
mod lane;
mod memory;
mod scrubs;
mod seen;
mod trust;

use std::sync::PoisonError;

use heeler_tasks::engine::{Event, in_full};

pub use ask::answer;
pub use lane::{Lane, ScheduleState, Turn};
pub use seen::{Seen, seen};

use crate::journal::Told;
use crate::shared::Shared;

/// While fewer events wait for the coordinator, each round is reported on its own; then rounds are summed up, so that
/// the journal stays bounded.
const MOST_WAITING: usize = 1000;

/// Runs the schedule as long as the agent runs.
pub async fn keep(shared: &Shared) {
    let mut lane = Lane::open(shared.host.clone()).await;
    loop {
        let turn = {
            let _pool = shared.pool.lock().await;
            lane.turn().await
        };
        let wake = turn.wake;
        tell(shared, &mut lane, turn).await;
        tokio::select! {
            () = tokio::time::sleep(wake) => {}
            () = shared.schedule_changed.notified() => {}
        }
    }
}

async fn tell(shared: &Shared, lane: &mut Lane, turn: Turn) {
    *shared.schedule.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn.stand);
    if let Some(event) = turn.progress {
        shared.progress.send_replace(Some(Told {
            seq: 0,
            at_ms: shared.clock.now_ms(),
            task: None,
            event,
        }));
    }
    let waiting = shared.journal.state().events.len();
    for event in lane.to_tell(turn.events, waiting < MOST_WAITING) {
        if let Err(error) = shared.journal.tell(None, event.clone()).await {
            // The disk is full or fails: snapshots continue, and are reported once there is room.
            tracing::error!("an event of the schedule could not be stored: {}", in_full(&error));
            if let Event::Snapshots(run) = event {
                lane.sum_up(run);
            }
        }
    }
    if let Err(error) = lane.remember().await {
        tracing::error!("the schedule's record could not be written: {error}");
    }
}

#[cfg(test)]
mod tests;
