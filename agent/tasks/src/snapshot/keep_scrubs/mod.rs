//! The node scrubs its pool on Heeler's schedule, and on no other.

mod scrubbed_once;
mod scrubs_scheduled;

use heeler_proto::{KeepScrubs, ScrubEvery};

use scrubbed_once::ScrubbedOnce;
use scrubs_scheduled::ScrubsScheduled;

use crate::engine::AnyStep;
use crate::task::{Past, Work};

impl Work for KeepScrubs {
    const USES_POOL: bool = true;

    /// The distribution's schedules are turned off before Heeler's is turned on. When Heeler's is off, they are not
    /// changed, except that Debian's is turned on again when Heeler's ends.
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        let mut steps: Vec<Box<dyn AnyStep>> = Vec::new();
        if self.every != ScrubEvery::Never {
            steps.push(Box::new(ScrubbedOnce {
                pool: self.pool.clone(),
            }));
        }
        steps.push(Box::new(ScrubsScheduled { wanted: self.clone() }));
        steps
    }
}
