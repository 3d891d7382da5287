use tracing::{Instrument as _, info_span};

use crate::backoff;
use crate::journal::TaskRecord;
use crate::shared::Shared;

/// Runs accepted tasks, one at a time, with or without a session. A task that had not ended at the start is continued
/// from its first step: steps whose state holds already do nothing.
pub async fn work(shared: &Shared) {
    let mut changes = shared.journal.changes();
    let mut resumed = true;
    let mut failures = 0;
    loop {
        let in_hand = shared.journal.state().in_hand.clone();
        let Some(assignment) = in_hand else {
            resumed = false;
            // Cannot fail: the journal keeps the sender.
            let _ = changes.changed().await;
            continue;
        };
        let id = assignment.task_id.clone();
        tracing::info!(task = %id, kind = assignment.task.kind(), resumed, "task started");
        shared.notify.status(&format!("task {id}: {}", assignment.task.kind()));
        let task = assignment.task.clone();
        let mut record = TaskRecord {
            journal: shared.journal.clone(),
            assignment,
            node: shared.config.node.clone(),
            trusted: shared.trusted.clone(),
            clock: shared.clock.clone(),
            stop: shared.stop.clone(),
            progress: shared.progress.clone(),
            network: shared.network.clone(),
        };
        let pool = match heeler_tasks::uses_pool(&task) {
            true => Some(shared.pool.lock().await),
            false => None,
        };
        let outcome = heeler_tasks::run(shared.host.as_ref(), &shared.config.node, &task, &mut record, resumed)
            .instrument(info_span!("task", %id))
            .await;
        drop(pool);
        shared.schedule_changed.notify_one();
        tracing::info!(task = %id, ?outcome, "task ended");
        shared.notify.status("idle");
        let still = shared
            .journal
            .state()
            .in_hand
            .as_ref()
            .map(|assignment| assignment.task_id.clone());
        if still.as_ref() == Some(&id) {
            // Its end could not be written: the disk is full or fails.
            failures += 1;
            resumed = true;
            let wait = backoff::delay(failures, shared.random());
            tracing::error!(task = %id, wait_s = wait.as_secs(), "the end of the task could not be journalled: it runs again");
            tokio::time::sleep(wait).await;
        } else {
            failures = 0;
            resumed = false;
        }
    }
}
