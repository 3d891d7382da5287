//! The node scrubs its pool by itself, and nobody else does it a second time.

mod scrubbed_once;
mod scrubs_scheduled;

use heeler_proto::{KeepScrubs, ScrubEvery};

use scrubbed_once::ScrubbedOnce;
use scrubs_scheduled::ScrubsScheduled;

use crate::engine::AnyStep;

/// The distribution's own schedules are switched off before ours is on. Where none of ours is wanted they are left alone,
/// but for Debian's, which goes on when ours ends.
#[must_use]
pub fn steps(task: &KeepScrubs) -> Vec<Box<dyn AnyStep>> {
    let mut steps: Vec<Box<dyn AnyStep>> = Vec::new();
    if task.every != ScrubEvery::Never {
        steps.push(Box::new(ScrubbedOnce {
            pool: task.pool.clone(),
        }));
    }
    steps.push(Box::new(ScrubsScheduled { wanted: task.clone() }));
    steps
}
