//! The node scrubs its pool on Heeler's schedule, and on no other.

mod scrubbed_once;
mod scrubs_scheduled;

use heeler_proto::{KeepScrubs, ScrubEvery};

use scrubbed_once::ScrubbedOnce;
use scrubs_scheduled::ScrubsScheduled;

use crate::engine::AnyStep;

/// The distribution's schedules are turned off before Heeler's is turned on. When Heeler's is off, they are not
/// changed, except that Debian's is turned on again when Heeler's ends.
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
