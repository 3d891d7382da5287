//! The node copies what lives on its SD card to its pool, on its own schedule.

mod copies_scheduled;

use heeler_proto::KeepCopies;

use copies_scheduled::CopiesScheduled;

use crate::engine::AnyStep;
use crate::task::{Past, Work};

impl Work for KeepCopies {
    /// A single step: writes the schedule to disk, where the agent's schedule reads it.
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        vec![Box::new(CopiesScheduled { wanted: self.clone() })]
    }
}
